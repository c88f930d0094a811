/** What operators ask of consumer groups through gRPC: to see them, and to set or forget offsets. */
import {
  CONSUMER_PROTOCOL_TYPE,
  type DescribedMember,
  MalformedError,
  type PartitionOutcome,
  readAssignment,
  type TopicOf,
} from "@strandline/coordination";
import { BrokerError, type ErrorCode } from "@strandline/model";
import {
  type CommitGroupOffsetsRequest,
  type DeleteGroupOffsetsRequest,
  type DescribeGroupResponse,
  errorToProto,
  type FetchGroupOffsetsRequest,
  type FetchGroupOffsetsResponse,
  type GroupMember,
  type GroupOffset,
  type GroupOffsetRefusal,
  type GroupPartition,
  type ListGroupsRequest,
  type ListGroupsResponse,
} from "@strandline/rpc";
import type { GroupService } from "./groups.js";

export class GroupAdmin {
  readonly #groups: GroupService;

  constructor(groups: GroupService) {
    this.#groups = groups;
  }

  async list(request: ListGroupsRequest, signal: AbortSignal): Promise<ListGroupsResponse> {
    const filter = { states: request.states, types: [] };
    const groups = await this.#groups.list(filter, { signal, forwards: true });
    const byName = [...groups].sort((one, other) => (one.groupId < other.groupId ? -1 : 1));
    return {
      groups: byName.map(({ groupId, state, protocolType }) => ({ groupId, state, protocolType })),
    };
  }

  /** Throws GROUP_ID_NOT_FOUND. */
  async describe(groupId: string, signal: AbortSignal): Promise<DescribeGroupResponse> {
    const answer = await this.#groups.describe({ groupId }, { signal, forwards: true });
    refuse(answer.error, groupId);
    const { state, protocolType, protocolName, generation } = answer;
    const coordinatorId = this.#groups.coordinatorOf(groupId) ?? -1;
    const isConsumer = protocolType === CONSUMER_PROTOCOL_TYPE;
    const members = answer.members.map((member) => described(member, isConsumer));
    return { groupId, state, protocolType, protocolName, generation, coordinatorId, members };
  }

  async fetchOffsets(
    { groupId, partitions }: FetchGroupOffsetsRequest,
    signal: AbortSignal,
  ): Promise<FetchGroupOffsetsResponse> {
    const topics = partitions.length === 0 ? undefined : byTopic(partitions, partitionOf);
    const answer = await this.#groups.fetchOffsets({ groupId, topics }, { signal, forwards: true });
    refuse(answer.error, groupId);
    return {
      offsets: answer.topics.flatMap(({ topic, partitions: committed }) =>
        committed.map(({ partition, offset, leaderEpoch, metadata }) => ({
          topic,
          partition,
          offset,
          ...(leaderEpoch < 0 ? {} : { leaderEpoch }),
          metadata,
        })),
      ),
    };
  }

  /** As somebody who is no member. Returns what was refused; the rest is committed. */
  async commitOffsets(
    { groupId, offsets }: CommitGroupOffsetsRequest,
    signal: AbortSignal,
  ): Promise<readonly GroupOffsetRefusal[]> {
    const nobody = { memberId: "", instanceId: undefined, generation: -1 };
    const topics = byTopic(offsets, offsetToCommit);
    const command = { groupId, ...nobody, retentionMs: undefined, topics };
    const answer = await this.#groups.commit(command, { signal, forwards: true });
    if (answer.error === "UNKNOWN_MEMBER_ID") {
      throw new BrokerError(
        "UNKNOWN_MEMBER_ID",
        `group "${groupId}" has members: only they can commit while it has`,
      );
    }
    refuse(answer.error, groupId);
    return refusalsOf(answer.topics);
  }

  async deleteOffsets(
    { groupId, partitions }: DeleteGroupOffsetsRequest,
    signal: AbortSignal,
  ): Promise<readonly GroupOffsetRefusal[]> {
    const command = { groupId, topics: byTopic(partitions, partitionOf) };
    const answer = await this.#groups.deleteOffsets(command, { signal, forwards: true });
    refuse(answer.error, groupId);
    return refusalsOf(answer.topics);
  }

  async deleteGroup(groupId: string, signal: AbortSignal): Promise<void> {
    const answer = await this.#groups.deleteGroup({ groupId }, { signal, forwards: true });
    refuse(answer.error, groupId);
  }
}

export function offsetToCommit({ partition, offset, leaderEpoch, metadata }: GroupOffset) {
  return { partition, offset, leaderEpoch: leaderEpoch ?? -1, metadata };
}

/** One entry for each topic, in the order in which they come first. */
export function byTopic<Item extends { readonly topic: string }, Partition>(
  items: readonly Item[],
  pick: (item: Item) => Partition,
): TopicOf<Partition>[] {
  const topics = new Map<string, Partition[]>();
  for (const item of items) {
    const partitions = topics.get(item.topic);
    if (partitions === undefined) topics.set(item.topic, [pick(item)]);
    else partitions.push(pick(item));
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

export function partitionOf({ partition }: GroupPartition): number {
  return partition;
}

export function refusalsOf(topics: readonly TopicOf<PartitionOutcome>[]): GroupOffsetRefusal[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.flatMap(({ partition, error }) => {
      if (error === undefined) return [];
      const refusal = new BrokerError(error, `${topic}-${partition}: ${reasonOf(error, "it")}`);
      return [{ topic, partition, error: errorToProto(refusal) }];
    }),
  );
}

/** Throws when the group refused. */
export function refuse(error: ErrorCode | undefined, groupId: string): void {
  if (error !== undefined) throw new BrokerError(error, reasonOf(error, `group "${groupId}"`));
}

function reasonOf(error: ErrorCode, what: string): string {
  return REASONS.get(error)?.(what) ?? `${what} refuses this`;
}

const REASONS: ReadonlyMap<ErrorCode, (what: string) => string> = new Map<
  ErrorCode,
  (what: string) => string
>([
  ["GROUP_ID_NOT_FOUND", (what) => `${what} does not exist`],
  ["NON_EMPTY_GROUP", (what) => `${what} has members`],
  ["GROUP_SUBSCRIBED_TO_TOPIC", () => "a member of the group reads this topic"],
  ["UNKNOWN_TOPIC_OR_PARTITION", (what) => `${what} does not exist`],
  ["OFFSET_METADATA_TOO_LARGE", () => "the text of the commit is too long"],
  ["INCONSISTENT_GROUP_PROTOCOL", (what) => `${what} has no assignor in common with this member`],
  ["GROUP_MAX_SIZE_REACHED", (what) => `${what} has as many members as it may have`],
  ["INVALID_SESSION_TIMEOUT", () => "the session timeout is out of the broker's bounds"],
  ["FENCED_INSTANCE_ID", () => "another member goes by this instance id now"],
  ["ILLEGAL_GENERATION", (what) => `${what} is in another generation`],
  ["REBALANCE_IN_PROGRESS", (what) => `${what} is between two generations`],
]);

function described(member: DescribedMember, isConsumer: boolean): GroupMember {
  const { memberId, instanceId = "", clientId, clientHost, assignment } = member;
  const partitions = isConsumer ? assignedPartitions(assignment) : [];
  return { memberId, instanceId, clientId, clientHost, partitions };
}

/** What a member's assignor wrote may be anything. */
function assignedPartitions(assignment: Uint8Array): GroupPartition[] {
  try {
    return readAssignment(assignment).partitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
  } catch (error) {
    if (error instanceof MalformedError) return [];
    throw error;
  }
}
