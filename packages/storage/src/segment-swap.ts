/**
 * Puts a compacted file in the place of the segments it was made of, so that a crash at any point
 * leaves the old ones or the new one.
 *
 * The new file, whole and synced under a name of its own (`.cleaned`), counts for nothing until
 * the store says `swap/<base>`. From then on the old ones count for nothing: whatever of the
 * renames a crash has undone, the next open does again.
 */
import type { FileSystem } from "@strandline/platform";
import type { Damage } from "./damage.js";
import type { IndexFiles } from "./index-files.js";
import type { LogCheckpoints, StoredSwap } from "./log-checkpoints.js";
import type { LogContents } from "./log-contents.js";
import { wholly } from "./log-cut.js";
import type { Segment } from "./segment.js";
import { CLEANED_SUFFIX, DELETED_SUFFIX, logName } from "./segment-name.js";

/** Whether `old` still stand in the log as they were read: neither cut nor damaged since. */
export function canSwap(log: LogContents, old: readonly Segment[]): boolean {
  const first = log.segments.indexOf(old[0] as Segment);
  if (first < 0 || log.isClosed || log.writer.failure !== undefined) return false;
  return old.every((segment, index) => {
    return log.segments[first + index] === segment && isSettled(log, segment);
  });
}

/** Nothing more is appended to it, it is stored that it is whole, and nothing of it is damaged. */
export function isSettled(log: LogContents, segment: Segment): boolean {
  if (!segment.isSealed || log.unsealed.includes(segment)) return false;
  if (segment.nextOffset > log.recoveryPoint.offset) return false;
  if (segment.baseOffset >= log.recoveryPoint.baseOffset) return false;
  return segment.syncedBytes >= segment.sizeBytes && log.damages.of(segment).length === 0;
}

/**
 * Takes `cleaned` into the log for `old`. Its file lies beside theirs, synced, its name durable.
 * Runs alone. A failure on the way ends the log: the next open finishes what was begun.
 */
export async function swapSegments(
  log: LogContents,
  old: readonly Segment[],
  cleaned: Segment,
  /** What of the new file is damaged. */
  damages: readonly Damage[] = [],
): Promise<void> {
  await wholly(log, async () => {
    const { checkpoints, indexFiles } = log;
    const replaced = old.map((segment) => segment.baseOffset);
    const swap: StoredSwap = { version: 1, replaced, facts: cleaned.facts };
    // Readers of the old segments go on with the open files, whatever becomes of the names.
    const held: Segment[] = [];
    for (const segment of old) {
      // It may be what was lost.
      if (!(await log.ports.fileSystem.exists(segment.file.path))) continue;
      await segment.file.acquire({ create: false });
      held.push(segment);
    }
    try {
      log.hasGaps = true;
      const begun = [checkpoints.putSwap(swap), checkpoints.putState(log.state())];
      await checkpoints.write(begun, { sync: true });
      await renameFiles(log, held, cleaned);
      swapMemory(log, old, cleaned);
      log.damages.replace(cleaned, damages);
    } finally {
      for (const segment of held) segment.file.release();
    }
    for (const base of replaced) await indexFiles.remove(base);
    await indexFiles.store(cleaned, { sync: true });
    await log.ports.fileSystem.syncDirectory(log.directory);
    await checkpoints.write(finished(checkpoints, swap), { sync: true });
  });
}

async function renameFiles(
  log: LogContents,
  held: readonly Segment[],
  cleaned: Segment,
): Promise<void> {
  const { fileSystem } = log.ports;
  for (const { file } of held) {
    const deletedPath = `${file.path}${DELETED_SUFFIX}`;
    await fileSystem.rename(file.path, deletedPath);
    log.removals.add(deletedPath);
  }
  await fileSystem.rename(`${cleaned.file.path}${CLEANED_SUFFIX}`, cleaned.file.path);
}

function swapMemory(log: LogContents, old: readonly Segment[], cleaned: Segment): void {
  const first = log.segments.indexOf(old[0] as Segment);
  log.generation += 1;
  log.segments = log.segments.toSpliced(first, old.length, cleaned);
  log.damages.retain(log.segments);
  for (const segment of old) {
    log.writer.forget(segment);
    segment.file.retire().catch(() => undefined);
  }
}

function finished(
  checkpoints: LogCheckpoints,
  swap: StoredSwap,
): ReturnType<LogCheckpoints["deleteSwap"]>[] {
  const [base, ...others] = swap.replaced as [number, ...number[]];
  return [
    checkpoints.deleteSwap(swap),
    checkpoints.putSegment(base, swap.facts),
    ...others.map((other) => checkpoints.deleteSegment(other)),
  ];
}

/** Does again what a crash may have undone of a swap that was begun. Idempotent. */
export async function finishSwap(
  place: { readonly fileSystem: FileSystem; readonly directory: string },
  parts: { readonly checkpoints: LogCheckpoints; readonly indexFiles: IndexFiles },
  swap: StoredSwap,
): Promise<void> {
  const { fileSystem, directory } = place;
  const [base, ...others] = swap.replaced as [number, ...number[]];
  const path = `${directory}/${logName(base)}`;
  for (const other of others) await fileSystem.remove(`${directory}/${logName(other)}`);
  const cleanedPath = `${path}${CLEANED_SUFFIX}`;
  if (await fileSystem.exists(cleanedPath)) await fileSystem.rename(cleanedPath, path);
  for (const replaced of swap.replaced) await parts.indexFiles.remove(replaced);
  await fileSystem.syncDirectory(directory);
  await parts.checkpoints.write(finished(parts.checkpoints, swap), { sync: true });
}
