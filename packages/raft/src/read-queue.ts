/**
 * Reads that wait for a leader to be sure that it still is one.
 *
 * Reads are gathered into numbered rounds. A heartbeat carries the number of the latest round; once
 * a majority has answered that number (or a later one), the leader was leader when the round
 * began, and the commit index of that moment is a linearizable read index for all of it.
 */
import { assert } from "@strandline/model";

export interface ReadRequest {
  readonly context: number;
  /** The node whose caller asked. */
  readonly from: number;
}

export interface ReadRound {
  readonly round: number;
  readonly index: number;
  readonly requests: readonly ReadRequest[];
}

export class ReadQueue {
  #waiting: ReadRequest[] = [];
  #rounds: ReadRound[] = [];
  #round = 0;

  /** Number of the latest round; 0 when there was none in this term. */
  get round(): number {
    return this.#round;
  }

  /** True when reads wait for a round of their own. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  ask(request: ReadRequest): void {
    this.#waiting.push(request);
  }

  /** Begins a round for everything that waits. `commit` is the leader's commit index now. */
  begin(commit: number): void {
    assert(this.isWaiting, "a round has reads");
    this.#round += 1;
    this.#rounds.push({ round: this.#round, index: commit, requests: this.#waiting });
    this.#waiting = [];
  }

  /** Takes out the rounds up to `round`, which a majority confirmed. */
  release(round: number): readonly ReadRound[] {
    const confirmed = this.#rounds.filter((one) => one.round <= round);
    this.#rounds = this.#rounds.filter((one) => one.round > round);
    return confirmed;
  }

  /** The leadership is over: whoever waits asks the next leader. */
  clear(): void {
    this.#waiting = [];
    this.#rounds = [];
    this.#round = 0;
  }
}
