/** A line of progress on standard error: only at a terminal, and never in the way of data. */
export class Progress {
  readonly #total: number | undefined;
  readonly #isShown: boolean;
  readonly #startedAtMs = performance.now();
  #shownAtMs = 0;
  #bytes = 0;
  #records = 0;

  /** `totalBytes` is undefined when the end is not known. */
  constructor(totalBytes: number | undefined, isShown: boolean) {
    this.#total = totalBytes;
    this.#isShown = isShown;
  }

  add(records: number, bytes: number): void {
    this.#records += records;
    this.#bytes += bytes;
    if (!this.#isShown) return;
    const nowMs = performance.now();
    if (nowMs - this.#shownAtMs < 100) return;
    this.#shownAtMs = nowMs;
    process.stderr.write(`\r\u001b[K${this.#line()}`);
  }

  /** Clears the line, and returns what was done as a sentence. */
  finish(verb: string): string {
    if (this.#isShown) process.stderr.write("\r\u001b[K");
    const seconds = (performance.now() - this.#startedAtMs) / 1_000;
    const rate = Math.round(this.#records / Math.max(seconds, 0.001));
    return `${verb} ${this.#records} records, ${size(this.#bytes)} in ${seconds.toFixed(2)} s (${rate} records/s)`;
  }

  #line(): string {
    const done = `${this.#records} records, ${size(this.#bytes)}`;
    if (this.#total === undefined || this.#total === 0) return done;
    const share = Math.min(1, this.#bytes / this.#total);
    const filled = Math.round(share * 30);
    return `[${"#".repeat(filled)}${"-".repeat(30 - filled)}] ${Math.round(share * 100)} %  ${done}`;
  }
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
