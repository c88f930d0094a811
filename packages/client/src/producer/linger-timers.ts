/**
 * Calls back when a batch has waited for more records long enough. One timer per queue that runs
 * on while batches come and go: setting one per batch would cost more than it tells.
 */
import type { Timer } from "@strandline/platform";
import type { ClientPorts } from "../ports.js";
import { raise } from "../waits.js";
import type { PartitionQueue } from "./partition-queue.js";

/** A timer may fire this much early by the other clock. */
const TOLERANCE_MS = 0.5;

export class LingerTimers {
  readonly #ports: ClientPorts;
  readonly #lingerMs: number;
  readonly #onDue: (queue: PartitionQueue) => void;
  readonly #timers = new Map<PartitionQueue, Timer>();
  /** With no linger at all: queues whose batch goes when the current turn of the loop ends. */
  #dueThisTurn: Set<PartitionQueue> | undefined;
  #isClosed = false;

  constructor(ports: ClientPorts, lingerMs: number, onDue: (queue: PartitionQueue) => void) {
    this.#ports = ports;
    this.#lingerMs = lingerMs;
    this.#onDue = onDue;
  }

  /** A batch was opened in `queue`. */
  start(queue: PartitionQueue): void {
    if (this.#lingerMs === 0) {
      this.#endOfTurn(queue);
    } else if (!this.#timers.has(queue)) {
      this.#set(queue, this.#lingerMs);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #set(queue: PartitionQueue, delayMs: number): void {
    this.#timers.set(
      queue,
      this.#ports.timers.after(delayMs, () => this.#fired(queue)),
    );
  }

  #fired(queue: PartitionQueue): void {
    this.#timers.delete(queue);
    const open = queue.openBatch;
    if (open === undefined) return;
    const leftMs = open.createdMs + this.#lingerMs - this.#ports.clock.monotonicMs();
    if (leftMs > TOLERANCE_MS) this.#set(queue, Math.ceil(leftMs));
    else this.#onDue(queue);
  }

  #endOfTurn(queue: PartitionQueue): void {
    if (this.#dueThisTurn !== undefined) {
      this.#dueThisTurn.add(queue);
      return;
    }
    const due = new Set([queue]);
    this.#dueThisTurn = due;
    Promise.resolve()
      .then(() => {
        this.#dueThisTurn = undefined;
        if (!this.#isClosed) for (const each of due) this.#onDue(each);
      })
      .catch((error: unknown) => raise(this.#ports.timers, error));
  }
}
