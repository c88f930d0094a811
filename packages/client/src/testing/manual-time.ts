/** A clock that stands still until a test moves it, and the timers that go by it. */
import type { Clock, Timer, Timers } from "@strandline/platform";

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

const WALL_START_MS = 1_700_000_000_000;

export class ManualTime implements Clock, Timers {
  #nowMs = 0;
  #order = 0;
  readonly #entries = new Set<Entry>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return WALL_START_MS + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    if (!(delayMs >= 0)) throw new Error(`a delay of ${delayMs} ms`);
    const entry: Entry = { atMs: this.#nowMs + delayMs, order: this.#order++, callback };
    this.#entries.add(entry);
    return { cancel: () => this.#entries.delete(entry) };
  }

  /** Timers that wait. */
  get pendingCount(): number {
    return this.#entries.size;
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves on, timer by timer, and lets promises run in between. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.atMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#entries.delete(next);
      next.callback();
      await this.settle();
    }
    this.#nowMs = untilMs;
  }

  /** Moves on until the promise is settled, at most `msMax`. */
  async until<Value>(promise: Promise<Value>, msMax = 600_000): Promise<Value> {
    let isSettled = false;
    const done = (): void => {
      isSettled = true;
    };
    promise.then(done, done);
    const untilMs = this.#nowMs + msMax;
    await this.settle();
    while (!isSettled) {
      const next = this.#next();
      if (next === undefined) throw new Error("nothing is left that could settle the promise");
      if (next.atMs > untilMs) throw new Error(`not settled within ${msMax} ms`);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#entries.delete(next);
      next.callback();
      await this.settle();
    }
    return await promise;
  }

  #next(): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of this.#entries) {
      const isEarlier =
        next === undefined ||
        entry.atMs < next.atMs ||
        (entry.atMs === next.atMs && entry.order < next.order);
      if (isEarlier) next = entry;
    }
    return next;
  }
}
