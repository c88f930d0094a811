/**
 * The directory that a node keeps its data in, and who it belongs to.
 *
 *   <path>/checkpoints/                    a store: this module's facts, and those of the logs
 *   <path>/raft/                           a store: the controller's log
 *   <path>/topics/<topic id>-<partition>/  one log each
 *
 * A directory belongs to one node id for ever, and has an identity of its own: an empty disk under
 * a known node id must not pass for the disk that acknowledged records.
 */
import {
  type BrokerEpoch,
  brokerEpoch,
  type ClusterId,
  clusterId,
  type DirectoryId,
  directoryId,
  isUuidText,
  type NodeId,
  type TopicId,
  topicPartitionKey,
  uuidText,
} from "@strandline/model";
import type {
  FileSystem,
  KeyValueStore,
  Logger,
  OpenKeyValueStore,
  Random,
} from "@strandline/platform";
import { GatheredStore } from "./gathered-store.js";
import { openLevelStore } from "./level-store.js";
import { LogCheckpoints } from "./log-checkpoints.js";
import { DELETED_SUFFIX } from "./segment-name.js";

export interface DataDirectoryPorts {
  readonly fileSystem: FileSystem;
  /** How stores are opened; by `level` unless given. */
  readonly openStore?: OpenKeyValueStore | undefined;
  readonly random: Random;
  readonly logger: Logger;
}

export interface DataDirectoryOptions {
  readonly path: string;
  readonly nodeId: NodeId;
}

/** The directory must not be used as asked; the message tells an operator why. */
export class DataDirectoryError extends Error {
  override readonly name = "DataDirectoryError";
  readonly reason: "other-node" | "other-cluster" | "in-use" | "not-writable" | "damaged";

  constructor(reason: DataDirectoryError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

const NODE_ID_KEY = "meta/node-id";
const DIRECTORY_ID_KEY = "meta/directory-id";
const CLUSTER_ID_KEY = "meta/cluster-id";
/** Value: the broker epoch that was shut down. Present only between a clean close and an open. */
const CLEAN_SHUTDOWN_KEY = "meta/clean-shutdown";

const PROBE_NAME = "probe";

export class DataDirectory {
  readonly path: string;
  readonly nodeId: NodeId;
  readonly directoryId: DirectoryId;
  /** Holds the checkpoints of the logs too: hand it to `Log.open`. */
  readonly checkpoints: KeyValueStore;
  /** The controller's log. */
  readonly raftStore: KeyValueStore;
  /** Broker epoch of the last incarnation if it was shut down cleanly; -1 after a crash. */
  readonly cleanShutdownEpoch: BrokerEpoch;
  #clusterId: ClusterId | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: DataDirectoryOptions, stores: Stores, facts: Facts) {
    this.path = options.path;
    this.nodeId = options.nodeId;
    this.directoryId = facts.directoryId;
    this.checkpoints = stores.checkpoints;
    this.raftStore = stores.raftStore;
    this.cleanShutdownEpoch = facts.cleanShutdownEpoch;
    this.#clusterId = facts.clusterId;
  }

  /**
   * Takes the directory for this process, creating it when missing. From here on a crash counts
   * as one: the mark of a clean shutdown is gone, durably, when this resolves.
   */
  static async open(
    ports: DataDirectoryPorts,
    options: DataDirectoryOptions,
  ): Promise<DataDirectory> {
    await prepare(ports.fileSystem, options.path);
    const checkpoints = new GatheredStore(await openStore(ports, options.path, "checkpoints"));
    let raftStore: KeyValueStore | undefined;
    try {
      const facts = await claim(ports, options, checkpoints);
      await sweep(ports, options.path, checkpoints);
      raftStore = await openStore(ports, options.path, "raft");
      return new DataDirectory(options, { checkpoints, raftStore }, facts);
    } catch (error) {
      await raftStore?.close();
      await checkpoints.close();
      throw error;
    }
  }

  /** The cluster this directory's data is of; undefined until it has joined one. */
  get clusterId(): ClusterId | undefined {
    return this.#clusterId;
  }

  get topicsPath(): string {
    return `${this.path}/topics`;
  }

  /** Where the log of a partition replica lives. */
  logPath(topic: TopicId, partition: number): string {
    return `${this.topicsPath}/${topicPartitionKey(topic, partition)}`;
  }

  /** Binds the directory to a cluster, durably and for ever. Refuses any other cluster. */
  async rememberCluster(id: ClusterId): Promise<void> {
    if (this.#clusterId === id) return;
    if (this.#clusterId !== undefined) {
      throw new DataDirectoryError(
        "other-cluster",
        `${this.path} holds data of cluster ${this.#clusterId}; it cannot join cluster ${id}. ` +
          "Check the addresses of the controllers, or start with another directory.",
      );
    }
    await this.checkpoints.write([put(CLUSTER_ID_KEY, id)], { sync: true });
    this.#clusterId = id;
  }

  /**
   * Lets another process take the directory. `cleanShutdownEpoch`: all logs were closed, in this
   * broker epoch, so that the next start need not suspect them. Idempotent.
   */
  async close(
    options: { readonly cleanShutdownEpoch?: BrokerEpoch | undefined } = {},
  ): Promise<void> {
    this.#closing ??= this.#close(options.cleanShutdownEpoch);
    await this.#closing;
  }

  async #close(cleanShutdownEpoch: BrokerEpoch | undefined): Promise<void> {
    try {
      if (cleanShutdownEpoch !== undefined) {
        const mark = put(CLEAN_SHUTDOWN_KEY, String(cleanShutdownEpoch));
        await this.checkpoints.write([mark], { sync: true });
      }
    } finally {
      await this.raftStore.close();
      await this.checkpoints.close();
    }
  }
}

interface Stores {
  readonly checkpoints: KeyValueStore;
  readonly raftStore: KeyValueStore;
}

interface Facts {
  readonly directoryId: DirectoryId;
  readonly clusterId: ClusterId | undefined;
  readonly cleanShutdownEpoch: BrokerEpoch;
}

/** Makes the directories, and writes a file to see that writing works. */
async function prepare(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.makeDirectory(path);
    await fileSystem.makeDirectory(`${path}/topics`);
    const probePath = `${path}/${PROBE_NAME}`;
    const probe = await fileSystem.open(probePath, { create: true });
    try {
      await probe.write([new Uint8Array([1])], 0);
      await probe.dataSync();
    } finally {
      await probe.close();
    }
    await fileSystem.remove(probePath);
    // A log syncs its own directory and the one above; that one's name must last as well.
    await fileSystem.syncDirectory(path);
    await fileSystem.syncDirectory(parentOf(path));
  } catch (error) {
    throw notWritable(path, error);
  }
}

