/**
 * DescribeTopicPartitions: topics in the order of their names, page by page. A page ends after a
 * number of partitions, and says where the next one begins.
 */
import {
  type OutgoingResponseOf,
  type RequestOf,
  type ServedApis,
  ZERO_UUID,
} from "@strandline/kafka-protocol";
import { type Topic, topicByName } from "@strandline/metadata";
import { type ErrorCode, errorNumber, isInternalTopic, topicNameProblem } from "@strandline/model";
import type { AdminHandlerParts } from "./admin-handlers.js";
import { NOT_ASKED, TOPIC_OPERATIONS } from "./authorized-operations.js";
import type { KafkaHandler } from "./handler.js";
import { TopicDescriber } from "./metadata.js";

type Request = RequestOf<ServedApis["DescribeTopicPartitions"]>;
type Response = OutgoingResponseOf<ServedApis["DescribeTopicPartitions"]>;
type TopicAnswer = Response["topics"][number];

/** As Kafka's `max.request.partition.size.limit`. */
const PARTITIONS_MAX = 2_000;
/** The version of Metadata whose errors these are. */
const METADATA_VERSION = 12;

export function describeTopicPartitionsHandler({
  directory,
}: Pick<AdminHandlerParts, "directory">): KafkaHandler<"DescribeTopicPartitions"> {
  return async (request, { listener }) => {
    const { image } = directory;
    const names = namesOf(request, image.topicIds.keys());
    if (names === undefined) {
      const topics = request.topics.map(({ name }) => refused("INVALID_REQUEST", name));
      return { topics, nextCursor: null };
    }
    const describer = new TopicDescriber(image, listener, { version: METADATA_VERSION });
    const { cursor } = request;
    let left = Math.max(1, Math.min(PARTITIONS_MAX, request.responsePartitionLimit));
    const topics: TopicAnswer[] = [];
    for (const name of names) {
      if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } };
      const topic = topicByName(image, name);
      if (topic === undefined) {
        // Whatever may be done to a topic may be done to one that does not exist, too.
        const unknown = refused(codeOfUnknown(name), name);
        topics.push({ ...unknown, topicAuthorizedOperations: TOPIC_OPERATIONS });
        continue;
      }
      const first = cursor?.topicName === name ? cursor.partitionIndex : 0;
      const end = Math.min(topic.partitions.length, first + left);
      topics.push(described(describer, topic, { first, end }));
      if (end < topic.partitions.length) {
        return { topics, nextCursor: { topicName: name, partitionIndex: end } };
      }
      left -= Math.max(0, end - first);
    }
    return { topics, nextCursor: null };
  };
}

/** What is asked from the cursor on, in order; undefined when the cursor is none of it. */
function namesOf(
  { topics, cursor }: Request,
  allNames: Iterable<string>,
): readonly string[] | undefined {
  const asked = topics.length === 0 ? allNames : topics.map(({ name }) => name);
  const names = [...new Set(asked)]
    .filter((name) => cursor === null || name >= cursor.topicName)
    .sort((a, b) => (a < b ? -1 : 1));
  if (cursor === null) return names;
  if (cursor.partitionIndex < 0) return undefined;
  return topics.length === 0 || names.includes(cursor.topicName) ? names : undefined;
}

function described(
  describer: TopicDescriber,
  topic: Topic,
  range: { readonly first: number; readonly end: number },
): TopicAnswer {
  const states = topic.partitions.slice(range.first, Math.max(range.first, range.end));
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: states.map((state, at) => ({
      ...describer.partition(state, range.first + at),
      eligibleLeaderReplicas: [...state.elr],
      lastKnownElr: [],
    })),
    topicAuthorizedOperations: TOPIC_OPERATIONS,
  };
}

function codeOfUnknown(name: string): ErrorCode {
  const isLegal = topicNameProblem(name) === undefined;
  return isLegal ? "UNKNOWN_TOPIC_OR_PARTITION" : "INVALID_TOPIC_EXCEPTION";
}

function refused(code: ErrorCode, name: string): TopicAnswer {
  return {
    errorCode: errorNumber(code),
    name,
    topicId: ZERO_UUID,
    isInternal: isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: NOT_ASKED,
  };
}
