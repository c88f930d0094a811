/**
 * Tickets that wait until the log is committed (or durable) up to their end offset.
 *
 * Ordered by end offset, and by arrival where that is equal. Almost every ticket arrives in that
 * order; only a retried batch waits for an offset that lies further back.
 */

interface Waiter<T> {
  readonly endOffset: number;
  readonly ticket: T;
}

/** Released waiters in front of the queue are cut off once there are this many. */
const RELEASED_COUNT_MAX = 1_024;

export class CommitWaiters<T> {
  #waiters: Waiter<T>[] = [];
  /** Index of the first waiter not released: cutting the array each time would be quadratic. */
  #first = 0;

  get size(): number {
    return this.#waiters.length - this.#first;
  }

  /** Parks `ticket` until `endOffset` (exclusive) is reached. */
  add(endOffset: number, ticket: T): void {
    let at = this.#waiters.length;
    while (at > this.#first && (this.#waiters[at - 1]?.endOffset ?? 0) > endOffset) at -= 1;
    if (at === this.#waiters.length) this.#waiters.push({ endOffset, ticket });
    else this.#waiters.splice(at, 0, { endOffset, ticket });
  }

  /** Takes out, in order, the tickets whose end is not above `highWatermark`. */
  release(highWatermark: number): T[] {
    const released: T[] = [];
    let next = this.#waiters[this.#first];
    while (next !== undefined && next.endOffset <= highWatermark) {
      released.push(next.ticket);
      this.#first += 1;
      next = this.#waiters[this.#first];
    }
    this.#cut();
    return released;
  }

  /** Takes out, in order, the tickets that `isOver` is true for: those past their deadline. */
  removeWhere(isOver: (ticket: T) => boolean): T[] {
    const removed: T[] = [];
    const kept: Waiter<T>[] = [];
    for (let at = this.#first; at < this.#waiters.length; at += 1) {
      const waiter = this.#waiters[at] as Waiter<T>;
      if (isOver(waiter.ticket)) removed.push(waiter.ticket);
      else kept.push(waiter);
    }
    if (removed.length > 0) {
      this.#waiters = kept;
      this.#first = 0;
    }
    return removed;
  }

  /** Takes out all tickets, in order. */
  drain(): T[] {
    return this.release(Number.POSITIVE_INFINITY);
  }

  #cut(): void {
    if (this.#first === this.#waiters.length) {
      this.#waiters = [];
      this.#first = 0;
    } else if (this.#first >= RELEASED_COUNT_MAX && this.#first * 2 >= this.#waiters.length) {
      this.#waiters = this.#waiters.slice(this.#first);
      this.#first = 0;
    }
  }
}
