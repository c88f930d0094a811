/**
 * Those who wait until this broker leads a set of partitions: told once, at the moment it does.
 * What is still missing is asked for again only when the metadata changes.
 */
import type { Timers } from "@strandline/platform";

interface Waiter {
  readonly notLed: () => readonly string[];
  readonly missing: Set<string>;
  readonly done: (isLeading: boolean) => void;
}

export class LeadingWaiters {
  readonly #timers: Timers;
  readonly #waiters = new Set<Waiter>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Resolves with true once `notLed` names nothing any more, with false after `timeoutMs`. */
  async until(notLed: () => readonly string[], timeoutMs: number): Promise<boolean> {
    const missing = new Set(notLed());
    if (missing.size === 0) return true;
    return await new Promise<boolean>((resolve) => {
      const waiter: Waiter = {
        notLed,
        missing,
        done: (isLeading) => {
          timer.cancel();
          this.#waiters.delete(waiter);
          resolve(isLeading);
        },
      };
      const timer = this.#timers.after(timeoutMs, () => waiter.done(false));
      this.#waiters.add(waiter);
    });
  }

  /** Nobody will lead here any more. */
  close(): void {
    for (const waiter of [...this.#waiters]) waiter.done(false);
  }

  /** The leadership over the partition `key` has begun. */
  led(key: string): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.missing.delete(key) && waiter.missing.size === 0) waiter.done(true);
    }
  }

  /** Leaderships may have gone to other brokers, or come here. */
  metadataChanged(): void {
    for (const waiter of [...this.#waiters]) {
      waiter.missing.clear();
      for (const key of waiter.notLed()) waiter.missing.add(key);
      if (waiter.missing.size === 0) waiter.done(true);
    }
  }
}
