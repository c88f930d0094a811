/** Metadata: who the brokers are for this client, and who leads what. */
import {
  type OutgoingResponseOf,
  type RequestOf,
  type ServedApis,
  ZERO_UUID,
} from "@strandline/kafka-protocol";
import type { MetadataImage, Partition as PartitionImage, Topic } from "@strandline/metadata";
import {
  type ErrorCode,
  errorNumber,
  isInternalTopic,
  type NodeId,
  type TopicId,
  topicNameProblem,
} from "@strandline/model";
import { CLUSTER_OPERATIONS, NOT_ASKED, TOPIC_OPERATIONS } from "./authorized-operations.js";
import type { KafkaHandler, KafkaListenerView, KafkaRequestContext } from "./handler.js";

export interface MetadataParts {
  readonly nodeId: NodeId;
  image(): MetadataImage;
  /** The active controller, -1 while unknown. */
  controllerId(): number;
  /** Topics are made for whom names ones that do not exist. */
  readonly autoCreateTopics: boolean;
  /** Creates a topic with the defaults of the cluster. Resolves also when that is refused. */
  createTopic(name: string): Promise<void>;
}

type Request = RequestOf<ServedApis["Metadata"]>;
type Response = OutgoingResponseOf<ServedApis["Metadata"]>;
type TopicAnswer = Response["topics"][number];
type PartitionAnswer = TopicAnswer["partitions"][number];
type Broker = Response["brokers"][number];

/** Until then an empty list asked for all topics. */
const NO_TOPICS_VERSION_MIN = 1;
/** Since then a topic can be asked for by its id. */
const TOPIC_IDS_VERSION_MIN = 12;
/** Since then a leader without a listener for the client has an error of its own. */
const LISTENER_ERROR_VERSION_MIN = 6;

export function metadataHandler(parts: MetadataParts): KafkaHandler<"Metadata"> {
  return async (request, context) => {
    const { version, listener } = context;
    const { topics } = request;
    const asksForAll = topics === null || (version < NO_TOPICS_VERSION_MIN && topics.length === 0);
    if (!asksForAll && !isWellFormed(topics, version)) return refusedAll(parts, request, context);
    if (!asksForAll && parts.autoCreateTopics && request.allowAutoTopicCreation) {
      await createMissing(parts, topics);
    }
    // Everything below is of one image, taken now.
    const image = parts.image();
    const brokers = brokersOf(image, listener);
    const describer = new TopicDescriber(image, listener, {
      version,
      asksForOperations: request.includeTopicAuthorizedOperations,
    });
    const { controllerId, nodeId } = { controllerId: parts.controllerId(), nodeId: parts.nodeId };
    return {
      brokers,
      clusterId: image.clusterId ?? null,
      // Any broker passes on what is for the controller; this one is sure to be reachable.
      controllerId: brokers.some((broker) => broker.nodeId === controllerId)
        ? controllerId
        : nodeId,
      topics: asksForAll
        ? [...image.topics.values()].map((topic) => describer.topic(topic))
        : describer.asked(topics),
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? CLUSTER_OPERATIONS
        : NOT_ASKED,
    };
  };
}

function brokersOf(image: MetadataImage, listener: KafkaListenerView): Broker[] {
  const brokers: Broker[] = [];
  for (const node of image.nodes.values()) {
    const address = node.isFenced ? undefined : listener.endpointOf(node.id);
    if (address === undefined) continue;
    brokers.push({ nodeId: node.id, ...address, rack: node.rack === "" ? null : node.rack });
  }
  return brokers;
}

/** Before topics could be asked for by id, a name had to be there, and no id. */
function isWellFormed(topics: NonNullable<Request["topics"]>, version: number): boolean {
  if (version >= TOPIC_IDS_VERSION_MIN) return true;
  return topics.every(({ name, topicId }) => name !== null && topicId === ZERO_UUID);
}

function refusedAll(
  parts: MetadataParts,
  request: Request,
  { listener }: KafkaRequestContext,
): Response {
  const image = parts.image();
  return {
    brokers: brokersOf(image, listener),
    clusterId: image.clusterId ?? null,
    controllerId: parts.nodeId,
    topics: (request.topics ?? []).map(({ name, topicId }) =>
      refusedTopic("INVALID_REQUEST", name ?? "", topicId),
    ),
  };
}

