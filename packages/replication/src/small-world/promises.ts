/** What three replicas promise, checked after every step of the small world and at its end. */
import type { Leader } from "../index.js";
import { type Entry, isSame, keyOf, type Replica, type State } from "./replica.js";

export class Promises {
  readonly findings: string[] = [];
  /** By offset, also what retention has deleted since. */
  readonly committed: Entry[] = [];
  /** Offset of each acknowledged record. */
  readonly acknowledged = new Map<number, number>();
  readonly #replicas: readonly Replica[];
  /** Sees only harm that is done, not the broken rule that leads to it. */
  readonly #judgesOutcomeOnly: boolean;

  constructor(replicas: readonly Replica[], options: { readonly judgesOutcomeOnly: boolean }) {
    this.#replicas = replicas;
    this.#judgesOutcomeOnly = options.judgesOutcomeOnly;
  }

  committedAt(replica: Replica, offset: number): void {
    const entry = replica.log[offset] as Entry;
    const known = this.committed[offset];
    if (known === undefined) this.committed[offset] = entry;
    else if (!isSame(known, entry)) {
      this.findings.push(`replica ${replica.id} has another committed record at ${offset}`);
    }
  }

  /** Everyone whom the controller may elect has everything that is committed. */
  advanced(replica: Replica, core: Leader, state: State): void {
    if (this.#judgesOutcomeOnly || state.leaderEpoch !== core.epoch) return;
    for (const id of state.isr) {
      if (!core.maximalIsr.includes(id)) this.findings.push(`${id} is in sync and not counted`);
    }
    for (const member of this.#replicas) {
      if (!core.maximalIsr.includes(member.id)) continue;
      if (member.durableEndOffset < replica.highWatermark) {
        this.findings.push(`high watermark above the durable end of ${member.id}`);
      }
    }
  }

  counted(state: State): void {
    if (this.#judgesOutcomeOnly) return;
    for (const replica of this.#replicas) {
      const { leader } = replica;
      if (leader === undefined || state.leaderEpoch !== leader.epoch) continue;
      for (const id of state.isr) {
        if (!leader.maximalIsr.includes(id)) this.findings.push(`${id} is in sync, not counted`);
      }
    }
  }

  calm(state: State): void {
    const { findings } = this;
    const leader = this.#replicas.find(({ id }) => id === state.leader);
    if (leader === undefined) {
      findings.push("nobody leads");
      return;
    }
    if (state.isr.length < 3) findings.push(`in sync are only ${state.isr}`);
    for (const replica of this.#replicas) {
      const lag = leader.logEndOffset - replica.highWatermark;
      if (lag > 30) findings.push(`${replica.id} is ${lag} behind`);
      for (const [offset, entry] of this.committed.entries()) {
        if (offset >= replica.highWatermark) break;
        if (isSame(entry, replica.log[offset] as Entry)) continue;
        findings.push(`replica ${replica.id} lost the committed record ${offset}`);
      }
    }
    const keys = this.committed.map(keyOf);
    if (new Set(keys).size < keys.length) findings.push("a record is there twice");
    for (const [key, offset] of this.acknowledged) {
      const entry = this.committed[offset];
      if (entry !== undefined && keyOf(entry) === key) continue;
      findings.push(`the acknowledged record ${key} is not at ${offset}`);
    }
  }
}
