/**
 * The log as raft sees it: one snapshot, and every entry after it, in memory.
 *
 * Four positions, in this order unless a snapshot is being installed:
 * `applied <= commit <= lastIndex` and `stable <= lastIndex`; what is committed is never truncated.
 * Entries past `stable` are not durable here yet. Nothing in this file knows of roles.
 */
import { assert } from "@strandline/model";
import type { Entry, Snapshot } from "./messages.js";
import { decodeVoters, VoterHistory } from "./voters.js";

/** Counted per entry besides its data when a message is filled: index, term, type, framing. */
const ENTRY_OVERHEAD_BYTES = 24;

export interface LogOptions {
  readonly snapshot: Snapshot;
  readonly entries: readonly Entry[];
  readonly commit: number;
  readonly applied: number;
}

export class LogView {
  #snapshot: Snapshot;
  /** Received and not yet durable; it replaces the whole log on disk. */
  #pendingSnapshot: Snapshot | undefined;
  /** Consecutive, the first one follows the snapshot. */
  #entries: Entry[] = [];
  #voters: VoterHistory;
  #stable: number;
  #commit: number;
  #applied: number;

  constructor(options: LogOptions) {
    const { snapshot } = options;
    this.#snapshot = snapshot;
    this.#voters = new VoterHistory(snapshot.index, snapshot.voters);
    // A snapshot is durable before the entries below it are deleted: some may still be there.
    for (const entry of options.entries) if (entry.index > snapshot.index) this.#push(entry);
    this.#stable = this.lastIndex;
    this.#applied = Math.max(options.applied, snapshot.index);
    this.#commit = Math.max(options.commit, this.#applied);
    assert(this.#commit <= this.lastIndex, "what was committed is in the restored log");
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get pendingSnapshot(): Snapshot | undefined {
    return this.#pendingSnapshot;
  }

  get lastIndex(): number {
    return this.#snapshot.index + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.#snapshot.term;
  }

  /** Highest index that is durable here. */
  get stable(): number {
    return this.#stable;
  }

  get commit(): number {
    return this.#commit;
  }

  get applied(): number {
    return this.#applied;
  }

  /** The configuration in force: the latest appended one. */
  get voters(): readonly number[] {
    return this.#voters.latest.voters;
  }

  /** Index of the entry that brought the configuration in force. */
  get votersIndex(): number {
    return this.#voters.latest.index;
  }

  /** The configuration at `index`. */
  votersAt(index: number): readonly number[] {
    return this.#voters.at(index);
  }

  /** Term of the entry at `index`; undefined where the log has none (or has it no more). */
  termAt(index: number): number | undefined {
    if (index === this.#snapshot.index) return this.#snapshot.term;
    return this.#entries[index - this.#snapshot.index - 1]?.term;
  }

  /** Raft's comparison of logs: may the owner of a log that ends there lead us? */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    if (lastTerm !== this.lastTerm) return lastTerm > this.lastTerm;
    return lastIndex >= this.lastIndex;
  }

  /** Entries from `from` on, at least one if there is any, then as many as fit. */
  slice(from: number, bytesMax: number): readonly Entry[] {
    assert(from > this.#snapshot.index, "entries below the snapshot are gone");
    const first = from - this.#snapshot.index - 1;
    let sizeBytes = 0;
    let end = first;
    for (; end < this.#entries.length; end += 1) {
      sizeBytes += ENTRY_OVERHEAD_BYTES + (this.#entries[end]?.data.length ?? 0);
      if (sizeBytes > bytesMax && end > first) break;
    }
    return this.#entries.slice(first, end);
  }

  /** Entries not yet durable here. */
  unstable(): readonly Entry[] {
    return this.#entries.slice(this.#stable - this.#snapshot.index);
  }

  /** Entries committed and not yet applied. */
  unapplied(): readonly Entry[] {
    const base = this.#snapshot.index;
    return this.#entries.slice(Math.max(0, this.#applied - base), Math.max(0, this.#commit - base));
  }

  /** A leader adds one entry at the end of its own log. */
  append(entry: Entry): void {
    assert(entry.term >= this.lastTerm, "terms never go back along the log");
    this.#push(entry);
  }

  /**
   * A follower takes over what a leader sent. Returns the last index at which both now agree, or
   * undefined when this log does not hold `prevIndex` at `prevTerm`.
   */
  takeOver(prevIndex: number, prevTerm: number, entries: readonly Entry[]): number | undefined {
    const lastNew = prevIndex + entries.length;
    // Below the commit index the logs are equal anyway, whatever the snapshot has swallowed.
    if (lastNew <= this.#commit) return this.#commit;
    const term = this.termAt(prevIndex);
    if (prevIndex > this.#commit && term !== prevTerm) return undefined;
    assert(term === prevTerm || prevIndex < this.#snapshot.index, "committed logs are equal");
    for (const entry of entries) {
      if (entry.index <= this.#snapshot.index || this.termAt(entry.index) === entry.term) continue;
      if (entry.index <= this.lastIndex) this.#truncateFrom(entry.index);
      this.#push(entry);
    }
    return lastNew;
  }

  /**
   * Where two logs can agree at best: the largest index up to `index` whose term is at most `term`.
   * A follower says it of its own log, a leader then of its own with the follower's answer: a whole
   * term is skipped for each exchange.
   */
  agreementAt(index: number, term: number): { index: number; term: number } {
    let at = Math.min(index, this.lastIndex);
    while (at > this.#snapshot.index && (this.termAt(at) ?? 0) > term) at -= 1;
    return { index: at, term: this.termAt(at) ?? 0 };
  }

  /** Moves the commit index up, never down. Returns whether it moved. */
  commitTo(index: number): boolean {
    if (index <= this.#commit) return false;
    assert(index <= this.lastIndex, "only what the log holds is committed");
    this.#commit = index;
    return true;
  }

  /** Entries of a `Ready` are durable now. Some may have been truncated meanwhile. */
  markStable(entries: readonly Entry[]): void {
    const kept = entries.findLast((entry) => this.termAt(entry.index) === entry.term);
    if (kept !== undefined) this.#stable = Math.max(this.#stable, kept.index);
  }

  markApplied(index: number): void {
    assert(index <= this.#commit, "only what is committed is applied");
    this.#applied = Math.max(this.#applied, index);
  }

  /** A leader's snapshot takes the place of the whole log. */
  install(snapshot: Snapshot): void {
    assert(snapshot.index > this.#commit, "a snapshot brings only what is not committed here");
    this.#snapshot = snapshot;
    this.#pendingSnapshot = snapshot;
    this.#entries = [];
    this.#voters = new VoterHistory(snapshot.index, snapshot.voters);
    this.#commit = snapshot.index;
    this.#stable = snapshot.index;
  }

  /** The snapshot of a `Ready` is durable and applied. A newer one may have come meanwhile. */
  markInstalled(snapshot: Snapshot): void {
    if (this.#pendingSnapshot === snapshot) this.#pendingSnapshot = undefined;
    this.markApplied(snapshot.index);
  }

  /** Drops the entries that `snapshot` stands for. An older snapshot than ours is ignored. */
  compact(snapshot: Snapshot): void {
    if (snapshot.index <= this.#snapshot.index) return;
    assert(snapshot.index <= this.#applied, "only what is applied is in a snapshot");
    assert(snapshot.index <= this.#stable, "what is applied is durable");
    assert(
      snapshot.term === this.termAt(snapshot.index),
      "a snapshot carries the term of its index",
    );
    this.#entries = this.#entries.slice(snapshot.index - this.#snapshot.index);
    this.#voters.compactTo(snapshot.index);
    this.#snapshot = snapshot;
  }

  #push(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, "entries are consecutive");
    this.#entries.push(entry);
    if (entry.type !== "configuration") return;
    const voters = decodeVoters(entry.data);
    assert(voters !== undefined, "a configuration entry holds a voter list");
    this.#voters.add(entry.index, voters);
  }

  #truncateFrom(index: number): void {
    assert(index > this.#commit, "what is committed is never truncated");
    this.#entries.length = index - this.#snapshot.index - 1;
    this.#stable = Math.min(this.#stable, index - 1);
    this.#voters.truncateFrom(index);
  }
}
