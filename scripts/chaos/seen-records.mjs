/**
 * What one partition holds, by offset, as whoever read an offset first saw it; and at which offsets
 * a later reading saw something else, or nothing.
 */
import { GrowingArray } from "./growing-array.mjs";

/** Stored one higher, so that 0 says "nobody has read this offset". */
const SHIFT = 1;

export class SeenRecords {
  #producers = new GrowingArray(Uint16Array);
  #sequences = new GrowingArray(Uint32Array);
  #fingerprints = new GrowingArray(Uint32Array);
  #broken = new Set();
  #goneFrom = Number.POSITIVE_INFINITY;

  /** One more than the highest offset that was read. */
  get endOffset() {
    return this.#producers.length;
  }

  has(offset) {
    return (this.#producers.at(offset) ?? 0) !== 0;
  }

  set(offset, { producer, sequence, fingerprint }) {
    this.#producers.set(offset, producer + SHIFT);
    this.#sequences.set(offset, sequence);
    this.#fingerprints.set(offset, fingerprint);
  }

  producer(offset) {
    return this.#producers.at(offset) - SHIFT;
  }

  sequence(offset) {
    return this.#sequences.at(offset);
  }

  fingerprint(offset) {
    return this.#fingerprints.at(offset);
  }

  /** Whether this record lies at the offset. */
  holds(offset, producer, sequence) {
    return (
      this.has(offset) && this.producer(offset) === producer && this.sequence(offset) === sequence
    );
  }

  isSame(offset, { producer, sequence, fingerprint }) {
    return this.holds(offset, producer, sequence) && this.fingerprint(offset) === fingerprint;
  }

  /** Some reading found another record here. Tells whether that is news. */
  markBroken(offset) {
    if (this.isBroken(offset)) return false;
    this.#broken.add(offset);
    return true;
  }

  /** Some reading ended before this offset. */
  markGoneFrom(offset) {
    this.#goneFrom = Math.min(this.#goneFrom, offset);
  }

  isBroken(offset) {
    return offset >= this.#goneFrom || this.#broken.has(offset);
  }
}
