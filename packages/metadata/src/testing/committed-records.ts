/**
 * For tests: who holds every committed record, while leaders act on metadata they have not quite
 * caught up with. The worst is assumed of everything that the protocol leaves open: a record is
 * committed as soon as the leader may believe so, and nobody holds it who did not have to.
 *
 * One topic, one partition. Brokers run on when they are fenced: only a restart ends a leadership
 * that its broker does not know to be over.
 */
import {
  type LeaderEpoch,
  type NodeId,
  nodeId,
  type PartitionEpoch,
  type TopicId,
} from "@strandline/model";
import { decide } from "../command.js";
import type { AlterPartitionCommand } from "../commands/alter-partition.js";
import { effectiveInSyncMin, inSyncReplicasMin } from "../config-resolution.js";
import type { Partition } from "../image.js";
import { replay } from "../replay.js";
import { MetadataCluster } from "./metadata-cluster.js";

/** The partition as of one metadata offset, and the minimum that applied to it then. */
interface Seen {
  readonly state: Partition;
  readonly inSyncMin: number;
  /** How often each broker has ceased to be a replica, and has deleted its log. */
  readonly deletions: ReadonlyMap<number, number>;
}

/** What a leader believes. Proposals count until a newer partition epoch is known. */
interface Leadership {
  readonly leaderEpoch: number;
  partitionEpoch: number;
  isr: readonly number[];
  proposed: number[][];
}

export class CommittedRecords {
  readonly cluster = new MetadataCluster();
  readonly topic: TopicId;
  /** Brokers that hold every committed record. */
  holders: Set<number>;
  readonly #isSynced: boolean;
  readonly #seen: Seen[] = [];
  /** Where each broker is in `#seen`. */
  readonly #at = new Map<number, number>();
  readonly #leads = new Map<number, Leadership>();
  readonly #underWay: AlterPartitionCommand[] = [];
  #deletions: ReadonlyMap<number, number> = new Map();

  /** `spares` are brokers that are no replicas at first. */
  constructor(
    nodes: readonly number[],
    configs: Record<string, string> = {},
    spares: readonly number[] = [],
  ) {
    this.cluster.start(...nodes, ...spares);
    this.topic = this.cluster.createTopic("t", { replicas: [[...nodes]], configs });
    this.#isSynced = configs["durability"] !== "replicated";
    this.holders = new Set(nodes);
    this.changed();
    for (const node of [...nodes, ...spares]) this.observe(node, 0);
  }

  get partition(): Partition {
    return this.cluster.partition(this.topic);
  }

  /** The metadata may have changed: whoever looks from now on can see it. */
  changed(): void {
    const configured = inSyncReplicasMin(this.cluster.image, "t");
    const inSyncMin = effectiveInSyncMin(configured, this.partition);
    const gone = this.#seen
      .at(-1)
      ?.state.replicas.filter((id) => !this.partition.replicas.includes(id));
    for (const id of gone ?? []) {
      this.#deletions = new Map([...this.#deletions, [id, (this.#deletions.get(id) ?? 0) + 1]]);
      this.holders.delete(id);
    }
    this.#seen.push({ state: this.partition, inSyncMin, deletions: this.#deletions });
  }

