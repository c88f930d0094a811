/** OffsetFetch: how far groups had come. */
import type { FetchOffsetsResponse } from "@strandline/coordination";
import type { RequestOf, ServedApis } from "@strandline/kafka-protocol";
import { type ErrorCode, errorNumber } from "@strandline/model";
import type { GroupService } from "../../services/groups.js";
import type { KafkaHandler } from "./handler.js";
import { refusalCode } from "./refusal-code.js";

/** Since then one request asks for many groups. */
const BATCH_VERSION_MIN = 8;
/** Before it, a refusal of the whole had its place in each partition. */
const TOP_LEVEL_ERROR_VERSION_MIN = 2;

type AskedTopics = RequestOf<ServedApis["OffsetFetch"]>["topics"];

interface Partition {
  readonly partitionIndex: number;
  readonly committedOffset: number;
  readonly committedLeaderEpoch: number;
  readonly metadata: string;
  readonly errorCode: number;
}

interface Fetched {
  readonly errorCode: number;
  readonly topics: { readonly name: string; readonly partitions: Partition[] }[];
}

export function offsetFetchHandler(groups: GroupService): KafkaHandler<"OffsetFetch"> {
  return async (request, { version, signal }) => {
    if (version >= BATCH_VERSION_MIN) {
      const answers = await Promise.all(
        request.groups.map(async ({ groupId, topics }) => ({
          groupId,
          ...(await fetchOffsets(groups, { groupId, topics, signal })),
        })),
      );
      return { topics: [], errorCode: 0, groups: answers };
    }
    const { groupId, topics } = request;
    const fetched = await fetchOffsets(groups, { groupId, topics, signal });
    if (fetched.errorCode !== 0 && version < TOP_LEVEL_ERROR_VERSION_MIN) {
      return { ...refusedEach(topics, fetched.errorCode), groups: [] };
    }
    return { ...fetched, groups: [] };
  };
}

async function fetchOffsets(
  groups: GroupService,
  asked: { readonly groupId: string; readonly topics: AskedTopics; readonly signal: AbortSignal },
): Promise<Fetched> {
  const { groupId, signal } = asked;
  const topics = asked.topics?.map(({ name, partitionIndexes }) => {
    return { topic: name, partitions: partitionIndexes };
  });
  try {
    const fetched = await groups.fetchOffsets({ groupId, topics }, { signal });
    return fetched.error === undefined ? found(fetched) : refused(fetched.error);
  } catch (error) {
    return refused(refusalCode(error));
  }
}

function found(fetched: FetchOffsetsResponse): Fetched {
  return {
    errorCode: 0,
    topics: fetched.topics.map(({ topic, partitions }) => ({
      name: topic,
      partitions: partitions.map(({ partition, offset, leaderEpoch, metadata }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        metadata,
        errorCode: 0,
      })),
    })),
  };
}

function refused(code: ErrorCode): Fetched {
  return { errorCode: errorNumber(code), topics: [] };
}

function refusedEach(asked: AskedTopics, errorCode: number): Fetched {
  return {
    errorCode,
    topics: (asked ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: -1,
        committedLeaderEpoch: -1,
        metadata: "",
        errorCode,
      })),
    })),
  };
}
