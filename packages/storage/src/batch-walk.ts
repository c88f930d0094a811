/**
 * Walks the batches of a segment's file, in large pieces, and stops at the first that is wrong.
 *
 * Used by recovery, by truncation and for the rebuilding of indexes and producer states. Bytes
 * are not trusted: a declared length is believed only as far as the file goes.
 */
import { BATCH_BYTES_LIMIT } from "@strandline/model";
import type { Crc32c, FileHandle } from "@strandline/platform";
import {
  BATCH_HEADER_BYTES,
  baseOffset,
  batchBytes,
  batchProblem,
  lastOffsetDelta,
  leaderEpoch,
  magic,
} from "@strandline/record";
import { PIECE_BYTES } from "./log-options.js";

export interface WalkRange {
  /** Position of a batch. */
  readonly from: number;
  /** Bytes of the file to walk, from its start. */
  readonly to: number;
  /** No batch may begin before this offset. */
  readonly fromOffset: number;
  /** How closely to look. Without it only headers are read, and bodies are skipped. */
  readonly check?: WalkCheck | undefined;
  /** Largest piece read at once, unless one batch is larger. Bytes. */
  readonly pieceBytes?: number | undefined;
  /**
   * Waited for after each piece whose batches were shown. What was shown of it may be used until
   * then: the next piece takes its place in memory.
   */
  readonly onPiece?: (() => Promise<void>) | undefined;
}

export interface WalkCheck {
  readonly crc32c: Crc32c;
  /** No batch may have a lower leader epoch, nor a lower one than a batch before it. */
  readonly epochMin: number;
  /**
   * Offsets may be left out between batches. Else each batch begins at the very offset that is
   * due, the first at `fromOffset`: no checksum covers the offset, so this is its only check.
   */
  readonly hasGaps: boolean;
  /**
   * Writes the good batches back to where they were read. A sync that failed once may have left
   * bytes in the page cache that the system takes for written: only what is written again is sure
   * to reach the disk with the next sync.
   */
  readonly rewrites?: boolean | undefined;
}

/** Sees one batch: its header is in `bytes` from `at`. Returns false to stop before it. */
export type BatchVisitor = (
  bytes: Uint8Array,
  at: number,
  batch: { readonly position: number; readonly sizeBytes: number },
) => boolean;

export interface WalkEnd {
  /** Where the walk stopped: the end of the range, or the batch that stopped it. */
  readonly position: number;
  /** Offset after the last batch that was seen. */
  readonly nextOffset: number;
  /** What is wrong with the batch at `position`; undefined at the end, or when asked to stop. */
  readonly problem: string | undefined;
}

export async function walkBatches(
  handle: FileHandle,
  range: WalkRange,
  visit: BatchVisitor,
): Promise<WalkEnd> {
  return await new Walk(handle, range, visit).run();
}

class Walk {
  readonly #handle: FileHandle;
  readonly #range: WalkRange;
  readonly #visit: BatchVisitor;
  #buffer: Uint8Array;
  #position: number;
  #nextOffset: number;
  #epoch: number;
  #problem: string | undefined;
  #isStopped = false;

  constructor(handle: FileHandle, range: WalkRange, visit: BatchVisitor) {
    this.#handle = handle;
    this.#range = range;
    this.#visit = visit;
    const { pieceBytes = PIECE_BYTES } = range;
    this.#buffer = new Uint8Array(Math.min(pieceBytes, Math.max(0, range.to - range.from)));
    this.#position = range.from;
    this.#nextOffset = range.fromOffset;
    this.#epoch = range.check?.epochMin ?? -1;
  }

