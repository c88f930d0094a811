/**
 * One segment of a log: consecutive batches in one file, and what is known about them.
 *
 * Bookkeeping only. `sizeBytes` is what was appended, `writtenBytes` what the file holds,
 * `syncedBytes` what it will hold after a power cut; in this order they never grow.
 */
import type { FileSystem } from "@strandline/platform";
import { CheckedStretches } from "./checked-stretches.js";
import { OffsetIndex } from "./offset-index.js";
import { ReadEnds } from "./read-ends.js";
import { SegmentFile } from "./segment-file.js";
import { logName } from "./segment-name.js";
import { TimeIndex } from "./time-index.js";

/** What is remembered of a segment that takes no more appends. */
export interface SegmentFacts {
  readonly nextOffset: number;
  readonly sizeBytes: number;
  readonly maxTimestampMs: number;
  readonly maxTimestampOffset: number;
  /** Wall time; -1 when nothing was appended. */
  readonly firstAppendMs: number;
  readonly lastAppendMs: number;
}

export interface SegmentIndexes {
  readonly offsets: OffsetIndex;
  readonly times: TimeIndex;
}

export class Segment {
  readonly baseOffset: number;
  readonly file: SegmentFile;
  /** Offset after the last record. */
  nextOffset: number;
  sizeBytes = 0;
  writtenBytes = 0;
  syncedBytes = 0;
  /** Offset after the last record in the file. */
  writtenEndOffset: number;
  /** Largest timestamp of a record; -1 for none. */
  maxTimestampMs = -1;
  maxTimestampOffset = -1;
  /** Wall time of the first and the last append; -1 for none. */
  firstAppendMs = -1;
  lastAppendMs = -1;
  /** Always there in the active segment; loaded on demand in others. */
  indexes: SegmentIndexes | undefined;
  /** Entries of the indexes that the index files hold. */
  storedOffsetEntries = 0;
  storedTimeEntries = 0;
  /** True when it takes no more appends. */
  isSealed = false;
  /** True once the file's name is durable. */
  isCreated = false;
  /** Checksums that were checked. Another object once some of them count no more, as `readEnds`. */
  checked = new CheckedStretches();
  /** From here on to its end the file was written through the system's cache, which may have it. */
  cachedFrom = Number.POSITIVE_INFINITY;
  /** Another object once the end was moved: a read that began before has nothing to say then. */
  readEnds = new ReadEnds();
  /** When somebody last read the file. Monotonic. */
  usedAtMs = 0;

  constructor(fileSystem: FileSystem, directory: string, baseOffset: number) {
    this.baseOffset = baseOffset;
    this.nextOffset = baseOffset;
    this.writtenEndOffset = baseOffset;
    this.file = new SegmentFile(fileSystem, `${directory}/${logName(baseOffset)}`);
  }

  get facts(): SegmentFacts {
    return {
      nextOffset: this.nextOffset,
      sizeBytes: this.sizeBytes,
      maxTimestampMs: this.maxTimestampMs,
      maxTimestampOffset: this.maxTimestampOffset,
      firstAppendMs: this.firstAppendMs,
      lastAppendMs: this.lastAppendMs,
    };
  }

  /** Takes over what was remembered: the file holds all of it. */
  restore(facts: SegmentFacts): void {
    this.setEnd(facts.sizeBytes, facts.nextOffset);
    this.maxTimestampMs = facts.maxTimestampMs;
    this.maxTimestampOffset = facts.maxTimestampOffset;
    this.firstAppendMs = facts.firstAppendMs;
    this.lastAppendMs = facts.lastAppendMs;
  }

  /** The file holds `sizeBytes`, durably, and they end at `nextOffset`. */
  setEnd(sizeBytes: number, nextOffset: number): void {
    this.nextOffset = nextOffset;
    this.writtenEndOffset = nextOffset;
    this.sizeBytes = sizeBytes;
    this.writtenBytes = sizeBytes;
    this.syncedBytes = sizeBytes;
    this.readEnds = new ReadEnds();
  }

  resetIndexes(): SegmentIndexes {
    this.indexes = emptyIndexes(this.baseOffset);
    this.storedOffsetEntries = 0;
    this.storedTimeEntries = 0;
    return this.indexes;
  }

  /** Counts a batch that stands at the segment's end. Called per batch of every append. */
  note(
    sizeBytes: number,
    lastOffset: number,
    maxTimestampMs: number,
    indexIntervalBytes: number,
  ): void {
    const position = this.sizeBytes;
    if (maxTimestampMs > this.maxTimestampMs) {
      this.maxTimestampMs = maxTimestampMs;
      this.maxTimestampOffset = lastOffset;
    }
    const indexes = this.indexes ?? this.resetIndexes();
    if (position > 0 && position - indexes.offsets.lastPosition >= indexIntervalBytes) {
      indexes.offsets.append(lastOffset, position);
      indexes.times.append(this.maxTimestampMs, this.maxTimestampOffset);
    }
    this.sizeBytes = position + sizeBytes;
    this.nextOffset = lastOffset + 1;
  }

  /** The last time entry of a segment that takes no more appends says its largest timestamp. */
  seal(): void {
    this.isSealed = true;
    if (this.maxTimestampOffset >= 0) {
      this.indexes?.times.append(this.maxTimestampMs, this.maxTimestampOffset);
    }
  }

  get isOpen(): boolean {
    return this.file.isOpen || this.indexes !== undefined;
  }

  /** Gives back what an unread segment holds: it comes again from the files. */
  rest(): void {
    this.file.closeIdle();
    this.indexes = undefined;
  }
}

export function emptyIndexes(baseOffset: number): SegmentIndexes {
  return { offsets: new OffsetIndex(baseOffset), times: new TimeIndex(baseOffset) };
}
