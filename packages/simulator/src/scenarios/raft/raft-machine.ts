/** The replicated state of the raft scenario: commands in order, each taking effect once. */
import type { Entry } from "@strandline/raft";
import type { ObservedRecord } from "../../observation.js";

export class RaftStateMachine {
  #records: ObservedRecord[] = [];
  #offsets = new Map<string, number>();
  #appliedIndex = 0;

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get records(): readonly ObservedRecord[] {
    return this.#records;
  }

  apply(entry: Entry): void {
    this.#appliedIndex = entry.index;
    if (entry.type !== "data" || entry.data.length === 0) return;
    const payload = Buffer.from(entry.data).toString();
    if (this.#offsets.has(payload)) return;
    const offset = this.#records.length;
    this.#records.push({ offset, epoch: entry.term, payload });
    this.#offsets.set(payload, offset);
  }

  /** Where a command took effect; undefined while it has not. */
  offsetOf(payload: string): number | undefined {
    return this.#offsets.get(payload);
  }

  snapshot(): Uint8Array {
    return Buffer.from(JSON.stringify(this.#records));
  }

  restore(data: Uint8Array, index: number): void {
    this.#records = JSON.parse(Buffer.from(data).toString()) as ObservedRecord[];
    this.#offsets = new Map(this.#records.map(({ payload, offset }) => [payload, offset]));
    this.#appliedIndex = index;
  }
}
