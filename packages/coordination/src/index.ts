/** Consumer groups: decisions alone, without clock, disk or network. */
export type {
  Assignments,
  Assignor,
  AssignorMember,
  PartitionCounts,
} from "./assignors/assignor.js";
export { ASSIGNORS, assignorNamed } from "./assignors/assignors.js";
export * from "./consumer-protocol.js";
export * from "./group-command.js";
export * from "./group-config.js";
export { groupPartition } from "./group-partition.js";
export * from "./group-response.js";
export { GroupShard } from "./group-shard.js";
export * from "./group-step.js";
export { MalformedError } from "./records/byte-reader.js";
export * from "./records/group-value.js";
export * from "./records/offset-value.js";
export * from "./records/record-key.js";
export { joinRefusal } from "./rules/answers.js";
