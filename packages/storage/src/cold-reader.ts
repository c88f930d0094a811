/**
 * Reads whole batches of one segment from its file, in large pieces, and trusts none of them.
 *
 * Checksums are checked once per process and stretch of file; structure and place every time. The
 * file may be cut or deleted meanwhile: the log, which knows, then throws the result away.
 */
import type { Clock, Crc32c, FileHandle, Lease } from "@strandline/platform";
import {
  BATCH_HEADER_BYTES,
  baseOffset,
  batchBytes,
  batchProblem,
  lastOffset,
} from "@strandline/record";
import { headerProblem } from "./batch-walk.js";
import { type Hole, type IndexFiles, rebuildSegment } from "./index-files.js";
import { PIECE_BYTES } from "./log-options.js";
import type { OffsetIndex } from "./offset-index.js";
import type { ReadAhead } from "./read-ahead.js";
import type { ReadEnds } from "./read-ends.js";
import type { Segment, SegmentIndexes } from "./segment.js";

/** Smallest piece read: what a reader at the tail of a small request costs. Bytes. */
const PIECE_BYTES_MIN = 64 * 1024;
/** Smallest piece read ahead. */
const AHEAD_BYTES_MIN = 128 * 1024;

export interface ColdRequest {
  readonly fromOffset: number;
  /** Exclusive; every batch given ends at or before it. */
  readonly endOffset: number;
  readonly bytesMax: number;
  readonly lease?: Lease | undefined;
}

/** Suspect: the file or its index is not what it should be; which of them is to be found out. */
export type ColdResult =
  | { readonly kind: "batches"; readonly chunks: Uint8Array[] }
  | { readonly kind: "suspect"; readonly message: string };

export interface ColdOptions {
  readonly indexIntervalBytes: number;
  /** Offsets may be left out between batches. */
  readonly hasGaps: boolean;
  readonly holes: readonly Hole[];
}

export interface ColdReaderPorts {
  readonly clock: Clock;
  readonly crc32c: Crc32c;
}

export class ColdReader {
  readonly #ports: ColdReaderPorts;
  readonly #indexFiles: IndexFiles;
  /** Makes an empty segment like the one given, to count a file anew. */
  readonly #scratch: (baseOffset: number) => Segment;
  readonly #readAhead: ReadAhead | undefined;

  constructor(
    ports: ColdReaderPorts,
    indexFiles: IndexFiles,
    options: {
      readonly scratch: (baseOffset: number) => Segment;
      readonly readAhead: ReadAhead | undefined;
    },
  ) {
    this.#ports = ports;
    this.#indexFiles = indexFiles;
    this.#scratch = options.scratch;
    this.#readAhead = options.readAhead;
  }

  /**
   * Batches of the segment from the one that holds `fromOffset`, or the first after it. Nothing
   * is read inside of `holes`, which are what is known to be damaged.
   */
  async read(segment: Segment, request: ColdRequest, options: ColdOptions): Promise<ColdResult> {
    const logBytes = segment.writtenBytes;
    const handle = await segment.file.acquire({ create: false });
    try {
      segment.usedAtMs = this.#ports.clock.monotonicMs();
      const { offsets } = await this.indexes(segment, handle, options);
      let position = offsets.positionBefore(request.fromOffset);
      let expected = offsets.offsetAt(position);
      // Behind an index entry the offset that is due is not known; its last one is.
      let dueOffset = position === 0 ? segment.baseOffset : undefined;
      for (const hole of options.holes) {
        if (hole.toOffset > request.fromOffset) continue;
        if (hole.toPosition === undefined || hole.toPosition <= position) continue;
        position = hole.toPosition;
        expected = undefined;
        dueOffset = hole.toOffset;
      }
      const { readEnds } = segment;
      const readOn = readEnds.take(request.fromOffset);
      if (readOn !== undefined && readOn > position) {
        position = readOn;
        expected = undefined;
        dueOffset = request.fromOffset;
      }
      const { hasGaps } = options;
      const start = { segment, logBytes, request, offsets, dueOffset, hasGaps };
      const read = new PieceReader(handle, this.#ports.crc32c, start);
      const ahead = await this.#takeAhead(readEnds, request);
      const result = await read.run(position, expected, ahead);
      if (readOn !== undefined && request.lease !== undefined) {
        this.#beginAhead(segment, readEnds, read.next);
      }
      return result;
    } finally {
      segment.file.release();
    }
  }

  async #takeAhead(owner: ReadEnds, { fromOffset, lease }: ColdRequest) {
    if (lease === undefined) return undefined;
    return await this.#readAhead?.take(owner, fromOffset, lease);
  }

