/** What the admin client takes and gives. */
import type { BrokerError } from "@strandline/model";
import type {
  BrokerAddress,
  ConfigEntry,
  DescribeClusterResponse,
  DescribeQuorumResponse,
  NodeDescription,
  PartitionDescription,
  PartitionMetadata,
  TopicListing,
} from "@strandline/rpc";
import type { StartAt } from "../cluster/offset-finder.js";

export type {
  BrokerAddress,
  ConfigEntry,
  NodeDescription,
  PartitionDescription,
  PartitionMetadata,
  TopicListing,
};

export type ClusterDescription = DescribeClusterResponse;
export type QuorumDescription = DescribeQuorumResponse;

/** Every call has a deadline: the client's `requestTimeoutMs` unless another is given. */
export interface AdminCallOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface NewTopic {
  readonly name: string;
  /** The cluster's default when absent or 0. */
  readonly partitions?: number | undefined;
  /** The cluster's default when absent or 0. */
  readonly replicationFactor?: number | undefined;
  readonly configs?: Readonly<Record<string, string>> | undefined;
  /** Explicit placement instead of the two counts: brokers of partition 0, 1, … */
  readonly assignments?: readonly (readonly number[])[] | undefined;
  /** Checks, and creates nothing. */
  readonly validateOnly?: boolean | undefined;
  /** Allows min.insync.replicas = 1 with a replication factor of 2 or more. */
  readonly allowWeakDurability?: boolean | undefined;
}

export interface CreatedTopic {
  readonly topicId: string;
  readonly partitions: number;
  readonly replicationFactor: number;
}

export interface TopicDescription {
  readonly name: string;
  readonly topicId: string;
  readonly replicationFactor: number;
  /** Set on the topic itself; `describeConfigs` tells the defaults too. */
  readonly configs: Readonly<Record<string, string>>;
  readonly partitions: readonly PartitionDescription[];
}

export interface NewPartitions {
  readonly topic: string;
  /** How many there are to be in the end. */
  readonly totalCount: number;
  /** Brokers of each partition that is added. */
  readonly assignments?: readonly (readonly number[])[] | undefined;
}

export interface RecordsToDelete {
  readonly topic: string;
  readonly targets: readonly {
    readonly partition: number;
    /** What is before this is deleted; "high-watermark": all that is committed. */
    readonly before: number | "high-watermark";
  }[];
}

export interface DeletedRecords {
  readonly partition: number;
  readonly logStartOffset: number;
  readonly error: BrokerError | undefined;
}

/** A topic, a broker, or the default of all brokers. */
export type ConfigTarget =
  | { readonly topic: string }
  | { readonly broker: number }
  | { readonly allBrokers: true };

export type ConfigChange = ConfigTarget & {
  readonly set?: Readonly<Record<string, string>> | undefined;
  /** Names that go back to their default. */
  readonly remove?: readonly string[] | undefined;
  /** Checks, and changes nothing. */
  readonly validateOnly?: boolean | undefined;
  /** Allows min.insync.replicas = 1 with a replication factor of 2 or more. */
  readonly allowWeakDurability?: boolean | undefined;
};

export interface LeaderElection {
  readonly topic: string;
  /** All partitions of the topic when absent. */
  readonly partitions?: readonly number[] | undefined;
  /** Elects any live replica, even one that lacks committed records. Loses data. */
  readonly unclean?: boolean | undefined;
}

export interface ElectedLeader {
  readonly partition: number;
  readonly leaderId: number;
  readonly error: BrokerError | undefined;
}

export interface ReplicaMove {
  readonly topic: string;
  readonly partition: number;
  /** Brokers, the preferred leader first; empty: the move under way ends. */
  readonly replicas: readonly number[];
}

export interface MoveResult {
  readonly topic: string;
  readonly partition: number;
  readonly error: BrokerError | undefined;
}

export interface OffsetsQuery {
  readonly topic: string;
  /** All partitions of the topic when absent. */
  readonly partitions?: readonly number[] | undefined;
  readonly position: StartAt;
}

export interface ClusterMetadataAnswer {
  readonly clusterId: string;
  readonly brokers: readonly BrokerAddress[];
  readonly topics: readonly TopicMetadataAnswer[];
}

export interface TopicMetadataAnswer {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly PartitionMetadata[];
  /** UNKNOWN_TOPIC_OR_PARTITION when there is none of this name. */
  readonly error: BrokerError | undefined;
}
