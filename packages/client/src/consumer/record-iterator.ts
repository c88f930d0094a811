/**
 * The async iterator behind `for await`. Written out rather than as an async generator: what is
 * there already is handed out without another turn of the loop.
 */
export interface IterationSource<Item> {
  /** The next item if one is there. May throw. */
  readonly take: () => Item | undefined;
  /** True when no more items come. Throws when the caller gave up. */
  readonly isOver: () => boolean;
  /** Resolves when it is worth looking again. */
  readonly changed: () => Promise<void>;
  /** Makes everybody look again. */
  readonly wake: () => void;
}

export class RecordIterator<Item> implements AsyncIterableIterator<Item> {
  readonly #source: IterationSource<Item>;
  readonly #signal: AbortSignal | undefined;
  #isEnded = false;

  constructor(source: IterationSource<Item>, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#signal = signal;
    // Wakes whoever waits; `isOver` then throws.
    signal?.addEventListener("abort", source.wake, { once: true });
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    try {
      const result = this.#look();
      return result === undefined ? this.#wait() : Promise.resolve(result);
    } catch (error) {
      this.#end();
      return Promise.reject(error);
    }
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#end();
    this.#source.wake();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #wait(): Promise<IteratorResult<Item, undefined>> {
    try {
      for (;;) {
        await this.#source.changed();
        const result = this.#look();
        if (result !== undefined) return result;
      }
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** Undefined when nothing is there yet. */
  #look(): IteratorResult<Item, undefined> | undefined {
    if (this.#isEnded || this.#source.isOver()) {
      this.#end();
      return { done: true, value: undefined };
    }
    const value = this.#source.take();
    if (value !== undefined) return { done: false, value };
    // Taking may have stepped over the last bytes without finding a record in them.
    if (!this.#source.isOver()) return undefined;
    this.#end();
    return { done: true, value: undefined };
  }

  #end(): void {
    this.#isEnded = true;
    this.#signal?.removeEventListener("abort", this.#source.wake);
  }
}
