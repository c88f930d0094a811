/** One timer that stands for many deadlines: it fires at the earliest that it was told of. */
import type { Clock, Timer, Timers } from "@strandline/platform";
import { delayUntil } from "./waits.js";

export class DeadlineTimer {
  readonly #ports: { readonly clock: Clock; readonly timers: Timers };
  readonly #onDue: () => void;
  #timer: Timer | undefined;
  #atMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(ports: { readonly clock: Clock; readonly timers: Timers }, onDue: () => void) {
    this.#ports = ports;
    this.#onDue = onDue;
  }

  /** Fires at `atMs` or before. Monotonic milliseconds. */
  arm(atMs: number): void {
    if (this.#isClosed || this.#atMs <= atMs) return;
    this.#timer?.cancel();
    this.#atMs = atMs;
    const delayMs = delayUntil(this.#ports.clock, atMs);
    this.#timer = this.#ports.timers.after(delayMs, () => {
      this.disarm();
      this.#onDue();
    });
  }

  /** Forgets every deadline. */
  disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#atMs = Number.POSITIVE_INFINITY;
  }

  close(): void {
    this.#isClosed = true;
    this.disarm();
  }
}
