/** The machine's clock and timers. */
import type { Clock, Timer, Timers } from "../ports/clock.js";

export const nodeClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

export const nodeTimers: Timers = {
  after(delayMs: number, callback: () => void): Timer {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
