/** What a log does after a while: checkpoints when it changed, and rest for segments unread. */
import type { Timer } from "@strandline/platform";
import type { LogContents } from "./log-contents.js";
import { CHECKPOINT_MS, SEGMENT_IDLE_MS } from "./log-options.js";
import { asError } from "./log-writer.js";

/** Checkpoints are due at multiples of this. */
const TOGETHER_MS = 100;

export class LogTimers {
  readonly #log: LogContents;
  readonly #checkpoint: () => Promise<void>;
  #checkpointTimer: Timer | undefined;
  /** When the checkpoint is due. Monotonic. */
  #checkpointDueMs = 0;
  #restTimer: Timer | undefined;

  constructor(log: LogContents, checkpoint: () => Promise<void>) {
    this.#log = log;
    this.#checkpoint = checkpoint;
  }

  /** A checkpoint within `delayMs`; one that is due earlier anyway is enough. */
  checkpointSoon(delayMs: number): void {
    const log = this.#log;
    if (this.#checkpointTimer !== undefined && delayMs >= CHECKPOINT_MS) return;
    if (log.isClosed || log.writer.failure !== undefined) return;
    const nowMs = log.ports.clock.monotonicMs();
    // Logs that changed at about the same time go into one write of the store.
    const dueMs = delayMs === 0 ? nowMs : Math.ceil((nowMs + delayMs) / TOGETHER_MS) * TOGETHER_MS;
    if (this.#checkpointTimer !== undefined) {
      if (dueMs >= this.#checkpointDueMs) return;
      this.#checkpointTimer.cancel();
    }
    this.#checkpointDueMs = dueMs;
    this.#checkpointTimer = log.ports.timers.after(dueMs - nowMs, () => this.#onCheckpointDue());
  }

  /** Closes, after a while, files and indexes of full segments that nobody reads. */
  restLater(): void {
    const log = this.#log;
    if (this.#restTimer !== undefined || log.isClosed) return;
    if (!log.segments.some((segment) => segment.isSealed && segment.isOpen)) return;
    this.#restTimer = log.ports.timers.after(SEGMENT_IDLE_MS, () => {
      this.#restTimer = undefined;
      const idleSinceMs = log.ports.clock.monotonicMs() - SEGMENT_IDLE_MS;
      for (const segment of log.segments) {
        const isIdle = segment.isSealed && segment.usedAtMs <= idleSinceMs;
        if (isIdle && !log.unsealed.includes(segment)) segment.rest();
      }
      this.restLater();
    });
  }

  close(): void {
    this.#checkpointTimer?.cancel();
    this.#restTimer?.cancel();
  }

  #onCheckpointDue(): void {
    const log = this.#log;
    this.#checkpointTimer = undefined;
    if (log.isClosed || log.writer.failure !== undefined) return;
    this.#checkpoint().then(
      () => this.restLater(),
      (error: unknown) => {
        if (log.isClosed || log.writer.failure !== undefined) return;
        log.ports.logger.warn(
          { directory: log.directory, error: asError(error).message },
          "could not checkpoint a log; recovery would begin earlier",
        );
        this.checkpointSoon(CHECKPOINT_MS);
      },
    );
  }
}
