/**
 * What the cluster is, at one metadata offset: an immutable whole. Only `replay` makes a new one,
 * and it shares with the old one all that did not change.
 */
import type {
  BrokerEpoch,
  ClusterId,
  DirectoryId,
  LeaderEpoch,
  NodeId,
  PartitionEpoch,
  TopicId,
} from "@strandline/model";
import type { KafkaListener } from "./kafka-listeners.js";

export interface MetadataImage {
  /** Undefined until the first controller leader has minted it. */
  readonly clusterId: ClusterId | undefined;
  /** Metadata offset up to which this image holds everything. Exclusive. */
  readonly offset: number;
  readonly nodes: ReadonlyMap<NodeId, NodeRegistration>;
  readonly topics: ReadonlyMap<TopicId, Topic>;
  /** Topic ids by topic name. */
  readonly topicIds: ReadonlyMap<string, TopicId>;
  /**
   * Explicit settings by resource: "topic:<name>", "broker:" for all brokers, "static:<id>" as one
   * broker's operator wrote them, and "static:" for what of those is in force.
   */
  readonly configs: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** First producer id not handed out yet. */
  readonly nextProducerId: number;
}

/** One node as it registered last. */
export interface NodeRegistration {
  readonly id: NodeId;
  readonly directoryId: DirectoryId;
  /** Random, new for each process. */
  readonly incarnationId: string;
  /** The processes before it, the newest first; some of them. None of them may come back. */
  readonly formerIncarnations: readonly string[];
  readonly brokerEpoch: BrokerEpoch;
  /** Where clients reach it: "host:port". */
  readonly address: string;
  /** Where nodes reach it: "host:port". */
  readonly peerAddress: string;
  /** Where clients of the Kafka protocol reach it. */
  readonly kafkaListeners: readonly KafkaListener[];
  /** Empty: none. */
  readonly rack: string;
  readonly version: string;
  /** Registered, but not serving. A fenced node is in no ISR and leads nothing. */
  readonly isFenced: boolean;
  /** Has asked to hand over. It joins no ISR, and leads only where nobody else can. */
  readonly isStopping: boolean;
  /** Its directory was closed cleanly under the registration before this one. */
  readonly cleanShutdown: boolean;
}

export interface Topic {
  readonly id: TopicId;
  readonly name: string;
  /** By partition number; dense. */
  readonly partitions: readonly Partition[];
}

export interface Partition {
  /** Assigned, in order of preference: the first one is the preferred leader. */
  readonly replicas: readonly NodeId[];
  /** While the partition is reassigned: replicas that the new assignment brings. They catch up. */
  readonly adding: readonly NodeId[];
  /** While the partition is reassigned: replicas that go once the others have caught up. */
  readonly removing: readonly NodeId[];
  /** In sync. In replica order, all unfenced; empty when nobody can lead. */
  readonly isr: readonly NodeId[];
  /**
   * Eligible although not in sync (KIP-966): they hold every committed record, because nothing has
   * been committed since they left. Only while the ISR is below its minimum.
   */
  readonly elr: readonly NodeId[];
  /** In the ISR; -1 while nobody leads. */
  readonly leader: NodeId | -1;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
}

/** The image before the first record. */
export function emptyImage(): MetadataImage {
  return {
    clusterId: undefined,
    offset: 0,
    nodes: new Map(),
    topics: new Map(),
    topicIds: new Map(),
    configs: new Map(),
    nextProducerId: 0,
  };
}

export function topicByName(image: MetadataImage, name: string): Topic | undefined {
  const id = image.topicIds.get(name);
  return id === undefined ? undefined : image.topics.get(id);
}

/** Key of a topic's settings in `MetadataImage.configs`. */
export function topicResource(name: string): string {
  return `topic:${name}`;
}

/** Key of one broker's settings, or of all brokers' with an empty id. */
export function brokerResource(id: NodeId | ""): string {
  return `broker:${id}`;
}

/** Key of a group's settings. */
export function groupResource(id: string): string {
  return `group:${id}`;
}

/** Key of what one broker's operator wrote, or, with an empty id, of what of that is in force. */
export function staticResource(id: NodeId | ""): string {
  return `static:${id}`;
}

/** May lead and join an ISR: registered, not fenced, not about to stop. */
export function isUsable(node: NodeRegistration | undefined): boolean {
  return node !== undefined && !node.isFenced && !node.isStopping;
}

/** True while replicas come or go. */
export function isReassigned(partition: Partition): boolean {
  return partition.adding.length > 0 || partition.removing.length > 0;
}

/** The replicas before the reassignment under way; else all. */
export function originalReplicas(partition: Partition): readonly NodeId[] {
  return partition.replicas.filter((id) => !partition.adding.includes(id));
}

/** The replicas once the reassignment under way is completed; else all. */
export function targetReplicas(partition: Partition): readonly NodeId[] {
  return partition.replicas.filter((id) => !partition.removing.includes(id));
}
