/** CreateTopics: each topic by itself, with an error of its own. */
import type { OutgoingResponseOf, RequestOf, ServedApis } from "@strandline/kafka-protocol";
import { type MetadataImage, topicConfigEntries, topicResource } from "@strandline/metadata";
import { BrokerError, errorNumber } from "@strandline/model";
import type { AdminService } from "../../services/admin.js";
import { configSourceNumber } from "./config-entries.js";
import type { KafkaHandler } from "./handler.js";

export interface CreateTopicsParts {
  readonly admin: AdminService;
  image(): MetadataImage;
}

type Question = RequestOf<ServedApis["CreateTopics"]>["topics"][number];
type Answer = OutgoingResponseOf<ServedApis["CreateTopics"]>["topics"][number];

export function createTopicsHandler(parts: CreateTopicsParts): KafkaHandler<"CreateTopics"> {
  return async ({ topics, validateOnly }) => {
    const counts = new Map<string, number>();
    for (const { name } of topics) counts.set(name, (counts.get(name) ?? 0) + 1);
    const asked = [...new Map(topics.map((topic) => [topic.name, topic])).values()];
    return {
      topics: await Promise.all(
        asked.map(async (topic): Promise<Answer> => {
          try {
            if (counts.get(topic.name) !== 1) {
              throw new BrokerError("INVALID_REQUEST", "the request names this topic twice");
            }
            return await create(parts, topic, validateOnly);
          } catch (error) {
            if (!(error instanceof BrokerError)) throw error;
            return refused(topic.name, error);
          }
        }),
      ),
    };
  };
}

async function create(
  { admin, image }: CreateTopicsParts,
  topic: Question,
  validateOnly: boolean,
): Promise<Answer> {
  const { name, numPartitions, replicationFactor } = topic;
  requireCounts(topic);
  const configs = new Map<string, string>();
  for (const config of topic.configs) {
    if (config.value === null) {
      throw new BrokerError("INVALID_CONFIG", `${config.name} needs a value`);
    }
    configs.set(config.name, config.value);
  }
  const created = await admin.createTopic({
    name,
    partitions: numPartitions,
    replicationFactor,
    assignments: assignmentsOf(topic),
    configs,
    validateOnly,
    // Whoever sets it by hand in a request of this protocol means it.
    allowWeakDurability: true,
  });
  const settled = withConfigs(image(), name, configs);
  return {
    name,
    ...(validateOnly ? {} : { topicId: created.topicId }),
    errorCode: 0,
    errorMessage: null,
    numPartitions: created.partitions,
    replicationFactor: created.replicationFactor,
    configs: topicConfigEntries(settled, name).map((entry) => ({
      name: entry.name,
      value: entry.value,
      readOnly: false,
      configSource: configSourceNumber(entry.source),
      isSensitive: false,
    })),
  };
}

/** Zero is no number of either, though it stands for the default elsewhere. */
function requireCounts({ assignments, numPartitions, replicationFactor }: Question): void {
  if (assignments.length > 0) {
    if (numPartitions === -1 && replicationFactor === -1) return;
    throw new BrokerError(
      "INVALID_REQUEST",
      "with assignments, the counts of partitions and replicas are both -1",
    );
  }
  if (numPartitions === 0 || numPartitions < -1) {
    throw new BrokerError("INVALID_PARTITIONS", "a topic has at least one partition");
  }
  if (replicationFactor === 0 || replicationFactor < -1) {
    throw new BrokerError("INVALID_REPLICATION_FACTOR", "a partition has at least one replica");
  }
}

/** In the order of the partitions, which are numbered from 0 without a gap. */
function assignmentsOf({ assignments }: Question): { brokerIds: number[] }[] {
  const ordered = [...assignments].sort((a, b) => a.partitionIndex - b.partitionIndex);
  return ordered.map(({ partitionIndex, brokerIds }, index) => {
    if (partitionIndex !== index) {
      throw new BrokerError(
        "INVALID_REPLICA_ASSIGNMENT",
        "partitions are numbered from 0 without a gap, each once",
      );
    }
    return { brokerIds: [...brokerIds] };
  });
}

/** The image as it is, or would be, with the topic's own settings. */
function withConfigs(
  image: MetadataImage,
  name: string,
  configs: ReadonlyMap<string, string>,
): MetadataImage {
  return { ...image, configs: new Map(image.configs).set(topicResource(name), configs) };
}

function refused(name: string, error: BrokerError): Answer {
  return {
    name,
    errorCode: errorNumber(error.code),
    errorMessage: error.message,
    // Null would say that they may not be seen.
    configs: [],
  };
}
