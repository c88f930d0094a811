/**
 * Moments at which something happens unless it is called off before. Thousands of sessions are
 * put off by every heartbeat: so a deadline that moves later stays where it is in the heap, and is
 * put back when it comes up too early.
 */

/** Something that happens once, at its time. */
export class Deadline<Argument> {
  readonly #deadlines: Deadlines<Argument>;
  readonly #happen: (argument: Argument) => void;
  #atMs: number | undefined;

  constructor(deadlines: Deadlines<Argument>, happen: (argument: Argument) => void) {
    this.#deadlines = deadlines;
    this.#happen = happen;
  }

  /** When it happens; undefined while it does not. */
  get atMs(): number | undefined {
    return this.#atMs;
  }

  /** Happens at `atMs`, and at no other time that was set before. */
  set(atMs: number): void {
    this.#atMs = atMs;
    this.#deadlines.enter(this, atMs);
  }

  cancel(): void {
    this.#atMs = undefined;
  }

  happen(argument: Argument): void {
    this.#atMs = undefined;
    this.#happen(argument);
  }
}

interface Entry<Argument> {
  readonly deadline: Deadline<Argument>;
  readonly atMs: number;
  /** Of two deadlines at one moment, the one that was entered first comes first. */
  readonly order: number;
}

export class Deadlines<Argument> {
  /** A binary heap: nobody is earlier than the one above it. */
  readonly #heap: Entry<Argument>[] = [];
  /** The earliest entry of each deadline; what else of it is in the heap is void. */
  readonly #entries = new Map<Deadline<Argument>, Entry<Argument>>();
  #order = 0;

  make(happen: (argument: Argument) => void): Deadline<Argument> {
    return new Deadline(this, happen);
  }

  /** The next moment at which there may be something to do. */
  get nextMs(): number | undefined {
    this.#dropVoid();
    return this.#heap[0]?.atMs;
  }

  /** Lets everything happen whose time has come, the earliest first. */
  pass(nowMs: number, argument: Argument): void {
    for (;;) {
      this.#dropVoid();
      const entry = this.#heap[0];
      if (entry === undefined || entry.atMs > nowMs) return;
      this.#pop();
      this.#entries.delete(entry.deadline);
      const atMs = entry.deadline.atMs as number;
      if (atMs > nowMs) this.enter(entry.deadline, atMs);
      else entry.deadline.happen(argument);
    }
  }

  /** For Deadline alone. */
  enter(deadline: Deadline<Argument>, atMs: number): void {
    const entered = this.#entries.get(deadline);
    if (entered !== undefined && entered.atMs <= atMs) return;
    const entry = { deadline, atMs, order: this.#order++ };
    this.#entries.set(deadline, entry);
    this.#push(entry);
  }

  /** Drops from the top what was cancelled, or entered again with an earlier time. */
  #dropVoid(): void {
    for (;;) {
      const entry = this.#heap[0];
      if (entry === undefined) return;
      const isCurrent = this.#entries.get(entry.deadline) === entry;
      if (isCurrent && entry.deadline.atMs !== undefined) return;
      if (isCurrent) this.#entries.delete(entry.deadline);
      this.#pop();
    }
  }

  #push(entry: Entry<Argument>): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above] as Entry<Argument>;
      if (!isBefore(entry, other)) break;
      heap[at] = other;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const entry = heap.pop() as Entry<Argument>;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      const below = this.#earlierBelow(at);
      const other = heap[below];
      if (other === undefined || !isBefore(other, entry)) break;
      heap[at] = other;
      at = below;
    }
    heap[at] = entry;
  }

  #earlierBelow(at: number): number {
    const left = this.#heap[2 * at + 1];
    const right = this.#heap[2 * at + 2];
    const isRight = left !== undefined && right !== undefined && isBefore(right, left);
    return isRight ? 2 * at + 2 : 2 * at + 1;
  }
}

function isBefore<Argument>(one: Entry<Argument>, other: Entry<Argument>): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
