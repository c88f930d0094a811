/**
 * What a leader knows of one other node's log. The transitions are methods of this class, so that
 * the three ways of sending cannot be mixed:
 *
 * - probe: the agreement point is unknown; one append at a time, until one is answered.
 * - replicate: it is known; appends are pipelined, up to `inflightMax` unanswered ones.
 * - snapshot: the node needs what the log no longer has; nothing is sent until it has it.
 *
 * Invariant: `matchIndex < next`. `matchIndex` never goes back: it is what the node made durable.
 */
import { assert } from "@strandline/model";

export type ProgressState = "probe" | "replicate" | "snapshot";

export class Progress {
  readonly #inflightMax: number;
  /** Last index of each unanswered append, ascending. Used by "replicate" only. */
  #inflight: number[] = [];
  #state: ProgressState = "probe";
  #matchIndex = 0;
  #next: number;
  /** A probe went out and neither it nor a heartbeat was answered since. */
  #isProbeSent = false;
  #snapshotIndex = 0;
  #snapshotTicks = 0;

  /** Highest commit index put on a message to it. May have been lost: heartbeats repeat it. */
  sentCommit = 0;
  /** Ticks since anything of the current term came from it. */
  silentTicks = 0;
  /** The latest read round it confirmed. */
  readRound = 0;
  /** True for a voter that is removed; it is fed until it knows. */
  isLeaving = false;

  constructor(next: number, inflightMax: number) {
    assert(next >= 1, "the log starts at 1");
    this.#next = next;
    this.#inflightMax = inflightMax;
  }

  get state(): ProgressState {
    return this.#state;
  }

  /** Highest index known to be durable there and equal to ours. */
  get matchIndex(): number {
    return this.#matchIndex;
  }

  /** Index of the next entry to send. */
  get next(): number {
    return this.#next;
  }

  /** True while nothing may be sent: an answer has to come first. */
  get isPaused(): boolean {
    if (this.#state === "replicate") return this.#inflight.length >= this.#inflightMax;
    return this.#state === "snapshot" || this.#isProbeSent;
  }

  /** An append that ends at `lastIndex` went out; `entryCount` may be 0. */
  noteSent(lastIndex: number, entryCount: number): void {
    assert(!this.isPaused, "nothing is sent to a paused node");
    if (this.#state === "probe") {
      this.#isProbeSent = true;
    } else if (entryCount > 0) {
      assert(lastIndex === this.#next + entryCount - 1, "appends are sent in order");
      this.#next = lastIndex + 1;
      this.#inflight.push(lastIndex);
    }
  }

  /** The node holds our log up to `index`. Returns whether that is news. */
  accept(index: number): boolean {
    const isNews = index > this.#matchIndex;
    if (isNews) this.#matchIndex = index;
    this.#next = Math.max(this.#next, index + 1);
    this.#inflight = this.#inflight.filter((last) => last > index);
    // Not only on news: a probe without entries may confirm what was known before.
    if (this.#state === "probe" && index === this.#matchIndex) this.#replicate();
    // Also when the node got there by entries: what the log still has follows it.
    if (this.#state === "snapshot" && index >= this.#snapshotIndex) this.#replicate();
    return isNews;
  }

  /** The append after `prevIndex` was refused; agreement is at `hintIndex` at best. */
  refuse(prevIndex: number, hintIndex: number): void {
    if (this.#state === "snapshot") return;
    if (this.#state === "replicate") {
      // The node has confirmed that index since: an old refusal, overtaken by an answer.
      if (prevIndex <= this.#matchIndex) return;
      this.probe();
      return;
    }
    // In "probe" one append is out, so a refusal of any other is old.
    if (prevIndex !== this.#next - 1) return;
    this.#next = Math.max(Math.min(prevIndex, hintIndex + 1), this.#matchIndex + 1);
    this.#isProbeSent = false;
  }

  /** Messages may have been lost: find the agreement point again, from what is certain. */
  probe(): void {
    this.#isProbeSent = false;
    // Nothing certain yet: the guess at hand is better than starting at the first entry.
    if (this.#state === "probe") return;
    this.#state = "probe";
    this.#next = this.#matchIndex + 1;
    this.#inflight = [];
  }

  /** It answered a heartbeat: whatever probe is out may be repeated. */
  resume(): void {
    this.#isProbeSent = false;
  }

  /** The snapshot at `index` is on its way. */
  installing(index: number): void {
    assert(index >= this.#next - 1, "a snapshot is sent for what the log lacks");
    this.#state = "snapshot";
    this.#inflight = [];
    this.#snapshotIndex = index;
    this.#snapshotTicks = 0;
  }

  /** The shell reports how sending the snapshot went. */
  snapshotReported(ok: boolean): void {
    if (this.#state !== "snapshot") return;
    const installed = this.#snapshotIndex;
    this.probe();
    // Sent is not yet confirmed; probing right after it costs one refusal if it got lost.
    if (ok) this.#next = Math.max(this.#next, installed + 1);
    // The next heartbeat's answer releases it: the node is busy installing, or was unreachable.
    this.#isProbeSent = true;
  }

  /** A snapshot that got no answer for `ticksMax` is taken for lost, and sent again. */
  tick(ticksMax: number): void {
    this.silentTicks += 1;
    if (this.#state !== "snapshot") return;
    this.#snapshotTicks += 1;
    if (this.#snapshotTicks >= ticksMax) this.probe();
  }

  #replicate(): void {
    this.#state = "replicate";
    this.#next = this.#matchIndex + 1;
    this.#inflight = [];
    this.#isProbeSent = false;
  }
}
