/**
 * What can be asked of the groups of one shard. Everything random or foreign comes with the
 * command: the id that a new member would get, who the client is.
 */

/** One of the ways in which a member can take part, with words that only its assignor reads. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

/** A member wants to be in the next generation. Answered when the generation begins. */
export interface JoinCommand {
  readonly kind: "join";
  readonly groupId: string;
  /** Empty when the member has no id yet. */
  readonly memberId: string;
  /** Name of a member that keeps its place over a restart. */
  readonly instanceId: string | undefined;
  /** What the member is called if it has no id: `<client or instance id>-<random uuid>`. */
  readonly newMemberId: string;
  /** JoinGroup v4+: a member without id is told one first, and counts once it comes with it. */
  readonly requiresKnownMemberId: boolean;
  /** JoinGroup v9+: the leader may be told that no assignment is wanted from it. */
  readonly supportsSkippingAssignment: boolean;
  readonly sessionTimeoutMs: number;
  /** Undefined in JoinGroup v0, which has none: then it is the session timeout. */
  readonly rebalanceTimeoutMs: number | undefined;
  readonly protocolType: string;
  /** In the order that the member prefers. */
  readonly protocols: readonly MemberProtocol[];
  readonly clientId: string;
  readonly clientHost: string;
}

/** A member asks for what it was assigned; the leader's request says so for all of them. */
export interface SyncCommand {
  readonly kind: "sync";
  readonly groupId: string;
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly generation: number;
  /** Undefined before SyncGroup v5. That v5 must have both is for the frontend to check. */
  readonly protocolType: string | undefined;
  readonly protocolName: string | undefined;
  /** Empty unless the leader sends it. */
  readonly assignments: readonly MemberAssignment[];
}

export interface MemberAssignment {
  readonly memberId: string;
  readonly assignment: Uint8Array;
}

export interface HeartbeatCommand {
  readonly kind: "heartbeat";
  readonly groupId: string;
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly generation: number;
}

export interface LeaveCommand {
  readonly kind: "leave";
  readonly groupId: string;
  readonly members: readonly LeavingMember[];
}

export interface LeavingMember {
  /** Empty when an operator removes a static member by its instance id alone. */
  readonly memberId: string;
  readonly instanceId: string | undefined;
}

/** One topic of a request, and something for each of its partitions. */
export interface TopicOf<Partition> {
  readonly topic: string;
  readonly partitions: readonly Partition[];
}

export interface CommitCommand {
  readonly kind: "commit";
  readonly groupId: string;
  /** Empty, and generation -1, when the commit comes from no member. */
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly generation: number;
  /** Only OffsetCommit v2 to v4 can have one; undefined leaves it to the broker. */
  readonly retentionMs: number | undefined;
  readonly topics: readonly TopicOf<OffsetToCommit>[];
}

export interface OffsetToCommit {
  readonly partition: number;
  /** The next record that the group will read. */
  readonly offset: number;
  /** -1 when the client does not know it. */
  readonly leaderEpoch: number;
  readonly metadata: string;
}

export interface FetchOffsetsCommand {
  readonly kind: "fetch-offsets";
  readonly groupId: string;
  /** Undefined for everything that the group has committed. */
  readonly topics: readonly TopicOf<number>[] | undefined;
}

export interface DescribeCommand {
  readonly kind: "describe";
  readonly groupId: string;
}

export interface ListCommand {
  readonly kind: "list";
  /** Names of states and types; empty admits all. Case does not matter. */
  readonly states: readonly string[];
  readonly types: readonly string[];
}

export interface DeleteGroupCommand {
  readonly kind: "delete-group";
  readonly groupId: string;
}

export interface DeleteOffsetsCommand {
  readonly kind: "delete-offsets";
  readonly groupId: string;
  readonly topics: readonly TopicOf<number>[];
}

/** Topics are gone for good: what groups had committed for them goes too. */
export interface TopicsDeletedCommand {
  readonly kind: "topics-deleted";
  readonly topics: readonly string[];
}

export type GroupCommand =
  | JoinCommand
  | SyncCommand
  | HeartbeatCommand
  | LeaveCommand
  | CommitCommand
  | FetchOffsetsCommand
  | DescribeCommand
  | ListCommand
  | DeleteGroupCommand
  | DeleteOffsetsCommand
  | TopicsDeletedCommand;
