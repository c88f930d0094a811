/** When each of a row of calls is due. It never waits for answers: latencies count from the plan. */
export class Plan {
  startMs;
  intervalMs;
  count;
  #next = 0;

  constructor({ startMs, perSecond, count }) {
    this.startMs = startMs;
    this.intervalMs = 1_000 / perSecond;
    this.count = count;
  }

  dueAtMs(index) {
    return this.startMs + index * this.intervalMs;
  }

  /** How many calls are made or to be made by now; those not taken before are `[from, to)`. */
  take(nowMs) {
    const from = this.#next;
    const due = Math.floor((nowMs - this.startMs) / this.intervalMs) + 1;
    this.#next = Math.min(this.count, Math.max(from, due));
    return { from, to: this.#next };
  }

  get isOver() {
    return this.#next >= this.count;
  }
}
