/**
 * Produce: appends each batch to the partition that it names, if this broker leads it. Nothing is
 * passed on: a client that came to the wrong broker is told who the right one is.
 */
import type { OutgoingResponseOf, RequestOf, ServedApis } from "@strandline/kafka-protocol";
import type { MetadataImage, Topic } from "@strandline/metadata";
import { BrokerError, type ErrorCode, errorNumber, isInternalTopic } from "@strandline/model";
import { attributes, batchBytes, compressionName, magic } from "@strandline/record";
import type { Acks, Appended } from "../../partition/produce-ticket.js";
import type { Directory } from "../../services/directory.js";
import type { ProduceService } from "../../services/produce.js";
import { CurrentLeaders } from "./current-leaders.js";
import type { KafkaProduce, KafkaRequestContext } from "./handler.js";

export interface ProduceParts {
  readonly directory: Directory;
  readonly produce: ProduceService;
}

type Request = RequestOf<ServedApis["Produce"]>;
type Response = OutgoingResponseOf<ServedApis["Produce"]>;
type PartitionAnswer = Response["responses"][number]["partitionResponses"][number];

const ACKS: ReadonlyMap<number, Acks> = new Map([
  [-1, "all"],
  [0, "none"],
  [1, "leader"],
]);
/** The client that may write to the cluster's own topics, as Kafka has it: tools that repair them. */
const ADMIN_CLIENT_ID = "__admin_client";
/** Since then a client knows what zstd is. */
const ZSTD_VERSION_MIN = 7;
/** Longest part of a header that is looked at before the batch is checked as a whole. */
const HEAD_BYTES = 61;
const COMPRESSION_MASK = 7;

export function kafkaProduce(parts: ProduceParts): KafkaProduce {
  return (request, context, onAnswer) => {
    new ProduceRun(parts, request, context, onAnswer).start();
  };
}

/** One request: gathers the answers of its partitions, in their order. */
class ProduceRun {
  readonly #parts: ProduceParts;
  readonly #request: Request;
  readonly #context: KafkaRequestContext;
  readonly #onAnswer: (response: Response) => void;
  readonly #image: MetadataImage;
  readonly #responses: { name: string; partitionResponses: PartitionAnswer[] }[] = [];
  #leaders: CurrentLeaders | undefined;
  /** One more than partitions without an answer, until all were started. */
  #open = 1;

  constructor(
    parts: ProduceParts,
    request: Request,
    context: KafkaRequestContext,
    onAnswer: (response: Response) => void,
  ) {
    this.#parts = parts;
    this.#request = request;
    this.#context = context;
    this.#onAnswer = onAnswer;
    this.#image = parts.directory.image;
  }

  start(): void {
    const { topicIds, topics } = this.#image;
    for (const { name, partitionData } of this.#request.topicData) {
      const id = topicIds.get(name);
      const topic = id === undefined ? undefined : topics.get(id);
      const partitionResponses: PartitionAnswer[] = [];
      this.#responses.push({ name, partitionResponses });
      for (const { index, records } of partitionData) {
        const at = partitionResponses.length;
        // In its place now, so that the answers come in the order of the request.
        partitionResponses.push(refused(index, "UNKNOWN_TOPIC_OR_PARTITION"));
        if (topic !== undefined) this.#append({ topic, index, records, partitionResponses, at });
      }
    }
    this.#done();
  }

