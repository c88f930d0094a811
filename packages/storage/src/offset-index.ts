/**
 * Sparse map from offset to position in one segment's file, in memory.
 *
 * An entry names a batch: its last offset, and where the batch begins. Bytes on disk are Kafka's:
 * pairs of big-endian int32, the offset relative to the segment's base. The log is the truth: an
 * index that does not fit it is thrown away and rebuilt.
 */
import { assert, INT32_MAX } from "@strandline/model";

export const OFFSET_ENTRY_BYTES = 8;

const INITIAL_ENTRIES = 32;

export class OffsetIndex {
  readonly baseOffset: number;
  #offsets = new Int32Array(0);
  #positions = new Int32Array(0);
  #count = 0;

  constructor(baseOffset: number) {
    this.baseOffset = baseOffset;
  }

  get entryCount(): number {
    return this.#count;
  }

  /** Position of the last entry; 0 when there is none. */
  get lastPosition(): number {
    return this.#count === 0 ? 0 : (this.#positions[this.#count - 1] as number);
  }

  /** Offset of the last entry; -1 when there is none. */
  get lastOffset(): number {
    return this.#count === 0 ? -1 : this.baseOffset + (this.#offsets[this.#count - 1] as number);
  }

  /** Adds the batch at `position`, whose last offset is `offset`. Both grow from entry to entry. */
  append(offset: number, position: number): void {
    const relative = offset - this.baseOffset;
    assert(relative <= INT32_MAX && position <= INT32_MAX, "an index entry is two int32");
    assert(offset > this.lastOffset, "offsets of an index grow");
    assert(position > this.lastPosition, "positions of an index grow");
    if (this.#count === this.#offsets.length) this.#grow();
    this.#offsets[this.#count] = relative;
    this.#positions[this.#count] = position;
    this.#count += 1;
  }

  /** Position of a batch from which a walk forward finds `offset`; 0 is the segment's start. */
  positionBefore(offset: number): number {
    const index = lowerBound(this.#offsets, this.#count, offset - this.baseOffset);
    return index === 0 ? 0 : (this.#positions[index - 1] as number);
  }

  /** Last offset of the batch at an indexed `position`; undefined when there is no such entry. */
  offsetAt(position: number): number | undefined {
    const index = lowerBound(this.#positions, this.#count, position);
    if (index === this.#count || this.#positions[index] !== position) return undefined;
    return this.baseOffset + (this.#offsets[index] as number);
  }

  /** First indexed position after `position`; undefined when there is none. */
  positionAfter(position: number): number | undefined {
    const index = lowerBound(this.#positions, this.#count, position + 1);
    return index === this.#count ? undefined : this.#positions[index];
  }

  /** Last indexed position at or before `position`; 0 when there is none. */
  positionUpTo(position: number): number {
    const index = lowerBound(this.#positions, this.#count, position + 1);
    return index === 0 ? 0 : (this.#positions[index - 1] as number);
  }

  /** Drops the entries of batches at or after `position`. */
  truncate(position: number): void {
    this.#count = lowerBound(this.#positions, this.#count, position);
  }

  /** The entries from number `from` on, as they are stored. */
  encode(from = 0): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, this.#count - from) * OFFSET_ENTRY_BYTES);
    const view = new DataView(bytes.buffer);
    for (let index = from; index < this.#count; index++) {
      const at = (index - from) * OFFSET_ENTRY_BYTES;
      view.setInt32(at, this.#offsets[index] as number);
      view.setInt32(at + 4, this.#positions[index] as number);
    }
    return bytes;
  }

  /**
   * Reads a stored index of a log file of `logBytes`; undefined when it cannot be one: entries
   * that do not grow or point outside of the file. A file ahead of the log is cut to it.
   */
  static decode(baseOffset: number, bytes: Uint8Array, logBytes: number): OffsetIndex | undefined {
    if (bytes.length % OFFSET_ENTRY_BYTES !== 0) return undefined;
    const index = new OffsetIndex(baseOffset);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += OFFSET_ENTRY_BYTES) {
      const offset = baseOffset + view.getInt32(at);
      const position = view.getInt32(at + 4);
      if (offset <= index.lastOffset || offset < baseOffset) return undefined;
      if (position <= index.lastPosition) return undefined;
      if (position >= logBytes) break;
      index.append(offset, position);
    }
    return index;
  }

  #grow(): void {
    const length = Math.max(INITIAL_ENTRIES, this.#offsets.length * 2);
    const offsets = new Int32Array(length);
    const positions = new Int32Array(length);
    offsets.set(this.#offsets);
    positions.set(this.#positions);
    this.#offsets = offsets;
    this.#positions = positions;
  }
}

/** Index of the first of `count` ascending numbers that is not below `value`. */
export function lowerBound(
  numbers: Int32Array | Float64Array | readonly number[],
  count: number,
  value: number,
): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
