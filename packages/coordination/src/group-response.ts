/** What comes back for a command. `error` undefined is success. */
import type { ErrorCode } from "@strandline/model";
import type { TopicOf } from "./group-command.js";

type Outcome = ErrorCode | undefined;

export type GroupStateName =
  | "Empty"
  | "PreparingRebalance"
  | "CompletingRebalance"
  | "Stable"
  | "Dead";

export interface JoinResponse {
  readonly kind: "join";
  readonly error: Outcome;
  /** With MEMBER_ID_REQUIRED: the id to come back with. */
  readonly memberId: string;
  /** -1 with an error. */
  readonly generation: number;
  readonly protocolType: string | undefined;
  readonly protocolName: string | undefined;
  readonly leaderId: string;
  readonly skipAssignment: boolean;
  /** Everyone, for the leader; nobody for the others. */
  readonly members: readonly JoinedMember[];
}

export interface JoinedMember {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  /** Of the protocol that was chosen. */
  readonly metadata: Uint8Array;
}

export interface SyncResponse {
  readonly kind: "sync";
  readonly error: Outcome;
  readonly protocolType: string | undefined;
  readonly protocolName: string | undefined;
  readonly assignment: Uint8Array;
}

export interface HeartbeatResponse {
  readonly kind: "heartbeat";
  readonly error: Outcome;
}

export interface LeaveResponse {
  readonly kind: "leave";
  readonly error: Outcome;
  /** In the order of the request. LeaveGroup v0 to v2 have only the code of the first. */
  readonly members: readonly LeftMember[];
}

export interface LeftMember {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly error: Outcome;
}

export interface PartitionOutcome {
  readonly partition: number;
  readonly error: Outcome;
}

export interface CommitResponse {
  readonly kind: "commit";
  /**
   * Refuses the whole commit; every partition has it too. GROUP_ID_NOT_FOUND is for
   * OffsetCommit v9+; before it, clients know only ILLEGAL_GENERATION.
   */
  readonly error: Outcome;
  readonly topics: readonly TopicOf<PartitionOutcome>[];
}

export interface FetchOffsetsResponse {
  readonly kind: "fetch-offsets";
  readonly error: Outcome;
  readonly topics: readonly TopicOf<CommittedOffset>[];
}

/** Offset -1, epoch -1 and no text where nothing was committed. */
export interface CommittedOffset {
  readonly partition: number;
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
}

export interface DescribeResponse {
  readonly kind: "describe";
  /** GROUP_ID_NOT_FOUND, with state Dead. Before DescribeGroups v6 that is no error. */
  readonly error: Outcome;
  readonly groupId: string;
  readonly state: GroupStateName;
  readonly protocolType: string;
  /** Empty unless the group is Stable. */
  readonly protocolName: string;
  readonly generation: number;
  readonly members: readonly DescribedMember[];
}

export interface DescribedMember {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly clientId: string;
  readonly clientHost: string;
  /** Both empty unless the group is Stable. */
  readonly metadata: Uint8Array;
  readonly assignment: Uint8Array;
}

export interface ListResponse {
  readonly kind: "list";
  readonly groups: readonly ListedGroup[];
}

export interface ListedGroup {
  readonly groupId: string;
  readonly protocolType: string;
  readonly state: GroupStateName;
  readonly type: "classic";
}

export interface DeleteGroupResponse {
  readonly kind: "delete-group";
  readonly error: Outcome;
}

export interface DeleteOffsetsResponse {
  readonly kind: "delete-offsets";
  /** Refuses the whole; then there are no topics. */
  readonly error: Outcome;
  readonly topics: readonly TopicOf<PartitionOutcome>[];
}

export interface TopicsDeletedResponse {
  readonly kind: "topics-deleted";
}

export type GroupResponse =
  | JoinResponse
  | SyncResponse
  | HeartbeatResponse
  | LeaveResponse
  | CommitResponse
  | FetchOffsetsResponse
  | DescribeResponse
  | ListResponse
  | DeleteGroupResponse
  | DeleteOffsetsResponse
  | TopicsDeletedResponse;
