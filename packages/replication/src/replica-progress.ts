/**
 * How far one incarnation of a follower has come, as its leader knows it.
 *
 * "Caught up at" is Kafka's notion: the last moment of which the follower is known to have had
 * everything the leader had then. A follower that is steadily a little behind is caught up, one
 * that falls further and further behind is not.
 */
import type { BrokerEpoch } from "@strandline/model";

/** How far behind, in time, a follower may be that others wait for although it is no member. It is
 * also how long they wait for one that falls silent just then. */
const CLOSING_IN_MS_MAX = 1_000;

export interface ProgressStart {
  readonly brokerEpoch: BrokerEpoch;
  /** The leader's log end now: once the follower has that, it was caught up now. */
  readonly logEndOffset: number;
  /** Monotonic milliseconds. The past of an earlier incarnation, or now. */
  readonly caughtUpAtMs: number;
  readonly nowMs: number;
}

export class ReplicaProgress {
  /** The incarnation; -1 while it is not known. Another one has a progress of its own. */
  readonly brokerEpoch: BrokerEpoch;
  /** Nothing is believed before the first acknowledgement to this leadership. */
  #durableEndOffset = 0;
  #caughtUpAtMs: number;
  #heardAtMs: number;
  /**
   * The leader's log end at one moment of the past. It stays until it is reached: a mark that
   * moved with every acknowledgement would run ahead of a follower under steady load for ever.
   */
  #markOffset: number;
  #markAtMs: number;
  /** False while "caught up at" is only what this incarnation was credited with. */
  #hasReachedMark = false;

  constructor(start: ProgressStart) {
    this.brokerEpoch = start.brokerEpoch;
    this.#caughtUpAtMs = start.caughtUpAtMs;
    this.#heardAtMs = start.nowMs;
    this.#markOffset = start.logEndOffset;
    this.#markAtMs = start.nowMs;
  }

  /** Exclusive. May go back: the follower knows its disk better than the leader does. */
  get durableEndOffset(): number {
    return this.#durableEndOffset;
  }

  get caughtUpAtMs(): number {
    return this.#caughtUpAtMs;
  }

  acknowledged(durableEndOffset: number, logEndOffset: number, nowMs: number): void {
    this.#durableEndOffset = durableEndOffset;
    this.#heardAtMs = nowMs;
    if (durableEndOffset >= this.#markOffset) {
      this.#hasReachedMark = true;
      this.#caughtUpAtMs = Math.max(this.#caughtUpAtMs, this.#markAtMs);
      this.#markOffset = logEndOffset;
      this.#markAtMs = nowMs;
    }
    this.ticked(logEndOffset, nowMs);
  }

  /** Who lacks nothing is caught up at any time, also while there is nothing to acknowledge. */
  ticked(logEndOffset: number, nowMs: number): void {
    if (this.#durableEndOffset >= logEndOffset) this.#caughtUpAtMs = nowMs;
  }

  /** It was taken in although it may lack much: it has the full time to catch up. */
  joined(nowMs: number): void {
    this.#caughtUpAtMs = nowMs;
  }

  /** The leader slept for that long and cannot hold the time against its followers. */
  forgive(silentMs: number, nowMs: number): void {
    this.#caughtUpAtMs = Math.min(nowMs, this.#caughtUpAtMs + silentMs);
    this.#markAtMs = Math.min(nowMs, this.#markAtMs + silentMs);
    this.#heardAtMs = Math.min(nowMs, this.#heardAtMs + silentMs);
  }

  isLagging(nowMs: number, replicaLagMsMax: number): boolean {
    return nowMs - this.#caughtUpAtMs > replicaLagMsMax;
  }

  /** So close that a moment's patience lets it have everything. Proved, not credited. */
  isClosingIn(nowMs: number): boolean {
    return this.#hasReachedMark && nowMs - this.#caughtUpAtMs <= CLOSING_IN_MS_MAX;
  }

  /** Behind for too long, and nothing was heard of it either. */
  isLost(nowMs: number, replicaLagMsMax: number): boolean {
    return this.isLagging(nowMs, replicaLagMsMax) && nowMs - this.#heardAtMs > replicaLagMsMax;
  }
}
