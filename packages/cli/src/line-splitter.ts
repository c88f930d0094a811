/** Cuts a stream of bytes at a separator, without decoding it. */
export class LineSplitter {
  readonly #separator: Buffer;
  readonly #onLine: (line: Buffer) => void;
  #rest: Buffer[] = [];

  constructor(separator: Uint8Array, onLine: (line: Buffer) => void) {
    this.#separator = Buffer.from(separator);
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#rest.length > 0) {
      // A separator of several bytes may be cut in two: look at the join as well.
      const isWhole = this.#separator.length > 1 || chunk.includes(this.#separator);
      if (!isWhole) {
        this.#rest.push(chunk);
        return;
      }
      bytes = Buffer.concat([...this.#rest, chunk]);
      this.#rest = [];
    }
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(this.#separator, from);
      if (at < 0) break;
      this.#onLine(bytes.subarray(from, at));
      from = at + this.#separator.length;
    }
    if (from < bytes.length) this.#rest.push(bytes.subarray(from));
  }

  /** The last line needs no separator after it. */
  end(): void {
    if (this.#rest.length === 0) return;
    const line = Buffer.concat(this.#rest);
    this.#rest = [];
    this.#onLine(line);
  }
}