  /** The broker catches up with the metadata, up to `behind` changes before the newest. */
  observe(node: number, behind: number): void {
    const at = Math.max(this.#at.get(node) ?? 0, this.#seen.length - 1 - behind);
    this.#at.set(node, at);
    const { state } = this.#view(node);
    const leads = this.#leads.get(node);
    if (state.leader !== node) this.#leads.delete(node);
    else if (leads?.leaderEpoch !== state.leaderEpoch) {
      const { leaderEpoch, partitionEpoch, isr } = state;
      this.#leads.set(node, { leaderEpoch, partitionEpoch, isr, proposed: [] });
    } else if (state.partitionEpoch > leads.partitionEpoch) {
      learn(leads, state.partitionEpoch, state.isr);
    }
  }

  /** The process ends, and another begins with the same directory, and with what is written now. */
  restart(node: number, isClean: boolean, settings: Record<string, string> = {}): void {
    this.cluster.accept(this.cluster.registration(node, { clean: isClean, settings }));
    // Where acknowledgements do not wait for the disk, a crash loses what was acknowledged.
    if (!isClean && !this.#isSynced) this.holders.delete(node);
    this.#restarted(node);
  }

  /** The process begins again on an empty disk, as the operator said. */
  replaceDirectory(node: number, directory: number): void {
    const registration = this.cluster.registration(node, { directory });
    this.cluster.accept({ ...registration, replaceDirectory: true });
    this.holders.delete(node);
    this.#restarted(node);
  }

  /** A leader, real or believed, commits a record if it thinks it may. */
  commit(node: number): void {
    const leads = this.#leads.get(node);
    if (leads === undefined || leads.isr.length < this.#view(node).inSyncMin) return;
    const needed = new Set([...leads.isr, ...leads.proposed.flat()]);
    // A replica that knows of a newer leader does not acknowledge to this one.
    if ([...needed].some((id) => this.#view(id).state.leaderEpoch > leads.leaderEpoch)) return;
    this.holders = new Set([...needed].filter((id) => this.#hasLogSeenBy(node, id)));
  }

  /** A leader asks for another ISR: with `add` caught up, without whom it finds lagging. */
  propose(node: number, change: { readonly add: number[]; readonly drop: number[] }): void {
    const leads = this.#leads.get(node);
    if (leads === undefined) return;
    const { replicas } = this.#view(node).state;
    const added = change.add.filter(
      (id) =>
        this.#view(id).state.leaderEpoch <= leads.leaderEpoch &&
        id !== node &&
        replicas.includes(id as NodeId),
    );
    if (this.holders.has(node)) {
      for (const id of added) if (this.#hasLogSeenBy(node, id)) this.holders.add(id);
    }
    const members = new Set([node, ...leads.isr, ...added]);
    for (const id of change.drop) if (id !== node) members.delete(id);
    leads.proposed.push([...members]);
    this.#underWay.push({
      kind: "alter-partition",
      brokerId: nodeId(node),
      brokerEpoch: this.cluster.epochOf(node),
      topicId: this.topic,
      partition: 0,
      leaderEpoch: leads.leaderEpoch as LeaderEpoch,
      partitionEpoch: leads.partitionEpoch as PartitionEpoch,
      isr: [...members].map((id) => ({
        id: nodeId(id),
        brokerEpoch: this.cluster.epochOf(id),
      })),
    });
  }

  /** The controller gets one of the proposals under way; its answer may be lost. */
  deliver(which: number, isAnswered: boolean): void {
    const [proposal] = this.#underWay.splice(which % Math.max(1, this.#underWay.length), 1);
    if (proposal === undefined) return;
    const { image } = this.cluster;
    const decision = decide(image, proposal);
    const leads = this.#leads.get(proposal.brokerId);
    const isOwn = isAnswered && leads?.leaderEpoch === proposal.leaderEpoch;
    if (decision.kind === "refused") return;
    this.cluster.records.push(...decision.records);
    this.cluster.image = replay(image, decision.records, image.offset + 1).image;
    const { partitionEpoch, isr } = decision.response;
    if (isOwn && partitionEpoch > leads.partitionEpoch) learn(leads, partitionEpoch, isr);
  }

  /** What must not be: somebody may lead without loss who does not hold all. */
  problem(): string | undefined {
    const { isr, elr, leader } = this.partition;
    const wrong = [...isr, ...elr].filter((id) => !this.holders.has(id));
    if (wrong.length === 0) return undefined;
    return `leader ${leader}, ISR ${isr}, ELR ${elr}: ${wrong} lack what ${[...this.holders]} hold`;
  }

  /** False for a log that was deleted since: whatever the leader knows of it is no more. */
  #hasLogSeenBy(leader: number, id: number): boolean {
    if (!this.partition.replicas.includes(id as NodeId)) return false;
    return this.#view(leader).deletions.get(id) === this.#deletions.get(id);
  }

  #restarted(node: number): void {
    this.#leads.delete(node);
    this.changed();
    // A new process puts nothing into effect before it has seen its own registration.
    this.#at.set(node, this.#seen.length - 1);
  }

  #view(node: number): Seen {
    return this.#seen[this.#at.get(node) ?? 0] as Seen;
  }
}

function learn(leads: Leadership, partitionEpoch: number, isr: readonly number[]): void {
  leads.partitionEpoch = partitionEpoch;
  leads.isr = isr;
  leads.proposed = [];
}
