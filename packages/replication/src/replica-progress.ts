/**
 * How far one incarnation of a follower has come, as its leader knows it.
 *
 * "Caught up at" is Kafka's notion: the last moment of which the follower is known to have had
 * everything the leader had then. A follower that is steadily a little behind is caught up, one
 * that falls further and further behind is not.
 */
import type { BrokerEpoch } from "@strandline/model";

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

  /** Behind for too long, and nothing was heard of it either. */
  isLost(nowMs: number, replicaLagMsMax: number): boolean {
    return this.isLagging(nowMs, replicaLagMsMax) && nowMs - this.#heardAtMs > replicaLagMsMax;
  }
}
