/**
 * What one log must hold: every batch that was appended and not cut since, what was promised to be
 * durable, and where the log may begin. It outlives the processes that write the log.
 */

export interface ModelBatch {
  readonly baseOffset: number;
  /** Exclusive. */
  readonly endOffset: number;
  readonly checksum: number;
}

export class LogModel {
  #batches: ModelBatch[] = [];
  /** Everything below was told to be durable. */
  #promisedEnd = 0;
  #promisedStart = 0;
  /** A deletion up to here was begun; how far it got is open until the log says so. */
  #attemptedStart = 0;
  /** Where a truncation that is under way cuts: nothing above is promised before its end. */
  #truncatingTo: number | undefined;
  #appendedCount = 0;

  get endOffset(): number {
    return Math.max(this.#batches.at(-1)?.endOffset ?? 0, this.#promisedStart);
  }

  /** Batches appended so far, cut ones included. */
  get appendedCount(): number {
    return this.#appendedCount;
  }

  appended(batch: ModelBatch): void {
    this.#batches.push(batch);
    this.#appendedCount++;
  }

  promised(endOffset: number): void {
    this.#promisedEnd = Math.min(endOffset, this.#truncatingTo ?? endOffset);
  }

  /** From here on a truncation to `offset` may have happened. */
  truncationBegins(offset: number): void {
    this.#truncatingTo = this.#endAtMost(offset);
    this.#promisedEnd = Math.min(this.#promisedEnd, this.#truncatingTo);
  }

  /** It has: returns what is wrong with the end it led to. */
  truncationEnds(offset: number, endOffset: number): string | undefined {
    const expected = this.#endAtMost(offset);
    this.#truncatingTo = undefined;
    this.#cutTo(endOffset);
    if (endOffset === expected) return undefined;
    return `a truncation to ${offset} ended at ${endOffset}, not at ${expected}`;
  }

  deletionBegins(offset: number): void {
    this.#attemptedStart = Math.max(this.#attemptedStart, offset);
  }

  deletionEnds(offset: number): void {
    this.#promisedStart = Math.max(this.#promisedStart, offset);
  }

  /** A process opened the log: returns what is wrong with the range it found, and takes it over. */
  opened(startOffset: number, endOffset: number): string | undefined {
    const range = `the log was opened as [${startOffset}, ${endOffset})`;
    this.#truncatingTo = undefined;
    if (endOffset < this.#promisedEnd) {
      return `${range}, though everything below ${this.#promisedEnd} was durable`;
    }
    if (endOffset > this.endOffset) return `${range}, though it ended at ${this.endOffset}`;
    if (startOffset < this.#promisedStart) {
      return `${range}, though everything below ${this.#promisedStart} was deleted`;
    }
    if (startOffset > this.#attemptedStart) {
      return `${range}, though nothing above ${this.#attemptedStart} was to be deleted`;
    }
    this.#promisedStart = startOffset;
    this.#attemptedStart = startOffset;
    this.#cutTo(endOffset);
    return this.endOffset === endOffset || endOffset === startOffset
      ? undefined
      : `${range}, which ends inside a batch`;
  }

  /** Returns what is wrong with batches that were read from `fromOffset` on. */
  readProblem(fromOffset: number, found: readonly ModelBatch[]): string | undefined {
    let at = this.#batches.findIndex((batch) => batch.endOffset > fromOffset);
    for (const batch of found) {
      const expected = at < 0 ? undefined : this.#batches[at++];
      if (expected?.baseOffset === batch.baseOffset && expected.checksum === batch.checksum)
        continue;
      const what = expected === undefined ? "nothing" : `a batch at ${expected.baseOffset}`;
      return `a read from ${fromOffset} found a batch at ${batch.baseOffset} instead of ${what}, or other content`;
    }
    return undefined;
  }

  /** Where a log ends that is cut at `offset`: a batch goes as a whole, and none begins before it. */
  #endAtMost(offset: number): number {
    const kept = this.#batches.filter((batch) => batch.endOffset <= offset);
    return Math.max(kept.at(-1)?.endOffset ?? 0, this.#promisedStart);
  }

  #cutTo(endOffset: number): void {
    this.#batches = this.#batches.filter((batch) => batch.endOffset <= endOffset);
    this.#promisedEnd = Math.min(this.#promisedEnd, endOffset);
  }
}
