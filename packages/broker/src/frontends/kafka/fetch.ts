/** Fetch: decodes what is wanted, keeps the client's session, and encodes what was read. */
import {
  type OutgoingResponseOf,
  type RequestOf,
  type ServedApis,
  ZERO_UUID,
} from "@strandline/kafka-protocol";
import { type ErrorCode, errorNumber } from "@strandline/model";
import type { Clock } from "@strandline/platform";
import type { Directory } from "../../services/directory.js";
import type { FetchManyService, PartitionRead } from "../../services/fetch-many.js";
import type {
  FetchPlace,
  FetchSessions,
  FetchTurn,
  FetchWanted,
} from "../../services/fetch-sessions.js";
import { CurrentLeaders } from "./current-leaders.js";
import type { KafkaHandler, KafkaRequestContext } from "./handler.js";

export interface FetchParts {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly sessions: FetchSessions;
  readonly fetchMany: FetchManyService;
  /** `fetch.max.bytes`. librdkafka drops a connection that sends much more than its default. */
  readonly answerBytesMax: number;
}

type Request = RequestOf<ServedApis["Fetch"]>;
type Response = OutgoingResponseOf<ServedApis["Fetch"]>;
type TopicAnswer = Response["responses"][number];
type PartitionAnswer = TopicAnswer["partitions"][number];

const TOPIC_IDS_VERSION_MIN = 13;
/** Until then a client knows no failed disk. */
const STORAGE_ERROR_VERSION_MIN = 6;
const READ_COMMITTED = 1;

export function fetchHandler(parts: FetchParts): KafkaHandler<"Fetch"> {
  return async (request, context) => {
    const usesTopicIds = context.version >= TOPIC_IDS_VERSION_MIN;
    const turn = parts.sessions.open(
      {
        sessionId: request.sessionId,
        sessionEpoch: request.sessionEpoch,
        usesTopicIds,
        wanted: wantedOf(request, usesTopicIds),
        forgotten: forgottenOf(request, usesTopicIds),
      },
      parts.clock.monotonicMs(),
    );
    if ("code" in turn) return { errorCode: errorNumber(turn.code), responses: [] };
    const bounds = {
      bytesMin: Math.max(0, request.minBytes),
      bytesMax: Math.min(Math.max(0, request.maxBytes), parts.answerBytesMax),
      waitMs: Math.max(0, request.maxWaitMs),
    };
    const reads = await parts.fetchMany.read(turn.wanted, bounds, context);
    return answer(parts, { request, context, turn }, reads);
  };
}

function wantedOf(request: Request, usesTopicIds: boolean): FetchWanted[] {
  const wanted: FetchWanted[] = [];
  for (const topic of request.topics) {
    for (const one of topic.partitions) {
      wanted.push({
        topic: usesTopicIds ? "" : topic.topic,
        topicId: usesTopicIds ? topic.topicId : ZERO_UUID,
        partition: one.partition,
        offset: one.fetchOffset,
        currentLeaderEpoch: one.currentLeaderEpoch,
        lastFetchedEpoch: one.lastFetchedEpoch,
        bytesMax: Math.max(0, one.partitionMaxBytes),
      });
    }
  }
  return wanted;
}

function forgottenOf(request: Request, usesTopicIds: boolean): FetchPlace[] {
  return request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((partition) => ({
      topic: usesTopicIds ? "" : topic,
      topicId: usesTopicIds ? topicId : ZERO_UUID,
      partition,
    })),
  );
}

function answer(
  parts: FetchParts,
  asked: {
    readonly request: Request;
    readonly context: KafkaRequestContext;
    readonly turn: FetchTurn;
  },
  reads: readonly PartitionRead[],
): Response {
  const { request, context, turn } = asked;
  const leaders = new CurrentLeaders(parts.directory.image, context.listener);
  const abortedTransactions = request.isolationLevel === READ_COMMITTED ? [] : null;
  const responses: (TopicAnswer & { partitions: PartitionAnswer[] })[] = [];
  reads.forEach((read, index) => {
    const wanted = turn.wanted[index] as FetchWanted;
    const outcome = {
      isRefused: read.error !== undefined,
      isDiverging: read.diverging !== undefined,
      recordBytes: read.sizeBytes,
      highWatermark: read.highWatermark,
      logStartOffset: read.logStartOffset,
    };
    if (!turn.tells(index, outcome)) return;
    const { topic, topicId } = wanted;
    let group = responses.at(-1);
    if (group === undefined || group.topic !== topic || group.topicId !== topicId) {
      group = { topic, topicId, partitions: [] };
      responses.push(group);
    }
    group.partitions.push(
      partitionAnswer(wanted, read, { context, leaders, parts, abortedTransactions }),
    );
  });
  return { sessionId: turn.sessionId, responses, nodeEndpoints: leaders.endpoints };
}

function partitionAnswer(
  { partition }: FetchWanted,
  read: PartitionRead,
  asked: {
    readonly context: KafkaRequestContext;
    readonly leaders: CurrentLeaders;
    readonly parts: FetchParts;
    readonly abortedTransactions: PartitionAnswer["abortedTransactions"];
  },
): PartitionAnswer {
  const { abortedTransactions } = asked;
  if (read.error !== undefined) {
    const { code } = read.error;
    const isElsewhere = code === "NOT_LEADER_OR_FOLLOWER" || code === "FENCED_LEADER_EPOCH";
    const id = read.topic?.id;
    const topic = id === undefined ? undefined : asked.parts.directory.image.topics.get(id);
    const currentLeader = isElsewhere ? asked.leaders.of(topic?.partitions[partition]) : undefined;
    return {
      partitionIndex: partition,
      errorCode: errorNumber(toldCode(code, asked.context.version)),
      highWatermark: -1,
      records: new Uint8Array(0),
      abortedTransactions,
      ...(currentLeader === undefined ? {} : { currentLeader }),
    };
  }
  // Without a spread, which would take as long as all the rest.
  const answered: PartitionAnswer = {
    partitionIndex: partition,
    errorCode: 0,
    highWatermark: read.highWatermark,
    // Without transactions whatever is committed is decided too.
    lastStableOffset: read.highWatermark,
    logStartOffset: read.logStartOffset,
    records: read.batches,
    abortedTransactions,
  };
  const { diverging } = read;
  return diverging === undefined ? answered : { ...answered, divergingEpoch: diverging };
}

/** Clients of old versions know fewer refusals, and take what they do not know for final. */
function toldCode(code: ErrorCode, version: number): ErrorCode {
  return code === "KAFKA_STORAGE_ERROR" && version < STORAGE_ERROR_VERSION_MIN
    ? "NOT_LEADER_OR_FOLLOWER"
    : code;
}
