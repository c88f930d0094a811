/** Everything a simulated process gets: the production ports, and two of the world's own. */
import type {
  BufferPool,
  Clock,
  Compressors,
  Crc32c,
  FileSystem,
  Logger,
  OpenKeyValueStore,
  Random,
  Timers,
  Transport,
} from "@strandline/platform";
import type { Observation } from "./observation.js";

export interface NodePorts {
  /** Name of the machine: others reach a port of this process at `${host}:${port}`. */
  readonly host: string;
  /** Which run of the node this is; from 1. */
  readonly generation: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly fileSystem: FileSystem;
  readonly openKeyValueStore: OpenKeyValueStore;
  readonly transport: Transport;
  /** Another one, as for a second listener with connections of its own. */
  readonly newTransport: () => Transport;
  readonly logger: Logger;
  readonly crc32c: Crc32c;
  readonly compressors: Compressors;
  /** Overwrites what is released, so that nobody goes on with it unnoticed. */
  readonly buffers: BufferPool;
  /** Tells the checkers. */
  readonly observe: (observation: Observation) => void;
  /** The process ends itself, at once. The disk keeps what it has. */
  readonly exit: (reason: Error | undefined) => void;
}

/** A running process, as far as the world must know it. */
export interface App {
  /** An orderly end. */
  close(): Promise<void>;
}

/** Starts a process. When it rejects, the process has ended. */
export type Boot = (ports: NodePorts) => Promise<App>;