  #append(one: {
    readonly topic: Topic;
    readonly index: number;
    readonly records: Uint8Array | null;
    readonly partitionResponses: PartitionAnswer[];
    readonly at: number;
  }): void {
    const { topic, index, records, partitionResponses, at } = one;
    const settle = (error: BrokerError | undefined, appended: Appended | undefined): void => {
      partitionResponses[at] =
        appended === undefined ? this.#refused(topic, index, error) : accepted(index, appended);
      this.#done();
    };
    this.#open += 1;
    try {
      const { acks, batch } = this.#checked(topic, index, records);
      const replica = this.#parts.directory.led(topic, index);
      const timeoutMs = Math.max(0, this.#request.timeoutMs);
      // kafkajs stamps records that carry no time of their own each time it sends them.
      const options = { acks, timeoutMs, mayBeReencoded: true };
      this.#parts.produce.append(replica, batch, options, settle);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      settle(error, undefined);
    }
  }

  /** What can be said without a look at the partition. Throws the refusal. */
  #checked(
    topic: Topic,
    index: number,
    records: Uint8Array | null,
  ): { readonly acks: Acks; readonly batch: Uint8Array } {
    if (topic.partitions[index] === undefined) {
      throw new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", `${topic.name}-${index} does not exist`);
    }
    if (records === null || records.length === 0) {
      throw new BrokerError("INVALID_RECORD", "there is no record batch");
    }
    const problem = shapeProblem(records, this.#context.version);
    if (problem !== undefined) throw problem;
    const acks = ACKS.get(this.#request.acks);
    if (acks === undefined) {
      throw new BrokerError("INVALID_REQUIRED_ACKS", `acks must be -1, 0 or 1`);
    }
    if (this.#request.transactionalId !== null) {
      throw new BrokerError("UNSUPPORTED_VERSION", "transactions are not served");
    }
    if (isInternalTopic(topic.name) && this.#context.clientId !== ADMIN_CLIENT_ID) {
      throw new BrokerError("INVALID_TOPIC_EXCEPTION", `${topic.name} is the cluster's own`);
    }
    return { acks, batch: records };
  }

  #refused(topic: Topic, index: number, error: BrokerError | undefined): PartitionAnswer {
    const code = error?.code ?? "UNKNOWN_SERVER_ERROR";
    const answer = refused(index, code, error);
    if (code !== "NOT_LEADER_OR_FOLLOWER") return answer;
    // As the metadata is now: leadership may have moved while the batch waited.
    const { image } = this.#parts.directory;
    this.#leaders ??= new CurrentLeaders(image, this.#context.listener);
    const state = image.topics.get(topic.id)?.partitions[index];
    const currentLeader = this.#leaders.of(state);
    return currentLeader === undefined ? answer : { ...answer, currentLeader };
  }

  #done(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    const responses = this.#responses;
    const nodeEndpoints = this.#leaders?.endpoints;
    this.#onAnswer(nodeEndpoints === undefined ? { responses } : { responses, nodeEndpoints });
  }
}

/** Of what kind the bytes are: exactly one batch, in a form that this version of Produce may have. */
function shapeProblem(records: Uint8Array, version: number): BrokerError | undefined {
  // Too short for a header: the checksum cannot match either.
  if (records.length < HEAD_BYTES) return undefined;
  if (magic(records, 0) !== 2) {
    return new BrokerError("INVALID_RECORD", "only record batches of version 2 are taken");
  }
  const codec = compressionName(attributes(records, 0) & COMPRESSION_MASK);
  if (codec === "zstd" && version < ZSTD_VERSION_MIN) {
    return new BrokerError(
      "UNSUPPORTED_COMPRESSION_TYPE",
      `Produce version ${version} does not know zstd`,
    );
  }
  const rest = records.length - batchBytes(records, 0);
  if (rest >= HEAD_BYTES) {
    return new BrokerError("INVALID_RECORD", "a partition takes one record batch in a request");
  }
  return undefined;
}

function accepted(index: number, appended: Appended): PartitionAnswer {
  return {
    index,
    errorCode: 0,
    baseOffset: appended.baseOffset,
    logAppendTimeMs: appended.logAppendTimeMs,
    logStartOffset: appended.logStartOffset,
  };
}

function refused(index: number, code: ErrorCode, error?: BrokerError): PartitionAnswer {
  const answer = { index, errorCode: errorNumber(code), baseOffset: -1 };
  if (error === undefined) return answer;
  const recordErrors = error.records.map((record) => ({
    batchIndex: record.index,
    batchIndexErrorMessage: record.message,
  }));
  return { ...answer, recordErrors, errorMessage: error.message };
}
