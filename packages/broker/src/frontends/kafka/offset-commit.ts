/** OffsetCommit: how far a group has come. */
import { type ErrorCode, errorNumber } from "@strandline/model";
import type { GroupService } from "../../services/groups.js";
import type { KafkaHandler } from "./handler.js";
import { refusalCode } from "./refusal-code.js";

/** Since then a client knows that there may be no such group. */
const NO_GROUP_VERSION_MIN = 9;

export function offsetCommitHandler(groups: GroupService): KafkaHandler<"OffsetCommit"> {
  return async (request, { version, signal }) => {
    const codeOf = (error: ErrorCode | undefined): number =>
      errorNumber(
        error === "GROUP_ID_NOT_FOUND" && version < NO_GROUP_VERSION_MIN
          ? "ILLEGAL_GENERATION"
          : error,
      );
    try {
      const committed = await groups.commit(
        {
          groupId: request.groupId,
          memberId: request.memberId,
          instanceId: request.groupInstanceId ?? undefined,
          generation: request.generationIdOrMemberEpoch,
          retentionMs: request.retentionTimeMs === -1 ? undefined : request.retentionTimeMs,
          topics: request.topics.map(({ name, partitions }) => ({
            topic: name,
            partitions: partitions.map((partition) => ({
              partition: partition.partitionIndex,
              offset: partition.committedOffset,
              leaderEpoch: partition.committedLeaderEpoch,
              metadata: partition.committedMetadata ?? "",
            })),
          })),
        },
        { signal },
      );
      return {
        topics: committed.topics.map(({ topic, partitions }) => ({
          name: topic,
          partitions: partitions.map(({ partition, error }) => ({
            partitionIndex: partition,
            errorCode: codeOf(error),
          })),
        })),
      };
    } catch (error) {
      const errorCode = codeOf(refusalCode(error));
      return {
        topics: request.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
        })),
      };
    }
  };
}
