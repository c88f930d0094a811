/** OffsetCommit, OffsetFetch and OffsetDelete: how far a group has come. */
import type { ErrorCode } from "@strandline/model";
import { utf8Bytes } from "@strandline/record";
import type { Group } from "../group.js";
import type {
  CommitCommand,
  DeleteOffsetsCommand,
  FetchOffsetsCommand,
  OffsetToCommit,
  TopicOf,
} from "../group-command.js";
import type {
  CommitResponse,
  CommittedOffset,
  DeleteOffsetsResponse,
  PartitionOutcome,
} from "../group-response.js";
import { textsFit } from "../records/byte-writer.js";
import { writeOffsetValue } from "../records/offset-value.js";
import { offsetKey } from "../records/record-key.js";
import { COMMIT_BYTES_MAX } from "../step-limits.js";
import type { Work } from "../work.js";
import { renewSession } from "./rebalance.js";

/** Everything of an offset's record that is not a text. */
const RECORD_BYTES = 64;

/** Why nothing of the commit is taken. */
export function commitProblem(
  group: Group | undefined,
  command: CommitCommand,
): ErrorCode | undefined {
  const { memberId, instanceId, generation } = command;
  if (commitBytes(command) > COMMIT_BYTES_MAX) return "INVALID_COMMIT_OFFSET_SIZE";
  // Neither a member nor a generation: an operator, or a consumer that needs no group.
  if (generation < 0 && (group === undefined || group.state === "Empty")) return undefined;
  if (group === undefined) return "GROUP_ID_NOT_FOUND";
  if (generation < 0 && memberId === "" && instanceId === undefined) return "UNKNOWN_MEMBER_ID";
  const problem = group.memberProblem(memberId, instanceId);
  if (problem !== undefined) return problem;
  if (generation !== group.generation) return "ILLEGAL_GENERATION";
  // It has the new generation, and not yet the assignment that would let it commit.
  return group.state === "CompletingRebalance" ? "REBALANCE_IN_PROGRESS" : undefined;
}

/** What its records take, and a little more. */
function commitBytes({ groupId, topics }: CommitCommand): number {
  let bytes = 0;
  for (const { topic, partitions } of topics) {
    bytes += partitions.length * (utf8Bytes(groupId) + utf8Bytes(topic) + RECORD_BYTES);
    for (const { metadata } of partitions) bytes += metadata.length;
  }
  return bytes;
}

/** Takes the commit, which has no {@link commitProblem}. */
export function commit(work: Work, group: Group, command: CommitCommand): CommitResponse {
  const member = group.members.get(command.memberId);
  if (member !== undefined) renewSession(work, member);
  const topics = command.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((offset) => ({
      partition: offset.partition,
      error: commitOne(work, group, { command, topic, offset }),
    })),
  }));
  return { kind: "commit", error: undefined, topics };
}

interface OneCommit {
  readonly command: CommitCommand;
  readonly topic: string;
  readonly offset: OffsetToCommit;
}

function commitOne(work: Work, group: Group, one: OneCommit): ErrorCode | undefined {
  const { partition, offset, leaderEpoch, metadata } = one.offset;
  const { retentionMs } = one.command;
  if (utf8Bytes(metadata) > work.config.offsetMetadataBytesMax || !textsFit([metadata])) {
    return "OFFSET_METADATA_TOO_LARGE";
  }
  if (!textsFit([one.topic])) return "INVALID_TOPIC_EXCEPTION";
  const committedAtMs = work.now.wallMs;
  const expiresAtMs = retentionMs === undefined ? undefined : committedAtMs + retentionMs;
  const value = { offset, leaderEpoch, metadata, committedAtMs, expiresAtMs };
  group.offsets.set(one.topic, partition, value);
  work.write(offsetKey(group.groupId, one.topic, partition), writeOffsetValue(value));
  return undefined;
}

/** Every partition gets `error`: nothing of the commit was taken. */
export function commitRefusal(error: ErrorCode, command: CommitCommand): CommitResponse {
  const topics = command.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition }) => ({ partition, error })),
  }));
  return { kind: "commit", error, topics };
}

/** What was committed for the partitions that are asked for. */
export function fetchOffsets(
  group: Group | undefined,
  { topics }: FetchOffsetsCommand,
): readonly TopicOf<CommittedOffset>[] {
  const asked = topics ?? allTopics(group);
  return asked.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((partition) => committedOffset(group, topic, partition)),
  }));
}

function allTopics(group: Group | undefined): readonly TopicOf<number>[] {
  if (group === undefined) return [];
  const { offsets } = group;
  return offsets.topics.map((topic) => ({ topic, partitions: offsets.partitionsOf(topic) }));
}

function committedOffset(
  group: Group | undefined,
  topic: string,
  partition: number,
): CommittedOffset {
  const value = group?.offsets.get(topic, partition);
  if (value === undefined) return { partition, offset: -1, leaderEpoch: -1, metadata: "" };
  const { offset, leaderEpoch, metadata } = value;
  return { partition, offset, leaderEpoch, metadata };
}

/** Forgets offsets of topics that nobody in the group reads. */
export function deleteOffsets(
  work: Work,
  group: Group,
  command: DeleteOffsetsCommand,
): DeleteOffsetsResponse {
  if (group.state !== "Empty" && !group.usesConsumerProtocol) {
    // Members of a kind that we cannot read may be about to read anything.
    return { kind: "delete-offsets", error: "NON_EMPTY_GROUP", topics: [] };
  }
  const topics = command.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((partition) => deleteOne(work, group, { topic, partition })),
  }));
  return { kind: "delete-offsets", error: undefined, topics };
}

interface OffsetPlace {
  readonly topic: string;
  readonly partition: number;
}

function deleteOne(work: Work, group: Group, { topic, partition }: OffsetPlace): PartitionOutcome {
  if (group.state !== "Empty" && group.isSubscribedTo(topic)) {
    return { partition, error: "GROUP_SUBSCRIBED_TO_TOPIC" };
  }
  dropOffset(work, group, { topic, partition });
  return { partition, error: undefined };
}

/** Forgets one offset, if there is one. */
export function dropOffset(work: Work, group: Group, { topic, partition }: OffsetPlace): void {
  if (!group.offsets.delete(topic, partition)) return;
  work.write(offsetKey(group.groupId, topic, partition), null);
}