  /** For a reader that has read on once, and so will most likely again. */
  #beginAhead(segment: Segment, owner: ReadEnds, next: NextPiece | undefined): void {
    if (next === undefined || next.length < AHEAD_BYTES_MIN) return;
    const { position, isLikelyOnly } = next;
    this.#readAhead?.begin({ owner, ...next }, async (target) => {
      const handle = await segment.file.acquire({ create: false });
      try {
        return await handle.read(target, position, { isLikelyOnly });
      } finally {
        segment.file.release();
      }
    });
  }

  /** The segment's indexes: in memory, or from their files, or made anew. */
  async indexes(
    segment: Segment,
    handle: FileHandle,
    options: ColdOptions,
  ): Promise<SegmentIndexes> {
    if (segment.indexes !== undefined) return segment.indexes;
    const logBytes = segment.writtenBytes;
    const endOffset = segment.writtenEndOffset;
    const loaded = await this.#indexFiles.load(segment, handle, { logBytes, endOffset });
    if (loaded === undefined) return await this.rebuild(segment, handle, options);
    segment.indexes ??= loaded;
    return segment.indexes;
  }

  /** Makes a segment's indexes anew from its file, and stores them. */
  async rebuild(
    segment: Segment,
    handle: FileHandle,
    options: ColdOptions,
  ): Promise<SegmentIndexes> {
    const scratch = this.#scratch(segment.baseOffset);
    const logBytes = segment.writtenBytes;
    await rebuildSegment(scratch, handle, { ...options, logBytes });
    const indexes = scratch.indexes ?? scratch.resetIndexes();
    // In a segment that grows, entries may be missing at the end now: a lookup only walks further.
    segment.indexes = indexes;
    segment.storedOffsetEntries = 0;
    segment.storedTimeEntries = 0;
    if (!segment.isSealed) return indexes;
    scratch.seal();
    // Reads must not fail because the disk takes no writes: then it is made again next time.
    await this.#indexFiles.store(scratch, { sync: false }).catch(() => undefined);
    return indexes;
  }
}

/** What the reader that was served will most likely ask for. */
interface NextPiece {
  readonly offset: number;
  readonly position: number;
  readonly length: number;
  readonly isLikelyOnly: boolean;
}

class PieceReader {
  readonly #handle: FileHandle;
  readonly #crc32c: Crc32c;
  readonly #segment: Segment;
  readonly #logBytes: number;
  readonly #request: ColdRequest;
  readonly #offsets: OffsetIndex;
  readonly #chunks: Uint8Array[] = [];
  #room: number;
  readonly #hasGaps: boolean;
  /** The offset that is due; undefined where it is not known. */
  #nextOffset: number | undefined;
  #isDone = false;
  #problem: string | undefined;
  #next: NextPiece | undefined;

  constructor(
    handle: FileHandle,
    crc32c: Crc32c,
    options: {
      readonly segment: Segment;
      readonly logBytes: number;
      readonly request: ColdRequest;
      readonly offsets: OffsetIndex;
      readonly dueOffset: number | undefined;
      readonly hasGaps: boolean;
    },
  ) {
    this.#handle = handle;
    this.#crc32c = crc32c;
    this.#segment = options.segment;
    this.#logBytes = options.logBytes;
    this.#request = options.request;
    this.#offsets = options.offsets;
    this.#room = options.request.bytesMax;
    this.#nextOffset = options.dueOffset;
    this.#hasGaps = options.hasGaps;
  }

