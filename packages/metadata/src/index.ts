export {
  BROKER_CONFIGS,
  type BrokerConfigSpec,
  brokerConfigSpec,
  writtenProblem,
} from "./broker-configs.js";
export { BrokerSettings } from "./broker-settings.js";
export * from "./command.js";
export type {
  AllocateProducerIdsCommand,
  AllocateProducerIdsResponse,
} from "./commands/allocate-producer-ids.js";
export { PRODUCER_ID_BLOCK_COUNT } from "./commands/allocate-producer-ids.js";
export type { AlterConfigsCommand, AlterConfigsResponse } from "./commands/alter-configs.js";
export type { AlterPartitionCommand, AlterPartitionResponse } from "./commands/alter-partition.js";
export type {
  AlterReassignmentsCommand,
  AlterReassignmentsResponse,
  AlterReassignmentsResult,
  PartitionReassignment,
} from "./commands/alter-reassignments.js";
export type {
  CompleteReassignmentsCommand,
  CompleteReassignmentsResponse,
} from "./commands/complete-reassignments.js";
export type { ConfigResource } from "./commands/config-targets.js";
export type {
  CreatePartitionsCommand,
  CreatePartitionsResponse,
} from "./commands/create-partitions.js";
export type { CreateTopicCommand, CreateTopicResponse } from "./commands/create-topic.js";
export type { DeleteTopicCommand, DeleteTopicResponse } from "./commands/delete-topic.js";
export type {
  ElectLeadersCommand,
  ElectLeadersResponse,
  ElectLeadersResult,
} from "./commands/elect-leaders.js";
export type { FenceNodeCommand, FenceNodeResponse } from "./commands/fence-node.js";
export type {
  InitializeClusterCommand,
  InitializeClusterResponse,
} from "./commands/initialize-cluster.js";
export type { Assignments } from "./commands/new-partitions.js";
export type { NodeFailedCommand, NodeFailedResponse } from "./commands/node-failed.js";
export type { NodeIncarnation } from "./commands/node-incarnation.js";
export type { NodeStoppingCommand, NodeStoppingResponse } from "./commands/node-stopping.js";
export type {
  RebalanceLeadersCommand,
  RebalanceLeadersResponse,
} from "./commands/rebalance-leaders.js";
export type { RegisterNodeCommand, RegisterNodeResponse } from "./commands/register-node.js";
export type { RemoveNodeCommand, RemoveNodeResponse } from "./commands/remove-node.js";
export type { UnfenceNodeCommand, UnfenceNodeResponse } from "./commands/unfence-node.js";
export * from "./config-resolution.js";
export { type ConfigSpec, configProblem } from "./config-spec.js";
export type { Decision } from "./decision.js";
export type { MetadataDelta, NodeDelta, PartitionDelta, TopicDelta } from "./delta.js";
export { diffImages } from "./delta.js";
export { GROUP_CONFIGS } from "./group-configs.js";
export * from "./image.js";
export * from "./image-codec.js";
export type { JsonValue } from "./json.js";
export {
  isLoopback,
  isWildcard,
  type KafkaArrival,
  type KafkaEndpoint,
  type KafkaListener,
  kafkaEndpoint,
} from "./kafka-listeners.js";
export { KEPT_CONFIGS, type KeptConfig } from "./kept-configs.js";
export * from "./metadata-error.js";
export { nearestName } from "./nearest-name.js";
export { decodeRecords, encodeRecords } from "./record-codec.js";
export type * from "./records.js";
export { replay } from "./replay.js";
export { type OutvotedSetting, outvotedSettings } from "./static-settings.js";
export { CLUSTER_CONFIGS, TOPIC_CONFIGS } from "./topic-configs.js";
