/** Removes a log from the disk: its directory goes by another name first, so that it goes whole. */
import { LogCheckpoints } from "./log-checkpoints.js";
import type { LogPorts } from "./log-options.js";
import { DELETED_SUFFIX } from "./segment-name.js";

export async function removeLog(ports: LogPorts, directory: string, key: string): Promise<void> {
  const { fileSystem } = ports;
  const parent = directory.slice(0, directory.lastIndexOf("/"));
  const deletedPath = directory.endsWith(DELETED_SUFFIX)
    ? directory
    : `${directory}${DELETED_SUFFIX}`;
  if (deletedPath !== directory && (await fileSystem.exists(directory))) {
    await fileSystem.removeDirectory(deletedPath);
    await fileSystem.rename(directory, deletedPath);
    await fileSystem.syncDirectory(parent);
  }
  const liveKey = key.endsWith(DELETED_SUFFIX) ? key.slice(0, -DELETED_SUFFIX.length) : key;
  await new LogCheckpoints(ports.checkpoints, liveKey).clear();
  await fileSystem.removeDirectory(deletedPath);
}
