/** Settings of one broker process, resolved. Cluster-wide settings live in the metadata. */
import { BrokerSettings } from "@strandline/metadata";
import type { ClusterId, DirectoryId, NodeId } from "@strandline/model";

export interface BrokerConfig {
  readonly nodeId: NodeId;
  /** Expected cluster; undefined on a first start, when it is learned. */
  readonly clusterId: ClusterId | undefined;
  readonly directoryId: DirectoryId;
  /** Where topics are kept: `<topicsDirectory>/<topic id>-<partition>/`. */
  readonly topicsDirectory: string;
  /** Where clients reach this broker: "host:port". */
  readonly address: string;
  /** Where other nodes reach it: "host:port". */
  readonly peerAddress: string;
  /** Controllers to ask for metadata: "host:port" each, not empty. */
  readonly controllerAddresses: readonly string[];
  readonly rack: string;
  readonly version: string;
  /** Random, new for each process. */
  readonly incarnationId: string;
  /** Broker epoch under which the directory was closed cleanly; -1 when it was not. */
  readonly cleanShutdownEpoch: number;
  /** The operator says that this new directory takes the place of a lost one. */
  readonly replaceDirectory: boolean;
  /** What the operator wrote under Kafka's names: groups, listeners, creation of topics. */
  readonly settings: BrokerSettings;
  readonly heartbeatMs: number;
  /** Without an answer from the controller for this long, the broker stops serving. */
  readonly sessionMsMax: number;
  /** A follower that did not reach the log end for this long leaves the in-sync replicas. */
  readonly replicaLagMsMax: number;
  /** Bytes sent to one follower and partition but not yet acknowledged. */
  readonly replicaWindowBytesMax: number;
  /** Recent bytes of all partitions together kept in memory for followers and consumers. */
  readonly tailBytesMax: number;
  readonly retentionCheckMs: number;
  /** Time between two looks at which compacted topics have something to clean. */
  readonly cleanerCheckMs: number;
  /** Idempotent producers are forgotten after this long without a record. */
  readonly producerIdleMsMax: number;
  /** Requests waiting for an acknowledgement, all partitions together, before new ones are shed. */
  readonly pendingProduceBytesMax: number;
  /** A client of the Kafka protocol that names a topic that does not exist gets one. */
  readonly autoCreateTopics: boolean;
}

/** The settings that have a default. */
export const BROKER_DEFAULTS = {
  rack: "",
  settings: new BrokerSettings(),
  heartbeatMs: 500,
  sessionMsMax: 6_000,
  replicaLagMsMax: 10_000,
  replicaWindowBytesMax: 16 * 1024 * 1024,
  tailBytesMax: 64 * 1024 * 1024,
  retentionCheckMs: 300_000,
  cleanerCheckMs: 15_000,
  producerIdleMsMax: 86_400_000,
  pendingProduceBytesMax: 256 * 1024 * 1024,
  replaceDirectory: false,
  autoCreateTopics: true,
} as const;
