/** For tests: an image that changes by commands, as on the active controller. */
import {
  type BrokerEpoch,
  brokerEpoch,
  clusterId,
  directoryId,
  type NodeId,
  nodeId,
  type TopicId,
  topicId,
  uuidText,
} from "@strandline/model";
import { decide, type MetadataCommand, type ResponseOf } from "../command.js";
import type { PartitionReassignment } from "../commands/alter-reassignments.js";
import type { MetadataDelta } from "../delta.js";
import { emptyImage, type MetadataImage, type NodeRegistration, type Partition } from "../image.js";
import type { MetadataRecord } from "../records.js";
import { replay } from "../replay.js";

/** A 22-character id that is different for each number. */
export function id(number: number): string {
  const bytes = new Uint8Array(16);
  bytes[0] = number & 255;
  bytes[1] = number >> 8;
  return uuidText(bytes);
}

export interface TopicOptions {
  readonly replicas?: number[][];
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly configs?: Record<string, string>;
  readonly allowWeakDurability?: boolean;
  readonly seed?: number;
}

export class MetadataCluster {
  image: MetadataImage = emptyImage();
  readonly records: MetadataRecord[] = [];
  /** What the newest accepted command changed; undefined when a command was refused since. */
  delta: MetadataDelta | undefined;
  #topicCount = 0;
  #incarnations = 0;

  constructor() {
    this.accept({ kind: "initialize-cluster", clusterId: clusterId(id(1)) });
  }

  /** Runs a command that must be accepted. */
  accept<Command extends MetadataCommand>(command: Command): ResponseOf<Command["kind"]> {
    const decision = decide(this.image, command);
    if (decision.kind === "refused") {
      throw new Error(`${command.kind}: ${decision.refusal.code}: ${decision.refusal.message}`);
    }
    this.records.push(...decision.records);
    const next = replay(this.image, decision.records, this.image.offset + 1);
    this.image = next.image;
    this.delta = next.delta;
    return decision.response;
  }

  /** Runs a command that may be refused; false when it was. */
  tryTo(command: MetadataCommand): boolean {
    this.delta = undefined;
    if (decide(this.image, command).kind === "refused") return false;
    this.accept(command);
    return true;
  }

  /** Code of the refusal of a command that must be refused; nothing changes. */
  refusal(command: MetadataCommand): string {
    const decision = decide(this.image, command);
    return decision.kind === "refused" ? decision.refusal.code : "accepted";
  }

  /** A start of a node's process; `directory` is another one after a lost disk. */
  registration(
    node: number,
    options: {
      directory?: number;
      clean?: boolean;
      rack?: string;
      settings?: Record<string, string>;
    } = {},
  ) {
    this.#incarnations += 1;
    const before = this.image.nodes.get(nodeId(node));
    return {
      kind: "register-node",
      nodeId: nodeId(node),
      clusterId: "",
      directoryId: directoryId(id(options.directory ?? 100 + node)),
      incarnationId: `incarnation-${this.#incarnations}`,
      address: `host-${node}:1`,
      peerAddress: `host-${node}:2`,
      kafkaListeners: [],
      rack: options.rack ?? before?.rack ?? "",
      version: "1",
      settings: options.settings ?? {},
      cleanShutdownEpoch:
        options.clean === true ? (before?.brokerEpoch ?? brokerEpoch(-1)) : brokerEpoch(-1),
      replaceDirectory: false,
      isAlive: false,
      brokerEpoch: brokerEpoch(this.image.offset + 1),
    } as const;
  }

  start(...nodes: number[]): void {
    for (const node of nodes) {
      this.accept(this.registration(node));
      this.unfence(node);
    }
  }

  fence(node: number): void {
    this.accept({ kind: "fence-node", ...this.incarnation(node) });
  }

  unfence(node: number): void {
    this.accept({ kind: "unfence-node", ...this.incarnation(node) });
  }

  /** Asks to stop, as at each heartbeat of a broker that shuts down. */
  stop(node: number) {
    return this.accept({ kind: "node-stopping", ...this.incarnation(node) });
  }

  /** The process that is registered now. */
  incarnation(node: number) {
    return { nodeId: nodeId(node), brokerEpoch: this.epochOf(node) };
  }

  createTopic(name: string, options: TopicOptions = {}): TopicId {
    return this.accept(this.topic(name, options)).topicId;
  }

  /** A command that creates a topic; everything not said is left to the defaults. */
  topic(name: string, options: TopicOptions = {}) {
    this.#topicCount += 1;
    return {
      kind: "create-topic",
      name,
      newTopicId: topicId(id(1_000 + this.#topicCount)),
      partitions: options.partitions ?? 0,
      replicationFactor: options.replicationFactor ?? 0,
      assignments: (options.replicas ?? []).map((ids) => ids.map((node) => nodeId(node))),
      configs: options.configs ?? {},
      validateOnly: false,
      allowWeakDurability: options.allowWeakDurability ?? false,
      seed: options.seed ?? this.#topicCount,
    } as const;
  }

  /** Sets and removes a topic's settings; with an empty name, those of all brokers. */
  settings(name: string, set: Record<string, string>, remove: string[] = []) {
    return {
      kind: "alter-configs",
      resource: { type: name === "" ? "broker" : "topic", name },
      set,
      remove,
      validateOnly: false,
      allowWeakDurability: false,
    } as const;
  }

  /** Another assignment for a partition; null: the end of the reassignment under way. */
  reassignment(topic: string, replicas: number[] | null, partition = 0) {
    return {
      kind: "alter-reassignments",
      partitions: [
        { topic, partition, replicas: replicas?.map((node) => nodeId(node)) ?? null },
      ] as readonly PartitionReassignment[],
      allowReplicationFactorChange: true as boolean,
    } as const;
  }

  partition(topic: TopicId, index = 0): Partition {
    const partition = this.image.topics.get(topic)?.partitions[index];
    if (partition === undefined) throw new Error("no such partition");
    return partition;
  }

  /** The leader proposes a new ISR on the present state. */
  proposal(topic: TopicId, isr: number[], index = 0) {
    const state = this.partition(topic, index);
    const leader = state.leader as NodeId;
    return {
      kind: "alter-partition",
      brokerId: leader,
      brokerEpoch: this.epochOf(leader),
      topicId: topic,
      partition: index,
      leaderEpoch: state.leaderEpoch,
      partitionEpoch: state.partitionEpoch,
      isr: isr.map((node) => ({ id: nodeId(node), brokerEpoch: this.epochOf(node) })),
    } as const;
  }

  node(node: number): NodeRegistration | undefined {
    return this.image.nodes.get(nodeId(node));
  }

  epochOf(node: number): BrokerEpoch {
    return this.node(node)?.brokerEpoch ?? brokerEpoch(-1);
  }
}

/** Leader, ISR and ELR on one line: "1 | 1 2 3 | -". */
export function show(partition: Partition): string {
  const list = (ids: readonly number[]): string => (ids.length === 0 ? "-" : [...ids].join(" "));
  return `${partition.leader} | ${list(partition.isr)} | ${list(partition.elr)}`;
}
