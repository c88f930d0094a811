/**
 * Which leader epoch wrote which part of a log: one entry per epoch that wrote anything.
 *
 * Truncation rests on it. Two logs that hold the same epoch at the same offset hold the same
 * records up to there, so comparing epochs finds where they part; comparing high watermarks does
 * not. The log that owns it persists it, and cuts it together with itself.
 */

/** The first offset that `epoch` wrote in this log. */
export interface EpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}

/** Where the records of an epoch, and of all before it, end in a log. */
export interface EpochEnd {
  readonly epoch: number;
  readonly endOffset: number;
}

const NONE: EpochEnd = { epoch: -1, endOffset: -1 };

export class LeaderEpochs {
  /** Both columns strictly increasing. Replaced, never mutated: a reader may keep what it got. */
  #entries: readonly EpochEntry[] = [];

  /** `entries` may come from a disk: whatever contradicts a later entry is left out. */
  constructor(entries: readonly EpochEntry[] = []) {
    for (const entry of entries) this.assign(entry.epoch, entry.startOffset);
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries;
  }

  /** Epoch of the last record; -1 when no epoch is known. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1;
  }

  /**
   * Notes that a batch of `epoch` begins at `startOffset`. Returns whether anything changed, so
   * that the caller persists only then.
   */
  assign(epoch: number, startOffset: number): boolean {
    if (epoch < 0 || epoch === this.latest) return false;
    // An epoch that wrote nothing has no entry; an entry that a later batch contradicts is wrong.
    const kept = this.#entries.filter(
      (entry) => entry.epoch < epoch && entry.startOffset < startOffset,
    );
    this.#entries = [...kept, { epoch, startOffset }];
    return true;
  }

  /**
   * Returns the largest known epoch that is not above `epoch`, and where it ends here.
   *
   * When all known epochs are above `epoch`, whatever it wrote ended before the first of them, so
   * that is the answer, under the epoch asked for. {-1, -1} would tell a follower to drop its
   * whole log, also what is committed, only because retention removed the old epochs here.
   */
  endOffsetOf(epoch: number, logEndOffset: number): EpochEnd {
    if (epoch < 0) return NONE;
    let known = epoch;
    for (const entry of this.#entries) {
      if (entry.epoch > epoch) return { epoch: known, endOffset: entry.startOffset };
      known = entry.epoch;
    }
    return { epoch: known, endOffset: logEndOffset };
  }

  /** The log now ends at `offset`. Returns whether anything changed. */
  truncateFromEnd(offset: number): boolean {
    const kept = this.#entries.filter((entry) => entry.startOffset < offset);
    if (kept.length === this.#entries.length) return false;
    this.#entries = kept;
    return true;
  }

  /** The log now starts at `offset`, which some epoch still covers. Returns whether it changed. */
  truncateFromStart(offset: number): boolean {
    const covering = this.#entries.findLastIndex((entry) => entry.startOffset <= offset);
    const first = this.#entries[covering];
    if (first === undefined || (covering === 0 && first.startOffset === offset)) return false;
    this.#entries = [
      { epoch: first.epoch, startOffset: offset },
      ...this.#entries.slice(covering + 1),
    ];
    return true;
  }
}
