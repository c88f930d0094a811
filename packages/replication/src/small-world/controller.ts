/**
 * The controller of the small world: fences, elects from the committed ISR, and compares and sets.
 * The last member of the ISR stays in it, dead or alive: nobody else may lead then.
 */
import type { BrokerEpoch, NodeId } from "@strandline/model";
import type { IsrAnswer } from "../index.js";
import type { Replica, State } from "./replica.js";

export interface Proposal {
  readonly epoch: number;
  readonly isr: readonly { readonly id: NodeId; readonly brokerEpoch: BrokerEpoch }[];
  readonly partitionEpoch: number;
}

export class Controller {
  state: State;
  readonly #replicas: readonly Replica[];
  readonly #marks: Set<string>;
  /** A planted fault: a leader that restarts goes on in its old epoch. */
  readonly #keepsEpoch: boolean;

  constructor(
    replicas: readonly Replica[],
    options: { readonly marks: Set<string>; readonly keepsEpoch: boolean },
  ) {
    this.#replicas = replicas;
    this.#marks = options.marks;
    this.#keepsEpoch = options.keepsEpoch;
    const isr = replicas.map(({ id }) => id);
    this.state = { leader: -1, leaderEpoch: 0, partitionEpoch: 0, isr, eligible: new Map() };
  }

  change(change: Partial<State>): void {
    const before = this.state;
    let { leader } = before;
    const isr = change.isr ?? before.isr;
    const eligible = change.eligible ?? before.eligible;
    const isNewIncarnation =
      eligible.get(leader as NodeId) !== before.eligible.get(leader as NodeId);
    const keepsEpoch = this.#keepsEpoch && eligible.has(leader as NodeId);
    if (leader !== -1 && (!isr.includes(leader) || (isNewIncarnation && !keepsEpoch))) leader = -1;
    if (leader === -1) leader = isr.find((id) => eligible.has(id)) ?? -1;
    const isElection = leader !== before.leader || (isNewIncarnation && !keepsEpoch);
    if (isElection) this.#marks.add("election");
    this.state = {
      leader,
      isr,
      eligible,
      leaderEpoch: before.leaderEpoch + (isElection ? 1 : 0),
      partitionEpoch: before.partitionEpoch + 1,
    };
    for (const replica of this.#replicas) if (replica.isUp) replica.news.push(this.state);
  }

  /** Without `id`, unless it is the last: then nobody else may lead until it is back. */
  isrWithout(id: NodeId): readonly NodeId[] {
    const others = this.state.isr.filter((member) => member !== id);
    return others.length > 0 ? others : this.state.isr;
  }

  fence(id: NodeId): void {
    const eligible = new Map(this.state.eligible);
    if (eligible.delete(id)) this.change({ eligible, isr: this.isrWithout(id) });
  }

  proposed(proposal: Proposal): IsrAnswer {
    const { leaderEpoch, partitionEpoch, eligible } = this.state;
    if (proposal.epoch !== leaderEpoch) return { kind: "refused", code: "FENCED_LEADER_EPOCH" };
    if (proposal.partitionEpoch !== partitionEpoch) {
      return { kind: "refused", code: "INVALID_UPDATE_VERSION" };
    }
    if (proposal.isr.some(({ id, brokerEpoch }) => eligible.get(id) !== brokerEpoch)) {
      return { kind: "refused", code: "INELIGIBLE_REPLICA" };
    }
    const isr = proposal.isr.map(({ id }) => id);
    this.#marks.add(isr.length > this.state.isr.length ? "expanded" : "shrunk or same");
    this.change({ isr });
    return { kind: "committed", isr, partitionEpoch: this.state.partitionEpoch };
  }
}
