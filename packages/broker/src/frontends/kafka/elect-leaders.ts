/** ElectLeaders: preferred, or unclean where nobody leads. Each topic is one command. */
import type { OutgoingResponseOf, RequestOf, ServedApis } from "@strandline/kafka-protocol";
import { BrokerError, errorNumber } from "@strandline/model";
import type { AdminHandlerParts } from "./admin-handlers.js";
import type { KafkaHandler } from "./handler.js";
import { ACCEPTED, refusalFields } from "./refused.js";

type Request = RequestOf<ServedApis["ElectLeaders"]>;
type Response = OutgoingResponseOf<ServedApis["ElectLeaders"]>;
type TopicAnswer = Response["replicaElectionResults"][number];
type Answer = TopicAnswer["partitionResult"][number];
type Parts = Pick<AdminHandlerParts, "admin" | "directory">;

const PREFERRED = 0;
const UNCLEAN = 1;

interface Question {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export function electLeadersHandler(parts: Parts): KafkaHandler<"ElectLeaders"> {
  return async ({ electionType, topicPartitions }) => {
    if (electionType !== PREFERRED && electionType !== UNCLEAN) {
      return refusedType(electionType, topicPartitions ?? []);
    }
    const isUnclean = electionType === UNCLEAN;
    const questions = topicPartitions ?? everywhere(parts, isUnclean);
    const results = questions.map(async ({ topic, partitions }): Promise<TopicAnswer> => {
      if (partitions.length === 0) return { topic, partitionResult: [] };
      const answers = await elect(parts, { topic, partitions }, isUnclean);
      return { topic, partitionResult: answers };
    });
    return { errorCode: 0, replicaElectionResults: await Promise.all(results) };
  };
}

async function elect(
  { admin }: Parts,
  { topic, partitions }: Question,
  isUnclean: boolean,
): Promise<Answer[]> {
  const known = partitions.filter((index) => index >= 0);
  const unknown = partitions
    .filter((index) => index < 0)
    .map((index) => {
      const code = errorNumber("UNKNOWN_TOPIC_OR_PARTITION");
      return { partitionId: index, errorCode: code, errorMessage: `no partition ${index}` };
    });
  if (known.length === 0) return unknown;
  try {
    const { results } = await admin.submit({
      kind: "elect-leaders",
      topic,
      partitions: known,
      unclean: isUnclean,
    });
    const answers = results.map(({ partition, refusal }): Answer => {
      if (refusal === null) return { partitionId: partition, ...ACCEPTED };
      const { code, message } = refusal;
      return { partitionId: partition, errorCode: errorNumber(code), errorMessage: message };
    });
    return [...answers, ...unknown, ...again(known)];
  } catch (error) {
    const refusal = refusalFields(error);
    return partitions.map((partitionId) => ({ partitionId, ...refusal }));
  }
}

/** A partition that is named once more has been seen to by then. */
function again(partitions: readonly number[]): Answer[] {
  return partitions
    .filter((partition, at) => partitions.indexOf(partition) !== at)
    .map((partitionId) => ({
      partitionId,
      errorCode: errorNumber("ELECTION_NOT_NEEDED"),
      errorMessage: "this request elects a leader of the partition already",
    }));
}

/** All topics, each with the partitions for which an election may change something. */
function everywhere({ directory }: Parts, isUnclean: boolean): Question[] {
  return [...directory.image.topics.values()].map(({ name, partitions }) => {
    const indexes = partitions.flatMap(({ leader, replicas }, index) => {
      const isDue = isUnclean ? leader === -1 : leader !== replicas[0];
      return isDue ? [index] : [];
    });
    return { topic: name, partitions: indexes };
  });
}

function refusedType(type: number, topics: NonNullable<Request["topicPartitions"]>): Response {
  const refusal = refusalFields(
    new BrokerError("INVALID_REQUEST", `there is no election of type ${type}`),
  );
  return {
    errorCode: refusal.errorCode,
    replicaElectionResults: topics.map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, ...refusal })),
    })),
  };
}
