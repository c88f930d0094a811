/**
 * Refusals: failures that the caller can act on. One table holds them all, so that each says
 * whether the same request may succeed later. Codes and names are those of the Kafka protocol
 * (clients/…/protocol/Errors), which every client library already knows.
 */

interface ErrorSpec {
  /** Code on the Kafka wire. */
  readonly wireCode: number;
  /** True when the same request may succeed later without the caller changing it. */
  readonly retriable: boolean;
}

const ERROR_SPECS = {
  UNKNOWN_SERVER_ERROR: { wireCode: -1, retriable: false },
  OFFSET_OUT_OF_RANGE: { wireCode: 1, retriable: false },
  CORRUPT_MESSAGE: { wireCode: 2, retriable: true },
  UNKNOWN_TOPIC_OR_PARTITION: { wireCode: 3, retriable: true },
  INVALID_FETCH_SIZE: { wireCode: 4, retriable: false },
  LEADER_NOT_AVAILABLE: { wireCode: 5, retriable: true },
  NOT_LEADER_OR_FOLLOWER: { wireCode: 6, retriable: true },
  REQUEST_TIMED_OUT: { wireCode: 7, retriable: true },
  BROKER_NOT_AVAILABLE: { wireCode: 8, retriable: true },
  REPLICA_NOT_AVAILABLE: { wireCode: 9, retriable: true },
  MESSAGE_TOO_LARGE: { wireCode: 10, retriable: false },
  OFFSET_METADATA_TOO_LARGE: { wireCode: 12, retriable: false },
  NETWORK_EXCEPTION: { wireCode: 13, retriable: true },
  COORDINATOR_LOAD_IN_PROGRESS: { wireCode: 14, retriable: true },
  COORDINATOR_NOT_AVAILABLE: { wireCode: 15, retriable: true },
  NOT_COORDINATOR: { wireCode: 16, retriable: true },
  INVALID_TOPIC_EXCEPTION: { wireCode: 17, retriable: false },
  RECORD_LIST_TOO_LARGE: { wireCode: 18, retriable: false },
  NOT_ENOUGH_REPLICAS: { wireCode: 19, retriable: true },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: { wireCode: 20, retriable: true },
  INVALID_REQUIRED_ACKS: { wireCode: 21, retriable: false },
  ILLEGAL_GENERATION: { wireCode: 22, retriable: false },
  INCONSISTENT_GROUP_PROTOCOL: { wireCode: 23, retriable: false },
  INVALID_GROUP_ID: { wireCode: 24, retriable: false },
  UNKNOWN_MEMBER_ID: { wireCode: 25, retriable: false },
  INVALID_SESSION_TIMEOUT: { wireCode: 26, retriable: false },
  REBALANCE_IN_PROGRESS: { wireCode: 27, retriable: false },
  INVALID_COMMIT_OFFSET_SIZE: { wireCode: 28, retriable: false },
  INVALID_TIMESTAMP: { wireCode: 32, retriable: false },
  UNSUPPORTED_VERSION: { wireCode: 35, retriable: false },
  TOPIC_ALREADY_EXISTS: { wireCode: 36, retriable: false },
  INVALID_PARTITIONS: { wireCode: 37, retriable: false },
  INVALID_REPLICATION_FACTOR: { wireCode: 38, retriable: false },
  INVALID_REPLICA_ASSIGNMENT: { wireCode: 39, retriable: false },
  INVALID_CONFIG: { wireCode: 40, retriable: false },
  NOT_CONTROLLER: { wireCode: 41, retriable: true },
  INVALID_REQUEST: { wireCode: 42, retriable: false },
  UNSUPPORTED_FOR_MESSAGE_FORMAT: { wireCode: 43, retriable: false },
  POLICY_VIOLATION: { wireCode: 44, retriable: false },
  OUT_OF_ORDER_SEQUENCE_NUMBER: { wireCode: 45, retriable: false },
  DUPLICATE_SEQUENCE_NUMBER: { wireCode: 46, retriable: false },
  INVALID_PRODUCER_EPOCH: { wireCode: 47, retriable: false },
  KAFKA_STORAGE_ERROR: { wireCode: 56, retriable: true },
  LOG_DIR_NOT_FOUND: { wireCode: 57, retriable: false },
  UNKNOWN_PRODUCER_ID: { wireCode: 59, retriable: false },
  REASSIGNMENT_IN_PROGRESS: { wireCode: 60, retriable: false },
  NON_EMPTY_GROUP: { wireCode: 68, retriable: false },
  GROUP_ID_NOT_FOUND: { wireCode: 69, retriable: false },
  FETCH_SESSION_ID_NOT_FOUND: { wireCode: 70, retriable: true },
  INVALID_FETCH_SESSION_EPOCH: { wireCode: 71, retriable: true },
  LISTENER_NOT_FOUND: { wireCode: 72, retriable: true },
  TOPIC_DELETION_DISABLED: { wireCode: 73, retriable: false },
  FENCED_LEADER_EPOCH: { wireCode: 74, retriable: true },
  UNKNOWN_LEADER_EPOCH: { wireCode: 75, retriable: true },
  UNSUPPORTED_COMPRESSION_TYPE: { wireCode: 76, retriable: false },
  STALE_BROKER_EPOCH: { wireCode: 77, retriable: false },
  OFFSET_NOT_AVAILABLE: { wireCode: 78, retriable: true },
  MEMBER_ID_REQUIRED: { wireCode: 79, retriable: false },
  PREFERRED_LEADER_NOT_AVAILABLE: { wireCode: 80, retriable: true },
  GROUP_MAX_SIZE_REACHED: { wireCode: 81, retriable: false },
  FENCED_INSTANCE_ID: { wireCode: 82, retriable: false },
  ELIGIBLE_LEADERS_NOT_AVAILABLE: { wireCode: 83, retriable: true },
  ELECTION_NOT_NEEDED: { wireCode: 84, retriable: false },
  NO_REASSIGNMENT_IN_PROGRESS: { wireCode: 85, retriable: false },
  GROUP_SUBSCRIBED_TO_TOPIC: { wireCode: 86, retriable: false },
  INVALID_RECORD: { wireCode: 87, retriable: false },
  UNSTABLE_OFFSET_COMMIT: { wireCode: 88, retriable: true },
  THROTTLING_QUOTA_EXCEEDED: { wireCode: 89, retriable: true },
  RESOURCE_NOT_FOUND: { wireCode: 91, retriable: false },
  DUPLICATE_RESOURCE: { wireCode: 92, retriable: false },
  INVALID_UPDATE_VERSION: { wireCode: 95, retriable: false },
  UNKNOWN_TOPIC_ID: { wireCode: 100, retriable: true },
  DUPLICATE_BROKER_REGISTRATION: { wireCode: 101, retriable: false },
  BROKER_ID_NOT_REGISTERED: { wireCode: 102, retriable: false },
  INCONSISTENT_TOPIC_ID: { wireCode: 103, retriable: true },
  INCONSISTENT_CLUSTER_ID: { wireCode: 104, retriable: false },
  FETCH_SESSION_TOPIC_ID_ERROR: { wireCode: 106, retriable: true },
  INELIGIBLE_REPLICA: { wireCode: 107, retriable: true },
  NEW_LEADER_ELECTED: { wireCode: 108, retriable: true },
  FENCED_MEMBER_EPOCH: { wireCode: 110, retriable: false },
  STALE_MEMBER_EPOCH: { wireCode: 113, retriable: false },
  MISMATCHED_ENDPOINT_TYPE: { wireCode: 114, retriable: false },
  UNSUPPORTED_ENDPOINT_TYPE: { wireCode: 115, retriable: false },
  INVALID_REGISTRATION: { wireCode: 119, retriable: false },
  INVALID_VOTER_KEY: { wireCode: 125, retriable: false },
} as const satisfies Record<string, ErrorSpec>;