  /** What follows on what was read; undefined when nothing was. */
  get next(): NextPiece | undefined {
    return this.#next;
  }

  /**
   * Reads from `start`; the batch there must end with `expectedLast`, when that is known. `ahead` is
   * what was read already.
   */
  async run(
    start: number,
    expectedLast: number | undefined,
    ahead: { readonly position: number; readonly bytes: Uint8Array } | undefined,
  ): Promise<ColdResult> {
    let position = start;
    let wantedBytes = this.#pieceBytes(position, this.#room);
    let expected = expectedLast;
    let given = ahead?.position === start ? ahead.bytes : undefined;
    const { readEnds } = this.#segment;
    while (!this.#isDone && position < this.#logBytes) {
      const target = given ?? this.#memory(Math.min(wantedBytes, this.#logBytes - position));
      const count = given?.length ?? (await this.#read(target, position));
      given = undefined;
      if (count < target.length) {
        return this.#suspect(`the file ends at ${position + count}, not ${this.#logBytes}`);
      }
      if (expected !== undefined && !endsWith(target, expected)) {
        return this.#suspect(`no batch at ${position} ends with offset ${expected}`);
      }
      expected = undefined;
      const used = this.#take(target, position);
      if (this.#problem !== undefined) return this.#suspect(this.#problem);
      position += used;
      if (this.#chunks.length > 0 && !this.#isWorthwhile(position)) break;
      wantedBytes = used > 0 ? this.#pieceBytes(position, this.#room) : this.#bytesNeeded(target);
    }
    if (this.#chunks.length > 0 && this.#nextOffset !== undefined) {
      const offset = this.#nextOffset;
      readEnds.note(offset, position);
      const wholeBytes = this.#pieceBytes(position, this.#request.bytesMax);
      const length = Math.min(wholeBytes, this.#logBytes - position);
      this.#next = { offset, position, length, isLikelyOnly: this.#isLikelyOnly(position, length) };
    }
    return { kind: "batches", chunks: this.#chunks };
  }

  /**
   * The first reader of a stretch is most likely its only one, and leaves no copy of it in the
   * system's cache; the second does. Which of them this is the checksums tell. What was written for
   * readers is there already.
   */
  #isLikelyOnly(position: number, length: number): boolean {
    const { checkedFrom, checkedTo, cachedFrom } = this.#segment;
    const end = position + length;
    return end <= cachedFrom && (position >= checkedTo || end <= checkedFrom);
  }

  #read(target: Uint8Array, position: number): Promise<number> {
    const isLikelyOnly = this.#isLikelyOnly(position, target.length);
    return this.#handle.read(target, position, { isLikelyOnly });
  }

  #memory(length: number): Uint8Array {
    return this.#request.lease?.take(length) ?? new Uint8Array(length);
  }

  /** What was read before is good; the next read will meet the rest at its start. */
  #suspect(message: string): ColdResult {
    if (this.#chunks.length > 0) return { kind: "batches", chunks: this.#chunks };
    return { kind: "suspect", message };
  }

  /**
   * Enough for what is still asked for, but no part of a batch that the next piece would have to
   * begin with again: where batches begin the index says.
   */
  #pieceBytes(position: number, roomBytes: number): number {
    const room = Math.max(PIECE_BYTES_MIN, roomBytes + BATCH_HEADER_BYTES);
    const wantedBytes = Math.min(PIECE_BYTES, room);
    if (position + wantedBytes >= this.#logBytes) return wantedBytes;
    const wholeBytes = this.#offsets.positionUpTo(position + wantedBytes) - position;
    return wholeBytes > 0 ? wholeBytes : wantedBytes;
  }

  /** Whether to read on: little room, or a batch that does not fit, is not worth a read. */
  #isWorthwhile(position: number): boolean {
    if (this.#room * 8 < this.#request.bytesMax) return false;
    const next = this.#offsets.positionAfter(position) ?? this.#logBytes;
    return next - position <= this.#room;
  }

  /** Bytes for the batch at the start of a piece that did not hold all of it. */
  #bytesNeeded(piece: Uint8Array): number {
    if (piece.length < BATCH_HEADER_BYTES) return PIECE_BYTES_MIN;
    return Math.max(batchBytes(piece, 0), PIECE_BYTES_MIN);
  }

  /** Takes the wanted whole batches of a piece that begins with a batch; returns bytes used. */
  #take(piece: Uint8Array, position: number): number {
    let at = 0;
    let start = -1;
    while (!this.#isDone) {
      const sizeBytes = this.#sizeOfWhole(piece, at, position);
      const hasFound = this.#chunks.length > 0 || start >= 0;
      // Decided by its header, so that it is not read only to be left out.
      if (hasFound && sizeBytes < 0 && -sizeBytes > this.#room) this.#isDone = true;
      if (sizeBytes <= 0) break;
      const last = lastOffset(piece, at);
      if (last < this.#request.fromOffset) {
        this.#nextOffset = last + 1;
        at += sizeBytes;
        continue;
      }
      if (hasFound && (last >= this.#request.endOffset || sizeBytes > this.#room)) {
        this.#isDone = true;
        break;
      }
      if (!this.#isChecked(piece, at, position + at)) break;
      // Only now: a last offset that is wrong must not pass for one that is too high.
      if (last >= this.#request.endOffset) {
        this.#isDone = true;
        break;
      }
      if (start < 0) start = at;
      this.#room -= sizeBytes;
      this.#nextOffset = last + 1;
      at += sizeBytes;
    }
    if (start >= 0) {
      this.#chunks.push(piece.subarray(start, at));
      this.#segment.noteChecked(position + start, position + at);
    }
    return at;
  }

  /**
   * Bytes of the batch at `at` when all of it is in the piece; negative when only its header is,
   * and 0 when not even that is, or when it is wrong.
   */
  #sizeOfWhole(piece: Uint8Array, at: number, position: number): number {
    const available = piece.length - at;
    const left = this.#logBytes - position - at;
    if (left === 0) return 0;
    if (available < BATCH_HEADER_BYTES) {
      if (left < BATCH_HEADER_BYTES) this.#problem = "the file ends inside a batch header";
      return 0;
    }
    this.#problem = headerProblem(piece, at);
    if (this.#problem !== undefined) return 0;
    const gap = baseOffset(piece, at) - (this.#nextOffset ?? baseOffset(piece, at));
    if (gap < 0 || (gap > 0 && !this.#hasGaps)) {
      this.#problem = `offset ${baseOffset(piece, at)} stands where ${this.#nextOffset} is due`;
      return 0;
    }
    const sizeBytes = batchBytes(piece, at);
    if (sizeBytes > left) {
      this.#problem = "the file ends inside a batch";
      return 0;
    }
    // A body that is not wanted need not be there; stepping past the piece's end is fine.
    if (lastOffset(piece, at) < this.#request.fromOffset) return sizeBytes;
    return sizeBytes > available ? -sizeBytes : sizeBytes;
  }

  /** Notes a wrong checksum as the problem. */
  #isChecked(piece: Uint8Array, at: number, position: number): boolean {
    const end = at + batchBytes(piece, at);
    const { checkedFrom, checkedTo } = this.#segment;
    if (position >= checkedFrom && position + end - at <= checkedTo) return true;
    this.#problem = batchProblem(piece, at, end, this.#crc32c)?.message;
    return this.#problem === undefined;
  }
}

/** The batch at the start of the piece has this last offset. */
function endsWith(piece: Uint8Array, last: number): boolean {
  if (piece.length < BATCH_HEADER_BYTES) return false;
  return headerProblem(piece, 0) === undefined && lastOffset(piece, 0) === last;
}
