/** Everything impure that a broker uses, handed in by who composes it. */
import type {
  BufferPool,
  Clock,
  Compressors,
  Crc32c,
  FileSystem,
  KeyValueStore,
  Logger,
  Random,
  Timers,
  Transport,
} from "@strandline/platform";

/** Told what becomes of partitions: for checkers of invariants. Must not throw or act. */
export interface BrokerProbe {
  becameLeader(partition: string, leaderEpoch: number): void;
  highWatermarkMoved(partition: string, highWatermark: number): void;
  /** This broker is no replica any more, and its log is gone. */
  replicaRemoved(partition: string): void;
}

export interface BrokerPorts {
  readonly probe?: BrokerProbe | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly fileSystem: FileSystem;
  readonly checkpoints: KeyValueStore;
  readonly transport: Transport;
  readonly crc32c: Crc32c;
  readonly compressors: Compressors;
  readonly logger: Logger;
  /** Memory for what is read from files. */
  readonly buffers: BufferPool;
}
