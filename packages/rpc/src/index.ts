export {
  errorFromProto,
  errorToProto,
  refusalToProto,
} from "./errors/error-detail.js";
export * from "./generated/admin.js";
export * from "./generated/controller.js";
export * from "./generated/coordination.js";
export { type ErrorDetail, errorDetailCodec } from "./generated/error.js";
export * from "./generated/groups.js";
export * from "./generated/log.js";
export * from "./generated/raft.js";
export * from "./generated/replication.js";
export type { ConnectionTimings } from "./grpc/channel-options.js";
export { GrpcTransport, type GrpcTransportOptions } from "./grpc/grpc-transport.js";
export { type HealthState, HealthStatus } from "./grpc/health-status.js";
export { protoRoot } from "./grpc/proto-root.js";
export * from "./outgoing.js";
export { DecodeError } from "./wire/decode-error.js";
export { MESSAGE_ELEMENTS_MAX } from "./wire/limits.js";
export type { Chunks } from "./wire/wire-writer.js";
