/**
 * Runs asynchronous tasks one after the other. Transitions of one partition go through one queue,
 * so that two of them never interleave; the hot path never waits here.
 */
export class SerialQueue {
  #tail: Promise<void> = Promise.resolve();
  #depth = 0;
  readonly #onError: (error: unknown) => void;

  /** `onError` receives what a task threw; the queue goes on with the next task. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** True while a task runs or waits. */
  get isBusy(): boolean {
    return this.#depth > 0;
  }

  /** Appends a task. The promise resolves once it has ended, however it ended. */
  run(task: () => Promise<void>): Promise<void> {
    this.#depth += 1;
    this.#tail = this.#tail.then(task).then(
      () => {
        this.#depth -= 1;
      },
      (error: unknown) => {
        this.#depth -= 1;
        this.#onError(error);
      },
    );
    return this.#tail;
  }
}
