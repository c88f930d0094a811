/** Who waits for records: one promise for one record, or one for many. */
import { deferred } from "../deferred.js";
import type { DeliverySink, SendResult } from "./producer-record.js";

/** One record, one promise. */
export class PromiseSink implements DeliverySink {
  readonly promise: Promise<SendResult>;
  #resolve: ((result: SendResult) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  delivered(result: SendResult): void {
    this.#resolve?.(result);
  }

  failed(error: Error): void {
    this.#reject?.(error);
  }
}

/** Many records, one promise: settled when all are, with the results in the records' order. */
export class GroupDelivery {
  readonly #results: SendResult[] = [];
  readonly #all = deferred<void>();
  #count = 0;
  #openCount = 0;
  #isComplete = false;
  /** The failure of the earliest record that failed. */
  #failure: { readonly index: number; readonly error: Error } | undefined;

  /** The sink of the next record. */
  next(): DeliverySink {
    const index = this.#count++;
    this.#openCount++;
    return {
      delivered: (result) => {
        this.#results[index] = result;
        this.#settledOne();
      },
      failed: (error) => {
        if (this.#failure === undefined || index < this.#failure.index) {
          this.#failure = { index, error };
        }
        this.#settledOne();
      },
    };
  }

  /** The record whose sink was taken last was not sent, and none after it will be. */
  stop(error: Error): void {
    this.#failure ??= { index: this.#count, error };
    this.#openCount--;
  }

  /** The results, once no more records come and all are settled. */
  async finished(): Promise<readonly SendResult[]> {
    this.#isComplete = true;
    if (this.#openCount > 0) await this.#all.promise;
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#results;
  }

  #settledOne(): void {
    this.#openCount--;
    if (this.#isComplete && this.#openCount === 0) this.#all.resolve();
  }
}
