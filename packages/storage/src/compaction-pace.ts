/**
 * Slows a compaction down: it works for a moment and then leaves the process and its disk to the
 * others for longer, however much there is to do.
 */
import type { Clock, Timer, Timers } from "@strandline/platform";

/** For each millisecond of work so many of rest: a fifth of the time at most is compaction's. */
const REST_PER_WORK = 4;
const REST_MS_MIN = 1;
/** A disk that hangs must not make a round endless. */
const REST_MS_MAX = 250;

export class CompactionPace {
  readonly #ports: { readonly clock: Clock; readonly timers: Timers };
  #workSinceMs: number;
  #timer: Timer | undefined;
  #resume: (() => void) | undefined;
  #isHurried = false;

  constructor(ports: { readonly clock: Clock; readonly timers: Timers }) {
    this.#ports = ports;
    this.#workSinceMs = ports.clock.monotonicMs();
  }

  /** Resolves when it is time to go on. */
  async pause(): Promise<void> {
    const { clock, timers } = this.#ports;
    const workMs = clock.monotonicMs() - this.#workSinceMs;
    const restMs = Math.min(Math.max(workMs * REST_PER_WORK, REST_MS_MIN), REST_MS_MAX);
    await new Promise<void>((resolve) => {
      if (this.#isHurried) {
        resolve();
        return;
      }
      this.#resume = resolve;
      this.#timer = timers.after(restMs, resolve);
    });
    this.#workSinceMs = clock.monotonicMs();
  }

  /** Rests no more: somebody waits for the end. */
  hurry(): void {
    this.#isHurried = true;
    this.#timer?.cancel();
    this.#resume?.();
  }
}
