/** Time that a test moves. */
import type { Clock, Timer, Timers } from "@strandline/platform";

/** Turns of the loop after which nothing more happens without time. */
const QUIET_ROUNDS = 5;

interface Alarm {
  readonly atMs: number;
  readonly ring: () => void;
}

export class HandTime implements Clock, Timers {
  nowMs = 0;
  readonly #alarms = new Set<Alarm>();

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs;
  }

  after(delayMs: number, ring: () => void): Timer {
    const alarm = { atMs: this.nowMs + delayMs, ring };
    this.#alarms.add(alarm);
    return { cancel: () => this.#alarms.delete(alarm) };
  }

  async pass(durationMs: number, between: () => void): Promise<void> {
    const untilMs = this.nowMs + durationMs;
    let quietRounds = 0;
    while (quietRounds < QUIET_ROUNDS) {
      between();
      await new Promise((resolve) => setImmediate(resolve));
      const due = [...this.#alarms].filter(({ atMs }) => atMs <= untilMs);
      const [next] = due.sort((one, other) => one.atMs - other.atMs);
      quietRounds = next === undefined ? quietRounds + 1 : 0;
      if (next === undefined) continue;
      this.#alarms.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.ring();
    }
    this.nowMs = untilMs;
  }
}
