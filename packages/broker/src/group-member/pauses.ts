/** Waits that end early: when somebody has news, or when all is over. */
import type { Timers } from "@strandline/platform";

/** All is over: whoever waited has nothing more to do. */
export class Closed extends Error {
  override readonly name = "Closed";
}

export interface Pause {
  readonly promise: Promise<void>;
  readonly cancel: () => void;
}

export class Pauses {
  readonly #timers: Timers;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<() => void>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Aborts when all is over. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Resolves after the delay, or when somebody has news. Throws Closed. */
  async wait(delayMs: number): Promise<void> {
    this.refuseClosed();
    const pause = this.delay(delayMs);
    this.#waiting.add(pause.cancel);
    await pause.promise;
    this.#waiting.delete(pause.cancel);
    this.refuseClosed();
  }

  /** Resolves after the delay, or once it is cancelled; nothing else ends it. */
  delay(delayMs: number): Pause {
    let cancel = (): void => {};
    const promise = new Promise<void>((resolve) => {
      const timer = this.#timers.after(delayMs, resolve);
      cancel = () => {
        timer.cancel();
        resolve();
      };
    });
    return { promise, cancel };
  }

  /** There is news. */
  wake(): void {
    for (const waker of [...this.#waiting]) waker();
  }

  close(): void {
    this.#closing.abort();
    this.wake();
  }

  refuseClosed(): void {
    if (this.isClosed) throw new Closed();
  }
}
