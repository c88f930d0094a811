/** Removes files some time after they left the log; what is left over is swept at open. */
import type { FileSystem, Logger, Timer, Timers } from "@strandline/platform";
import { asError } from "./log-writer.js";

export class DelayedRemovals {
  readonly #ports: {
    readonly fileSystem: FileSystem;
    readonly timers: Timers;
    readonly logger: Logger;
  };
  readonly #delayMs: () => number;
  readonly #waiting = new Map<string, Timer>();
  readonly #running = new Set<Promise<void>>();

  constructor(
    ports: {
      readonly fileSystem: FileSystem;
      readonly timers: Timers;
      readonly logger: Logger;
    },
    delayMs: () => number,
  ) {
    this.#ports = ports;
    this.#delayMs = delayMs;
  }

  add(path: string): void {
    this.#waiting.get(path)?.cancel();
    const timer = this.#ports.timers.after(this.#delayMs(), () => {
      this.#waiting.delete(path);
      const removal = this.#remove(path).finally(() => this.#running.delete(removal));
      this.#running.add(removal);
    });
    this.#waiting.set(path, timer);
  }

  /** Gives up what waits; resolves when nothing runs. */
  async close(): Promise<void> {
    for (const timer of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
    await Promise.all(this.#running);
  }

  async #remove(path: string): Promise<void> {
    try {
      await this.#ports.fileSystem.remove(path);
    } catch (error) {
      this.#ports.logger.warn({ path, error: asError(error).message }, "could not remove a file");
    }
  }
}
