/**
 * Work that serves everybody who asked before it began: while it runs for a key, those who ask
 * wait for the next run, and share it. A sync of a directory is such work.
 */
export class SharedRuns {
  readonly #work: (key: string) => Promise<void>;
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  constructor(work: (key: string) => Promise<void>) {
    this.#work = work;
  }

  /** Ends as a run does that begins after this call. */
  run(key: string): Promise<void> {
    const running = this.#running.get(key);
    if (running === undefined) return this.#start(key);
    let next = this.#next.get(key);
    if (next === undefined) {
      const start = (): Promise<void> => {
        this.#next.delete(key);
        return this.#start(key);
      };
      next = running.then(start, start);
      this.#next.set(key, next);
    }
    return next;
  }

  #start(key: string): Promise<void> {
    const run = this.#work(key).finally(() => {
      if (this.#running.get(key) === run) this.#running.delete(key);
    });
    this.#running.set(key, run);
    return run;
  }
}
