/** What the client tells of consumer groups. */
import type { BrokerError } from "@strandline/model";
import type { DescribeGroupResponse, GroupListing, GroupMember } from "@strandline/rpc";
import type { TopicPartitionName } from "../consumer/consumer-record.js";

export type { GroupListing, GroupMember };
export type GroupDescription = DescribeGroupResponse;

/** How far a group has come in one partition. */
export interface GroupOffset extends TopicPartitionName {
  /** The next record to read; -1 when the group has committed nothing. */
  readonly offset: number;
  readonly leaderEpoch?: number | undefined;
  readonly metadata?: string | undefined;
}

/** How far a group is behind in one partition. */
export interface GroupLag extends TopicPartitionName {
  /** Undefined when the group has committed nothing. */
  readonly committedOffset: number | undefined;
  /** Undefined when the topic is gone, or has no leader. */
  readonly logEndOffset: number | undefined;
  readonly lag: number | undefined;
  /** Who reads it now. */
  readonly member: GroupMember | undefined;
}

/** A partition of which an offset was not taken, or not deleted. */
export interface GroupOffsetRefusal extends TopicPartitionName {
  readonly error: BrokerError;
}