async function createMissing(
  parts: MetadataParts,
  topics: NonNullable<Request["topics"]>,
): Promise<void> {
  const { topicIds } = parts.image();
  const missing = new Set<string>();
  for (const { name, topicId } of topics) {
    if (name === null || topicId !== ZERO_UUID || topicIds.has(name)) continue;
    if (topicNameProblem(name) === undefined && !isInternalTopic(name)) missing.add(name);
  }
  await Promise.all([...missing].map(async (name) => await parts.createTopic(name)));
}

function refusedTopic(code: ErrorCode, name: string | null, topicId: string): TopicAnswer {
  return {
    errorCode: errorNumber(code),
    name,
    topicId,
    isInternal: name !== null && isInternalTopic(name),
    partitions: [],
  };
}

/** Topics and partitions as clients of one listener may see them. */
export class TopicDescriber {
  readonly #image: MetadataImage;
  readonly #reachable: ReadonlySet<number>;
  readonly #version: number;
  readonly #topicOperations: number;

  constructor(
    image: MetadataImage,
    listener: KafkaListenerView,
    options: { readonly version: number; readonly asksForOperations?: boolean },
  ) {
    this.#image = image;
    this.#reachable = new Set(brokersOf(image, listener).map(({ nodeId }) => nodeId));
    this.#version = options.version;
    this.#topicOperations = options.asksForOperations === true ? TOPIC_OPERATIONS : NOT_ASKED;
  }

  /** Each topic once. Where one is asked for by id, names alone are left out, as Kafka does. */
  asked(topics: NonNullable<Request["topics"]>): TopicAnswer[] {
    const ids = new Set(topics.map(({ topicId }) => topicId).filter((id) => id !== ZERO_UUID));
    if (ids.size > 0) {
      return [...ids].map((id) => {
        const topic = this.#image.topics.get(id as TopicId);
        return topic === undefined ? refusedTopic("UNKNOWN_TOPIC_ID", null, id) : this.topic(topic);
      });
    }
    const names = new Set(topics.map(({ name }) => name ?? ""));
    return [...names].map((name) => {
      const id = this.#image.topicIds.get(name);
      const topic = id === undefined ? undefined : this.#image.topics.get(id);
      if (topic !== undefined) return this.topic(topic);
      const isLegal = topicNameProblem(name) === undefined;
      const code = isLegal ? "UNKNOWN_TOPIC_OR_PARTITION" : "INVALID_TOPIC_EXCEPTION";
      return refusedTopic(code, name, ZERO_UUID);
    });
  }

  topic(topic: Topic): TopicAnswer {
    return {
      errorCode: 0,
      name: topic.name,
      topicId: topic.id,
      isInternal: isInternalTopic(topic.name),
      partitions: topic.partitions.map((state, index) => this.partition(state, index)),
      topicAuthorizedOperations: this.#topicOperations,
    };
  }

  partition(
    state: PartitionImage,
    partitionIndex: number,
  ): PartitionAnswer & { readonly offlineReplicas: readonly number[] } {
    const offlineReplicas = state.replicas.filter((id) => !this.#isAlive(id));
    const isReachable = state.leader !== -1 && this.#reachable.has(state.leader);
    return {
      errorCode: isReachable ? 0 : errorNumber(this.#leaderProblem(state)),
      partitionIndex,
      leaderId: isReachable ? state.leader : -1,
      leaderEpoch: state.leaderEpoch,
      replicaNodes: [...state.replicas],
      isrNodes: [...state.isr],
      offlineReplicas,
    };
  }

  #leaderProblem(state: PartitionImage): ErrorCode {
    const isLed = state.leader !== -1 && this.#isAlive(state.leader);
    return isLed && this.#version >= LISTENER_ERROR_VERSION_MIN
      ? "LISTENER_NOT_FOUND"
      : "LEADER_NOT_AVAILABLE";
  }

  #isAlive(id: NodeId): boolean {
    return this.#image.nodes.get(id)?.isFenced === false;
  }
}
