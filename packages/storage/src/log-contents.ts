/**
 * The state of one open log, shared by the log and the modules that work on it. Internal.
 *
 * Offsets: `logStartOffset <= highWatermark`, and durable end `<= logEndOffset`. The segments
 * follow each other without a gap from at or below the log's start to its end.
 */
import { BrokerError } from "@strandline/model";
import type { LeaderEpochs, ProducerStates } from "@strandline/replication";
import type { ColdOptions, ColdReader } from "./cold-reader.js";
import type { Damages } from "./damage.js";
import { DelayedRemovals } from "./delayed-removals.js";
import type { IndexFiles } from "./index-files.js";
import type { LogCheckpoints, LogState, RecoveryPoint } from "./log-checkpoints.js";
import type { LogConfig, LogOptions, LogPorts } from "./log-options.js";
import type { LogWriter } from "./log-writer.js";
import { RecentBatches } from "./recent-batches.js";
import type { RecoveredLog } from "./recovery.js";
import { Segment } from "./segment.js";

export class LogContents {
  readonly ports: LogPorts;
  readonly directory: string;
  readonly checkpoints: LogCheckpoints;
  readonly indexFiles: IndexFiles;
  readonly reader: ColdReader;
  readonly writer: LogWriter;
  readonly recent: RecentBatches;
  readonly damages: Damages;
  readonly epochs: LeaderEpochs;
  readonly cutBytes: number;
  readonly recoveredFrom: number;
  config: LogConfig;
  producers: ProducerStates;
  segments: Segment[];
  logStartOffset: number;
  logEndOffset: number;
  highWatermark: number;
  recoveryPoint: RecoveryPoint;
  /**
   * Offsets may be left out between batches, as compaction does, here or where they were copied
   * from. Until then every batch begins where the one before ends, which is checked: no checksum
   * covers a batch's offset. Stored before the first gap is; never taken back.
   */
  hasGaps: boolean;
  /** Everything below was compacted; what is above is dirty. */
  cleanedTo: number;
  /** Grows when something was cut or removed: a read that began before is thrown away. */
  generation = 0;
  /** Truncations and new beginnings so far. */
  cutCount = 0;
  /** Full segments of which the checkpoints know nothing yet. */
  unsealed: Segment[];
  /** Offsets of the stored producer snapshots, ascending. */
  producerOffsets: readonly number[];
  /** Bytes appended since the last producer snapshot, and how large that was. */
  bytesSinceSnapshot = 0;
  bytesSinceCheckpoint = 0;
  snapshotBytes = 0;
  /** Removes files that have left the log. */
  readonly removals: DelayedRemovals;
  isClosed = false;
  /** A cut is under way: nothing may be appended. */
  isCutting = false;

  constructor(ports: LogPorts, options: LogOptions, found: RecoveredLog, writer: LogWriter) {
    this.ports = ports;
    this.directory = options.directory;
    this.config = options.config;
    this.removals = new DelayedRemovals(ports, () => this.config.fileDeleteDelayMs);
    this.checkpoints = found.checkpoints;
    this.indexFiles = found.indexFiles;
    this.reader = found.reader;
    this.damages = found.damages;
    this.epochs = found.epochs;
    this.producers = found.producers;
    this.producerOffsets = found.producerOffsets;
    this.segments = found.segments;
    this.unsealed = found.unsealed;
    this.cutBytes = found.cutBytes;
    this.recoveredFrom = found.recoveredFrom;
    this.logStartOffset = found.logStartOffset;
    this.highWatermark = found.highWatermark;
    this.hasGaps = found.hasGaps;
    this.cleanedTo = found.cleanedTo;
    this.writer = writer;
    const { baseOffset, nextOffset, sizeBytes } = this.active;
    this.logEndOffset = nextOffset;
    this.recoveryPoint = { offset: nextOffset, baseOffset, position: sizeBytes };
    this.recent = new RecentBatches(nextOffset, options.tailMemory);
  }

  /** The segment that is appended to. */
  get active(): Segment {
    return this.segments[this.segments.length - 1] as Segment;
  }

  get sizeBytes(): number {
    let bytes = 0;
    for (const segment of this.segments) bytes += segment.sizeBytes;
    return bytes;
  }

  /** The last segment that begins at or before `offset`; the first one if none does. */
  segmentAt(offset: number): Segment {
    let low = 0;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.segments[middle] as Segment).baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return this.segments[low] as Segment;
  }

  /** How a segment's file is read. */
  coldOptions(segment: Segment): ColdOptions {
    const { indexIntervalBytes } = this.config;
    return { indexIntervalBytes, hasGaps: this.hasGaps, holes: this.damages.of(segment) };
  }

  newSegment(baseOffset: number): Segment {
    const segment = new Segment(this.ports.fileSystem, this.directory, baseOffset);
    segment.resetIndexes();
    return segment;
  }

  /** The state as it would be stored now, with the recovery point that is in force. */
  state(): LogState {
    const { recoveryPoint, epochs, highWatermark, logStartOffset, hasGaps, cleanedTo } = this;
    const segment = this.segmentAt(recoveryPoint.baseOffset);
    const active = { ...segment.facts };
    return {
      version: 1,
      logStartOffset,
      highWatermark,
      recoveryPoint,
      epochs: epochs.entries,
      active,
      isClean: false,
      hasGaps,
      cleanedTo,
    };
  }

  /** Refuses work that needs the disk once it has failed, or once the log is closed. */
  requireUsable(): void {
    if (this.isClosed) throw new BrokerError("KAFKA_STORAGE_ERROR", "the log is closed");
    const { failure } = this.writer;
    if (failure !== undefined) {
      const message = `the log has failed: ${failure.message}`;
      throw new BrokerError("KAFKA_STORAGE_ERROR", message, { cause: failure });
    }
  }
}
