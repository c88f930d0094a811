/** Content of a file: bytes that grow, shrink, and read as zero where nothing was written. */

const CAPACITY_MIN = 512;

export class GrowingBytes {
  #bytes = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What is between `from` and `to`, at most up to the end: a view that the next write changes. */
  view(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(Math.min(from, this.#length), Math.min(to, this.#length));
  }

  write(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    if (end > this.#length) this.setLength(end);
    this.#bytes.set(bytes, position);
  }

  /** Zeroes `[from, to)`, as far as the content goes. */
  zero(from: number, to: number): void {
    this.#bytes.fill(0, Math.min(from, this.#length), Math.min(to, this.#length));
  }

  setLength(length: number): void {
    // Beyond the length the buffer holds zeros only, so that growing never shows old bytes.
    if (length < this.#length) this.#bytes.fill(0, length, this.#length);
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2, CAPACITY_MIN));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#length = length;
  }

  /** Becomes equal to `other`. */
  copyFrom(other: GrowingBytes): void {
    this.setLength(other.length);
    this.#bytes.set(other.view(0, other.length));
  }
}
