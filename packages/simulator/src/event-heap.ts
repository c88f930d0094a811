/** Events by time, and by the order of their scheduling among equals: a binary heap. */

/** Whose event it is. A dead owner's events are dropped, a paused one's are held back. */
export interface Owner {
  /** Stands for the owner's node in the trace. */
  readonly number: number;
  readonly state: "running" | "paused" | "dead";
  /** Events that came due during a pause, in order. */
  readonly held: SimEvent[];
}

export class SimEvent {
  timeUs: number;
  sequence: number;
  readonly owner: Owner | undefined;
  readonly kind: string;
  readonly detail: number;
  /** Undefined once cancelled or run. */
  run: (() => void) | undefined;

  constructor(fields: Pick<SimEvent, "timeUs" | "sequence" | "owner" | "kind" | "detail" | "run">) {
    this.timeUs = fields.timeUs;
    this.sequence = fields.sequence;
    this.owner = fields.owner;
    this.kind = fields.kind;
    this.detail = fields.detail;
    this.run = fields.run;
  }
}

/** Below this many cancelled events the heap is not worth rebuilding. */
const CANCELLED_MIN = 1024;

export class EventHeap {
  #events: SimEvent[] = [];
  #cancelledCount = 0;

  get size(): number {
    return this.#events.length;
  }

  /** The next event; it may be a cancelled one. */
  peek(): SimEvent | undefined {
    return this.#events[0];
  }

  push(event: SimEvent): void {
    this.#events.push(event);
    this.#rise(this.#events.length - 1);
  }

  pop(): SimEvent | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (last !== undefined && events.length > 0) {
      events[0] = last;
      this.#sink(0);
    }
    return first;
  }

  /** An event in here was cancelled. Deadlines mostly are: they must not pile up until due. */
  noteCancelled(): void {
    this.#cancelledCount++;
    if (this.#cancelledCount < CANCELLED_MIN) return;
    if (this.#cancelledCount * 2 < this.#events.length) return;
    this.#events = this.#events.filter((event) => event.run !== undefined);
    this.#cancelledCount = 0;
    for (let at = (this.#events.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  #rise(from: number): void {
    const events = this.#events;
    const event = events[from] as SimEvent;
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = events[parentAt] as SimEvent;
      if (!isBefore(event, parent)) break;
      events[at] = parent;
      at = parentAt;
    }
    events[at] = event;
  }

  #sink(from: number): void {
    const events = this.#events;
    const size = events.length;
    const event = events[from];
    if (event === undefined) return;
    let at = from;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= size) break;
      const right = events[childAt + 1];
      if (right !== undefined && isBefore(right, events[childAt] as SimEvent)) childAt++;
      const child = events[childAt] as SimEvent;
      if (!isBefore(child, event)) break;
      events[at] = child;
      at = childAt;
    }
    events[at] = event;
  }
}

function isBefore(one: SimEvent, other: SimEvent): boolean {
  return (
    one.timeUs < other.timeUs || (one.timeUs === other.timeUs && one.sequence < other.sequence)
  );
}
