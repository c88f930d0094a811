/**
 * Records that cannot go into a batch yet, because their topic is not known or the buffer is full.
 * First come, first served; a record whose time is over or whose sender gave up leaves the line.
 */
import type { DeliverySink, ProducerRecord } from "./producer-record.js";

export interface WaitingRecord {
  readonly record: ProducerRecord;
  /** Room that it needs in the buffer, at most. */
  readonly bytes: number;
  readonly sink: DeliverySink | undefined;
  /** Monotonic. */
  readonly deadlineMs: number;
  /** True once it holds that room. */
  isReserved: boolean;
  /** Called when it leaves the line, however. */
  readonly onLeave: (() => void)[];
}

export class WaitingRecords {
  #records: WaitingRecord[] = [];
  /** Index of the first record still in line: taking from the front of a long array is slow. */
  #first = 0;

  get count(): number {
    return this.#records.length - this.#first;
  }

  get first(): WaitingRecord | undefined {
    return this.#records[this.#first];
  }

  get last(): WaitingRecord | undefined {
    return this.count === 0 ? undefined : this.#records[this.#records.length - 1];
  }

  push(waiting: WaitingRecord): void {
    this.#records.push(waiting);
  }

  /** Takes the first out of the line. */
  shift(): WaitingRecord | undefined {
    const waiting = this.#records[this.#first];
    if (waiting === undefined) return undefined;
    this.#first++;
    if (this.#first === this.#records.length) this.#clear();
    else if (this.#first >= 1024) {
      this.#records = this.#records.slice(this.#first);
      this.#first = 0;
    }
    leave(waiting);
    return waiting;
  }

  /** Takes one out, wherever it stands. False when it is not in line. */
  remove(waiting: WaitingRecord): boolean {
    const at = this.#records.indexOf(waiting, this.#first);
    if (at < 0) return false;
    this.#records.splice(at, 1);
    leave(waiting);
    return true;
  }

  /** Everybody in line, in order; a copy. */
  all(): readonly WaitingRecord[] {
    return this.#records.slice(this.#first);
  }

  /** The records without room, in order. */
  *unreserved(): Generator<WaitingRecord, void, undefined> {
    for (let at = this.#first; at < this.#records.length; at++) {
      const waiting = this.#records[at];
      if (waiting !== undefined && !waiting.isReserved) yield waiting;
    }
  }

  #clear(): void {
    this.#records = [];
    this.#first = 0;
  }
}

function leave(waiting: WaitingRecord): void {
  for (const callback of waiting.onLeave.splice(0)) callback();
}