function notWritable(path: string, error: unknown): DataDirectoryError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  if (code === "EACCES" || code === "EPERM") {
    const text = `${path} cannot be written to by this user; change its owner or its mode`;
    return new DataDirectoryError("not-writable", text, options);
  }
  if (code === "EROFS") {
    const text = `${path} is on a file system that is mounted read-only`;
    return new DataDirectoryError("not-writable", text, options);
  }
  if (code === "ENOSPC" || code === "EDQUOT") {
    const text = `${path} is on a disk that is full; free some space before the start`;
    return new DataDirectoryError("not-writable", text, options);
  }
  return new DataDirectoryError("not-writable", `${path} cannot be used: ${message}`, options);
}

async function openStore(
  ports: DataDirectoryPorts,
  path: string,
  name: string,
): Promise<KeyValueStore> {
  try {
    return await (ports.openStore ?? openLevelStore)(`${path}/${name}`);
  } catch (error) {
    const reason = error instanceof Error && "reason" in error ? error.reason : undefined;
    const message = error instanceof Error ? error.message : String(error);
    const options = { cause: error };
    if (reason === "locked") {
      const text = `${path} is in use by another process; one directory serves one process`;
      throw new DataDirectoryError("in-use", text, options);
    }
    const kind = reason === "damaged" ? "damaged" : "not-writable";
    throw new DataDirectoryError(kind, `${path} cannot be used: ${message}`, options);
  }
}

/** Reads who the directory belongs to, or makes it ours, and takes the mark of the last close. */
async function claim(
  ports: DataDirectoryPorts,
  options: DataDirectoryOptions,
  checkpoints: KeyValueStore,
): Promise<Facts> {
  const { path, nodeId } = options;
  const owner = await text(checkpoints, NODE_ID_KEY);
  if (owner !== undefined && owner !== String(nodeId)) {
    throw new DataDirectoryError(
      "other-node",
      `${path} belongs to node ${owner}, and this is node ${nodeId}. ` +
        "Start with the node id or the directory that go together.",
    );
  }
  let directory = await text(checkpoints, DIRECTORY_ID_KEY);
  if (directory === undefined || owner === undefined) {
    directory = uuidText(ports.random.bytes(16));
    const facts = [put(NODE_ID_KEY, String(nodeId)), put(DIRECTORY_ID_KEY, directory)];
    await checkpoints.write(facts, { sync: true });
    ports.logger.info({ path, nodeId, directoryId: directory }, "a data directory was set up");
  }
  const cluster = await text(checkpoints, CLUSTER_ID_KEY);
  if (!isUuidText(directory) || (cluster !== undefined && !isUuidText(cluster))) {
    throw new DataDirectoryError("damaged", `${path} does not say whose data it holds`);
  }
  const shutdown = await text(checkpoints, CLEAN_SHUTDOWN_KEY);
  if (shutdown !== undefined) {
    await checkpoints.write([{ kind: "delete", key: CLEAN_SHUTDOWN_KEY }], { sync: true });
  }
  const epoch = shutdown !== undefined && /^\d+$/.test(shutdown) ? Number(shutdown) : -1;
  return {
    directoryId: directoryId(directory),
    clusterId: cluster === undefined ? undefined : clusterId(cluster),
    cleanShutdownEpoch: brokerEpoch(Number.isSafeInteger(epoch) ? epoch : -1),
  };
}

/** Finishes the removal of logs that a crash has interrupted. */
async function sweep(
  ports: DataDirectoryPorts,
  path: string,
  checkpoints: KeyValueStore,
): Promise<void> {
  for (const name of await ports.fileSystem.list(`${path}/topics`)) {
    if (!name.endsWith(DELETED_SUFFIX)) continue;
    const key = name.slice(0, -DELETED_SUFFIX.length);
    await new LogCheckpoints(checkpoints, key).clear();
    await ports.fileSystem.removeDirectory(`${path}/topics/${name}`);
  }
}

function put(key: string, value: string): { kind: "put"; key: string; value: Uint8Array } {
  return { kind: "put", key, value: new TextEncoder().encode(value) };
}

async function text(store: KeyValueStore, key: string): Promise<string | undefined> {
  const value = await store.get(key);
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

/** The directory that holds the name of `path`. */
function parentOf(path: string): string {
  const at = path.lastIndexOf("/");
  if (at < 0) return ".";
  return at === 0 ? "/" : path.slice(0, at);
}
