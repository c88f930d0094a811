/** What one producer sent, by sequence number, and where each record was acknowledged. */
import { GrowingArray } from "./growing-array.mjs";

const NOT_ACKNOWLEDGED = -1;

export class SentRecords {
  acknowledgedCount = 0;
  #partitions = new GrowingArray(Uint16Array);
  #fingerprints = new GrowingArray(Uint32Array);
  #offsets = new GrowingArray(Float64Array);

  /** The next sequence number, and how many there are. */
  get length() {
    return this.#partitions.length;
  }

  /** Must come before the record leaves: somebody may read it before its sender hears of it. */
  add(partition, fingerprint) {
    this.#partitions.push(partition);
    this.#fingerprints.push(fingerprint);
    this.#offsets.push(NOT_ACKNOWLEDGED);
  }

  acknowledge(sequence, offset) {
    this.#offsets.set(sequence, offset);
    this.acknowledgedCount += 1;
  }

  partition(sequence) {
    return this.#partitions.at(sequence);
  }

  fingerprint(sequence) {
    return this.#fingerprints.at(sequence);
  }

  /** Undefined when the record was not acknowledged: then it may be there or not. */
  offset(sequence) {
    const offset = this.#offsets.at(sequence);
    return offset === NOT_ACKNOWLEDGED ? undefined : offset;
  }
}
