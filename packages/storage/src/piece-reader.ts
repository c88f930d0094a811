/**
 * Reads whole batches of one segment's file in large pieces, and trusts none of them. Checksums are
 * checked once per process and stretch of file; structure and place every time.
 */
import type { Crc32c, FileHandle, Lease } from "@strandline/platform";
import {
  BATCH_HEADER_BYTES,
  baseOffset,
  batchBytes,
  batchProblem,
  lastOffset,
} from "@strandline/record";
import { headerProblem } from "./batch-walk.js";
import type { CheckedStretches } from "./checked-stretches.js";
import { PIECE_BYTES } from "./log-options.js";
import type { OffsetIndex } from "./offset-index.js";
import type { Segment } from "./segment.js";

/** Smallest piece read: what a reader at the tail of a small request costs. Bytes. */
const PIECE_BYTES_MIN = 64 * 1024;

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

/** What the reader that was served will most likely ask for. */
export interface NextPiece {
  readonly offset: number;
  readonly position: number;
  readonly length: number;
  readonly isLikelyOnly: boolean;
}

export class PieceReader {
  readonly #handle: FileHandle;
  readonly #crc32c: Crc32c;
  readonly #segment: Segment;
  /** What this read adds to; what is checked is asked of the segment, which may know of damage by now. */
  readonly #checked: CheckedStretches;
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
    this.#checked = options.segment.checked;
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
    const end = position + length;
    return end <= this.#segment.cachedFrom && !this.#segment.checked.overlaps(position, end);
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
      this.#checked.note(position + start, position + at);
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
    if (this.#segment.checked.covers(position, position + end - at)) return true;
    this.#problem = batchProblem(piece, at, end, this.#crc32c)?.message;
    return this.#problem === undefined;
  }
}

/** The batch at the start of the piece has this last offset. */
function endsWith(piece: Uint8Array, last: number): boolean {
  if (piece.length < BATCH_HEADER_BYTES) return false;
  return headerProblem(piece, 0) === undefined && lastOffset(piece, 0) === last;
}