/** Name of a refusal, as the Kafka protocol spells it. */
export type ErrorCode = keyof typeof ERROR_SPECS;

/** One record of a batch that was refused: which of them, and why. */
export interface RecordProblem {
  /** Counted from 0 within the batch. */
  readonly index: number;
  readonly message: string;
}

/** A refusal the caller can act on. Bugs are assertions, never a BrokerError. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly code: ErrorCode;
  /** The records that were the reason, where some of a batch were. */
  readonly records: readonly RecordProblem[];

  constructor(
    code: ErrorCode,
    message: string,
    options?: ErrorOptions & { readonly records?: readonly RecordProblem[] | undefined },
  ) {
    super(message, options);
    this.code = code;
    this.records = options?.records ?? [];
  }

  /** True when the same request may succeed later without the caller changing it. */
  get retriable(): boolean {
    return ERROR_SPECS[this.code].retriable;
  }

  /** Code on the Kafka wire. */
  get wireCode(): number {
    return ERROR_SPECS[this.code].wireCode;
  }
}

/** Code of a refusal on the Kafka wire, where a name alone is at hand. Undefined is success: 0. */
export function errorNumber(code: ErrorCode | undefined): number {
  return code === undefined ? 0 : ERROR_SPECS[code].wireCode;
}

/** True for a name that the table holds: text from the wire becomes a code only through here. */
export function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(ERROR_SPECS, name);
}

/** A refusal inside a core: returned, not thrown. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** The records that are the reason, where some of a batch are. */
  readonly records?: readonly RecordProblem[];
}
