/** The iterations over one consumer. All of them wait for the same: that something has changed. */
import { type Deferred, deferred } from "../deferred.js";
import { abortedError } from "../errors.js";
import { RecordIterator } from "./record-iterator.js";

export class Iterations {
  readonly #isOver: () => boolean;
  #change: Deferred<void> | undefined;

  /** `isOver`: true when no more items come. Throws what whoever iterates has to be told. */
  constructor(isOver: () => boolean) {
    this.#isOver = isOver;
  }

  /** One more. `take` gives the next item if one is there, and may throw. */
  begin<Item>(
    take: () => Item | undefined,
    signal: AbortSignal | undefined,
  ): AsyncIterableIterator<Item> {
    const source = {
      take,
      isOver: () => {
        if (signal?.aborted === true) throw abortedError(signal);
        return this.#isOver();
      },
      changed: () => {
        this.#change ??= deferred();
        return this.#change.promise;
      },
      wake: () => this.wake(),
    };
    return new RecordIterator(source, signal);
  }

  /** Makes everybody look again. */
  wake(): void {
    this.#change?.resolve();
    this.#change = undefined;
  }
}
