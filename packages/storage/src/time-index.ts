/**
 * Sparse map from timestamp to offset in one segment, in memory.
 *
 * An entry says: the largest timestamp so far is this, and it is the one of this offset. So every
 * record after that entry's batch and before the next entry has no larger timestamp than the next
 * entry's. Bytes on disk are Kafka's: big-endian int64 and an int32 offset relative to the base.
 */
import { assert, INT32_MAX } from "@strandline/model";
import { lowerBound } from "./offset-index.js";

export const TIME_ENTRY_BYTES = 12;

const INITIAL_ENTRIES = 32;

export class TimeIndex {
  readonly baseOffset: number;
  #timestamps = new Float64Array(0);
  #offsets = new Int32Array(0);
  #count = 0;

  constructor(baseOffset: number) {
    this.baseOffset = baseOffset;
  }

  get entryCount(): number {
    return this.#count;
  }

  /** Largest timestamp; -1 when there is no entry. */
  get lastTimestampMs(): number {
    return this.#count === 0 ? -1 : (this.#timestamps[this.#count - 1] as number);
  }

  /** Offset of the last entry; -1 when there is none. */
  get lastOffset(): number {
    return this.#count === 0 ? -1 : this.baseOffset + (this.#offsets[this.#count - 1] as number);
  }

  /**
   * Adds an entry unless the last one has the same or a larger timestamp, or offset: after a cut
   * and a crash, the largest timestamp that is remembered may be that of a record which went. It
   * is then too large, which only makes a lookup begin earlier.
   */
  append(timestampMs: number, offset: number): void {
    if (timestampMs <= this.lastTimestampMs || offset <= this.lastOffset) return;
    const relative = offset - this.baseOffset;
    assert(relative >= 0, "an index begins at its base offset");
    // Only behind a gap of that size; without the entry a lookup begins earlier.
    if (relative > INT32_MAX) return;
    if (this.#count === this.#offsets.length) this.#grow();
    this.#timestamps[this.#count] = timestampMs;
    this.#offsets[this.#count] = relative;
    this.#count += 1;
  }

  /** An offset before which no record has a timestamp of `timestampMs` or later. */
  offsetBefore(timestampMs: number): number {
    const index = lowerBound(this.#timestamps, this.#count, timestampMs);
    return index === 0 ? this.baseOffset : this.baseOffset + (this.#offsets[index - 1] as number);
  }

  /** Drops the entries at or after `offset`. */
  truncate(offset: number): void {
    this.#count = lowerBound(this.#offsets, this.#count, offset - this.baseOffset);
  }

  /** The entries from number `from` on, as they are stored. */
  encode(from = 0): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, this.#count - from) * TIME_ENTRY_BYTES);
    const view = new DataView(bytes.buffer);
    for (let index = from; index < this.#count; index++) {
      const at = (index - from) * TIME_ENTRY_BYTES;
      view.setBigInt64(at, BigInt(this.#timestamps[index] as number));
      view.setInt32(at + 8, this.#offsets[index] as number);
    }
    return bytes;
  }

  /** Reads a stored index of a segment that ends at `endOffset`; undefined when it cannot be one. */
  static decode(baseOffset: number, bytes: Uint8Array, endOffset: number): TimeIndex | undefined {
    if (bytes.length % TIME_ENTRY_BYTES !== 0) return undefined;
    const index = new TimeIndex(baseOffset);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += TIME_ENTRY_BYTES) {
      const timestamp = Number(view.getBigInt64(at));
      const offset = baseOffset + view.getInt32(at + 8);
      if (!Number.isSafeInteger(timestamp) || timestamp <= index.lastTimestampMs) return undefined;
      if (offset <= index.lastOffset || offset < baseOffset) return undefined;
      if (offset >= endOffset) break;
      index.append(timestamp, offset);
    }
    return index;
  }

  #grow(): void {
    const length = Math.max(INITIAL_ENTRIES, this.#offsets.length * 2);
    const timestamps = new Float64Array(length);
    const offsets = new Int32Array(length);
    timestamps.set(this.#timestamps);
    offsets.set(this.#offsets);
    this.#timestamps = timestamps;
    this.#offsets = offsets;
  }
}