  async run(): Promise<WalkEnd> {
    let wantedBytes = BATCH_HEADER_BYTES;
    while (this.#position < this.#range.to && !this.#isStopped) {
      const piece = await this.#read(wantedBytes);
      const start = this.#position;
      wantedBytes = this.#walkPiece(piece);
      const goodBytes = this.#position - start;
      if (this.#range.check?.rewrites === true && goodBytes > 0) {
        await this.#handle.write([piece.subarray(0, goodBytes)], start);
      }
      if (goodBytes > 0) await this.#range.onPiece?.();
    }
    const problem = this.#problem;
    return { position: this.#position, nextOffset: this.#nextOffset, problem };
  }

  /** Bytes from the current position: at least `wantedBytes`, unless the range or file ends. */
  async #read(wantedBytes: number): Promise<Uint8Array> {
    const left = this.#range.to - this.#position;
    if (wantedBytes > this.#buffer.length) {
      this.#buffer = new Uint8Array(Math.min(wantedBytes, left));
    }
    const target = this.#buffer.subarray(0, Math.min(this.#buffer.length, left));
    const count = await this.#handle.read(target, this.#position);
    return target.subarray(0, count);
  }

  /** Visits what is whole in the piece; returns how many bytes the next piece must have. */
  #walkPiece(piece: Uint8Array): number {
    let at = 0;
    while (at < piece.length) {
      const wanted = this.#missingBytes(piece, at);
      if (this.#isStopped) return 0;
      if (wanted > 0) {
        // Asking again for what was already asked for would go on for ever.
        if (at > 0) return wanted;
        if (wanted <= this.#buffer.length) this.#stop("the file ends inside a batch");
        return wanted;
      }
      const sizeBytes = batchBytes(piece, at);
      const batch = { position: this.#position, sizeBytes };
      if (!this.#visit(piece, at, batch)) {
        this.#isStopped = true;
        return 0;
      }
      this.#nextOffset = baseOffset(piece, at) + lastOffsetDelta(piece, at) + 1;
      this.#epoch = leaderEpoch(piece, at);
      this.#position += sizeBytes;
      at += sizeBytes;
    }
    if (piece.length === 0) this.#stop("the file is shorter than it was");
    return BATCH_HEADER_BYTES;
  }

  /** 0 when the batch at `at` can be judged and is good; else the bytes needed to judge it. */
  #missingBytes(piece: Uint8Array, at: number): number {
    const available = piece.length - at;
    const left = this.#range.to - this.#position;
    if (available < BATCH_HEADER_BYTES) {
      if (left < BATCH_HEADER_BYTES) this.#stop("the file ends inside a batch header");
      return BATCH_HEADER_BYTES;
    }
    const header = headerProblem(piece, at);
    if (header !== undefined) return this.#stop(header);
    const sizeBytes = batchBytes(piece, at);
    if (sizeBytes > left) return this.#stop("the file ends inside a batch");
    const { check } = this.#range;
    const base = baseOffset(piece, at);
    if (base < this.#nextOffset || (check?.hasGaps === false && base > this.#nextOffset)) {
      return this.#stop(`offset ${base} stands where ${this.#nextOffset} is due`);
    }
    if (check === undefined) return 0;
    if (leaderEpoch(piece, at) < this.#epoch) {
      return this.#stop(`epoch ${leaderEpoch(piece, at)} stands after ${this.#epoch}`);
    }
    if (sizeBytes > available) return sizeBytes;
    const problem = batchProblem(piece, at, at + sizeBytes, check.crc32c);
    return problem === undefined ? 0 : this.#stop(problem.message);
  }

  #stop(problem: string): number {
    this.#isStopped = true;
    this.#problem = problem;
    return 0;
  }
}

/** What is wrong with the batch at `at` by its header alone; all of the header is there. */
export function headerProblem(bytes: Uint8Array, at: number): string | undefined {
  const sizeBytes = batchBytes(bytes, at);
  if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > BATCH_BYTES_LIMIT) {
    return `no batch has ${sizeBytes} bytes`;
  }
  if (magic(bytes, at) !== 2) return `format version ${magic(bytes, at)} is not in use`;
  const base = baseOffset(bytes, at);
  if (!(base >= 0 && base <= Number.MAX_SAFE_INTEGER)) return "the base offset is out of range";
  const delta = lastOffsetDelta(bytes, at);
  if (delta < 0 || base + delta >= Number.MAX_SAFE_INTEGER) {
    return "the last offset is out of range";
  }
  return undefined;
}
