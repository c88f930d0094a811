/** Waiting with an end: every wait here ends by its timer, or by the caller's signal. */
import type { Clock, Timer, Timers } from "@strandline/platform";
import { abortedError } from "./errors.js";

/**
 * Delay until a moment, in whole milliseconds, rounded up: a timer set for a fraction could fire a
 * rounding error early, find nothing due, and be set again for no time at all, for ever.
 */
export function delayUntil(clock: Clock, atMs: number): number {
  return Math.max(Math.ceil(atMs - clock.monotonicMs()), 0);
}

/** Resolves after `delayMs`; rejects with `ABORTED` when the signal fires first. */
export async function sleep(timers: Timers, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) throw abortedError(signal);
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      timer.cancel();
      if (signal !== undefined) reject(abortedError(signal));
    };
    const timer = timers.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** The same outcome as `promise`, or `ABORTED` once the signal fires. */
export async function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (signal === undefined) return await promise;
  if (signal.aborted) {
    // Its owner still hears of a failure; here nobody waits for it any more.
    promise.catch(() => undefined);
    throw abortedError(signal);
  }
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(abortedError(signal));
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
  }
}

/** Resolves when `promise` does or when the time is over; `ABORTED` once the signal fires. */
export async function resolvedWithin(
  promise: Promise<void>,
  timers: Timers,
  limit: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  let timer: Timer | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = timers.after(limit.timeoutMs, resolve);
  });
  try {
    await unlessAborted(Promise.race([promise, timeout]), limit.signal);
  } finally {
    timer?.cancel();
  }
}

/**
 * Throws outside of every promise. For what can only be a bug: it must stop the process, not end
 * as a rejection that nobody waits for.
 */
export function raise(timers: Timers, error: unknown): void {
  timers.after(0, () => {
    throw error;
  });
}

/** A signal that fires when any of the given ones does, and how to let go of them. */
export function anySignal(signals: readonly (AbortSignal | undefined)[]): {
  readonly signal: AbortSignal;
  readonly release: () => void;
} {
  const controller = new AbortController();
  const present = signals.filter((signal) => signal !== undefined);
  const onAbort = (event: Event): void => {
    controller.abort((event.target as AbortSignal).reason);
  };
  for (const signal of present) {
    if (signal.aborted) controller.abort(signal.reason);
    else signal.addEventListener("abort", onAbort, { once: true });
  }
  const release = (): void => {
    for (const signal of present) signal.removeEventListener("abort", onAbort);
  };
  return { signal: controller.signal, release };
}
