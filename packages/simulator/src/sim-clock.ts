/** Clock and timers of one process in virtual time. */
import type { Clock, Timer, Timers } from "@strandline/platform";
import type { Incarnation } from "./incarnation.js";
import type { SimRandom } from "./random.js";

/** What the wall shows when a world begins: 2026-01-01T00:00:00Z. */
const WALL_START_MS = 1_767_225_600_000;

/** Largest wait of Node's timers; a longer one would fire at once. */
const DELAY_MS_MAX = 2_147_483_647;

/** Wait of Node's shortest timer. */
const DELAY_US_MIN = 1000;

/** The wall clock of one machine: it outlives processes, and faults move it. */
export interface WallClock {
  /** How far it is off. May be negative. */
  skewMs: number;
}

/** `monotonicMs` starts anywhere, anew in each process, so that nobody compares it across. */
export function simClock(incarnation: Incarnation, wall: WallClock, random: SimRandom): Clock {
  const startMs = random.below(10_000_000);
  const { scheduler } = incarnation;
  return {
    monotonicMs: () => startMs + scheduler.nowUs / 1000,
    wallMs: () => Math.floor(WALL_START_MS + wall.skewMs + scheduler.nowUs / 1000),
  };
}

/** How late timers are at most: what keeps two equal timeouts from firing in lockstep. */
export interface TimerSettings {
  timerLatenessUsMax: number;
}

export function simTimers(
  incarnation: Incarnation,
  settings: TimerSettings,
  random: SimRandom,
): Timers {
  const { scheduler } = incarnation;
  return {
    after(delayMs: number, callback: () => void): Timer {
      if (!incarnation.isAlive) return { cancel: () => undefined };
      const isLegal = delayMs <= DELAY_MS_MAX;
      if (!isLegal) incarnation.breach(`a timer of ${delayMs} ms would fire at once on Node`);
      const delayUs = isLegal ? Math.max(DELAY_US_MIN, Math.ceil(delayMs * 1000)) : DELAY_US_MIN;
      const lateUs = random.below(settings.timerLatenessUsMax + 1);
      const event = incarnation.schedule(delayUs + lateUs, { kind: "timer", run: callback });
      return { cancel: () => scheduler.cancel(event) };
    },
  };
}
