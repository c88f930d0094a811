/**
 * Metadata records: what the controllers' log holds. Each says what *is* from now on (absolute
 * values, not differences), so that replaying needs no decision. All are plain JSON.
 */
import type {
  BrokerEpoch,
  ClusterId,
  LeaderEpoch,
  NodeId,
  PartitionEpoch,
  TopicId,
} from "@strandline/model";
import type { NodeRegistration } from "./image.js";

export type MetadataRecord =
  | ClusterRecord
  | NodeRegisteredRecord
  | NodeStateRecord
  | TopicCreatedRecord
  | TopicDeletedRecord
  | PartitionCreatedRecord
  | PartitionChangedRecord
  | PartitionReassignedRecord
  | ConfigSetRecord
  | ConfigRemovedRecord
  | ProducerIdsAllocatedRecord;

export interface ClusterRecord {
  readonly type: "cluster";
  readonly version: 1;
  readonly clusterId: ClusterId;
}

/** A new incarnation, or new addresses of the present one. Replaces what was known of the node. */
export interface NodeRegisteredRecord {
  readonly type: "node-registered";
  readonly version: 1;
  readonly node: NodeRegistration;
}

/** One turn in the life of an incarnation. */
export interface NodeTurn<Type extends string> {
  readonly type: Type;
  readonly version: 1;
  readonly nodeId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
}

export type NodeStateRecord =
  | NodeTurn<"node-fenced">
  | NodeTurn<"node-unfenced">
  | NodeTurn<"node-stopping">
  | NodeTurn<"node-removed">;

export interface TopicCreatedRecord {
  readonly type: "topic-created";
  readonly version: 1;
  readonly topicId: TopicId;
  readonly name: string;
}

/** Takes the topic's partitions and settings with it. */
export interface TopicDeletedRecord {
  readonly type: "topic-deleted";
  readonly version: 1;
  readonly topicId: TopicId;
}

/** The next partition of a topic: numbers are dense. */
export interface PartitionCreatedRecord {
  readonly type: "partition-created";
  readonly version: 1;
  readonly topicId: TopicId;
  readonly partition: number;
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  readonly leader: NodeId | -1;
}

export interface PartitionChangedRecord {
  readonly type: "partition-changed";
  readonly version: 1;
  readonly topicId: TopicId;
  readonly partition: number;
  readonly isr: readonly NodeId[];
  readonly elr: readonly NodeId[];
  readonly leader: NodeId | -1;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  /** Committed records may be lost by this election: an operator asked for it by name. */
  readonly isUnclean?: true;
}

/** Another assignment, or a step towards one: the partition's whole state. */
export interface PartitionReassignedRecord {
  readonly type: "partition-reassigned";
  readonly version: 1;
  readonly topicId: TopicId;
  readonly partition: number;
  readonly replicas: readonly NodeId[];
  readonly adding: readonly NodeId[];
  readonly removing: readonly NodeId[];
  readonly isr: readonly NodeId[];
  readonly elr: readonly NodeId[];
  readonly leader: NodeId | -1;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
}

export interface ConfigSetRecord {
  readonly type: "config-set";
  readonly version: 1;
  /** Key in `MetadataImage.configs`. */
  readonly resource: string;
  readonly name: string;
  readonly value: string;
}

export interface ConfigRemovedRecord {
  readonly type: "config-removed";
  readonly version: 1;
  readonly resource: string;
  readonly name: string;
}

export interface ProducerIdsAllocatedRecord {
  readonly type: "producer-ids-allocated";
  readonly version: 1;
  readonly brokerId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  /** First producer id after the block. */
  readonly nextProducerId: number;
}
