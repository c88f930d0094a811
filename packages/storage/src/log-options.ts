/** What a log needs from outside, and what it tells. */
import type {
  Clock,
  Compressors,
  Crc32c,
  FileSystem,
  KeyValueStore,
  Logger,
  Timers,
} from "@strandline/platform";

import type { CompactionConfig } from "./compaction-plan.js";
import type { ReadAhead } from "./read-ahead.js";
import type { TailMemory } from "./tail-memory.js";

export interface LogPorts {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly crc32c: Crc32c;
  /** Holds what is small and must be atomic. The log uses the keys below `log/<key>/`. */
  readonly checkpoints: KeyValueStore;
  readonly logger: Logger;
  /**
   * Opens compressed batches when an offset is looked up by time, and when the log is compacted.
   * Without it the answer for a compressed batch is the batch's first offset, which is never too
   * late, and compaction leaves it as it is.
   */
  readonly compressors?: Compressors | undefined;
}

export interface LogConfig {
  /** A segment rolls when the next batch would make it larger. Bytes; at most 2^31 - 1. */
  readonly segmentBytesMax: number;
  /** A segment rolls when its first append is this long ago, by the wall clock. */
  readonly segmentMs: number;
  /** Bytes of log between two entries of an index. */
  readonly indexIntervalBytes: number;
  /** A segment whose last append is longer ago may be deleted. -1: never. */
  readonly retentionMs: number;
  /** The log keeps at least this many bytes. -1: all. */
  readonly retentionBytes: number;
  /** Time between a segment's removal from the log and that of its files. */
  readonly fileDeleteDelayMs: number;
  /** False: a write counts as durable before it was synced (topic durability "replicated"). */
  readonly isSynced: boolean;
  /** Recent bytes kept in memory. What is not yet written is kept on top of it. */
  readonly tailBytesMax: number;
  /** How the log is compacted; undefined when it is not. */
  readonly compaction?: CompactionConfig | undefined;
}

export interface LogObserver {
  /** Everything below `durableEndOffset` is durable. Only a truncation lowers it. */
  onDurable(durableEndOffset: number): void;
  /** A write or a sync failed. Called once; nothing becomes durable after it. */
  onFailed(error: Error): void;
  /** Stored records were found damaged; also in `recovery.damaged`. */
  onDamaged?(range: OffsetRange): void;
}

/** Offsets from `fromOffset` up to but without `toOffset`. */
export interface OffsetRange {
  readonly fromOffset: number;
  readonly toOffset: number;
}

/** What opening the log found, and what reads have found since. */
export interface LogRecovery {
  /** Bytes of torn tail that were cut. */
  readonly cutBytes: number;
  /** Where the scan began: everything below was known to be durable. */
  readonly recoveredFrom: number;
  /** The first range of stored records that cannot be read; gone once it was repaired. */
  readonly damaged?: OffsetRange | undefined;
}

export interface LogOptions {
  /** The partition's own directory; created when missing. */
  readonly directory: string;
  /** Name of the log in the checkpoints: `topicPartitionKey`. */
  readonly key: string;
  readonly config: LogConfig;
  readonly observer: LogObserver;
  /** Bounds the recent bytes of all logs that are given it, besides the bound of each. */
  readonly tailMemory?: TailMemory | undefined;
  /** Reads ahead for all logs that are given it; without it nothing does. */
  readonly readAhead?: ReadAhead | undefined;
}

/** Time between checkpoints of a log that changes. */
export const CHECKPOINT_MS = 5000;

/** Bytes appended between two checkpoints: what a recovery reads and writes again, at most. */
export const CHECKPOINT_BYTES = 16 * 1024 * 1024;

/** An open file or index of a segment that nobody reads is closed after this time. */
export const SEGMENT_IDLE_MS = 30_000;

/** Largest piece read from a file at once, unless one batch is larger. Bytes. */
export const PIECE_BYTES = 1024 * 1024;
