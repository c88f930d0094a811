/** DeleteTopics: by name, or by id since version 6. */
import { type OutgoingResponseOf, type ServedApis, ZERO_UUID } from "@strandline/kafka-protocol";
import type { MetadataImage } from "@strandline/metadata";
import { BrokerError, errorNumber, type TopicId } from "@strandline/model";
import type { AdminService } from "../../services/admin.js";
import type { KafkaHandler } from "./handler.js";

export interface DeleteTopicsParts {
  readonly admin: AdminService;
  image(): MetadataImage;
}

type Answer = OutgoingResponseOf<ServedApis["DeleteTopics"]>["responses"][number];

interface Question {
  readonly name: string | null;
  readonly topicId: string;
}

const TOPIC_IDS_VERSION_MIN = 6;

export function deleteTopicsHandler(parts: DeleteTopicsParts): KafkaHandler<"DeleteTopics"> {
  return async (request, { version }) => {
    const questions: readonly Question[] =
      version >= TOPIC_IDS_VERSION_MIN
        ? request.topics
        : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
    const image = parts.image();
    const asked = questions.map((question) => resolved(image, question));
    const counts = new Map<string, number>();
    for (const { key } of asked) counts.set(key, (counts.get(key) ?? 0) + 1);
    const once = [...new Map(asked.map((one) => [one.key, one])).values()];
    return {
      responses: await Promise.all(
        once.map(async ({ key, question, name, topicId }): Promise<Answer> => {
          try {
            if (counts.get(key) !== 1) {
              throw new BrokerError("INVALID_REQUEST", "the request names this topic twice");
            }
            await parts.admin.deleteTopic(requireName(question, name));
            return { name, topicId, errorCode: 0 };
          } catch (error) {
            if (!(error instanceof BrokerError)) throw error;
            const { code, message } = error;
            return {
              name: name ?? (version >= TOPIC_IDS_VERSION_MIN ? null : ""),
              topicId,
              errorCode: errorNumber(code),
              errorMessage: message,
            };
          }
        }),
      ),
    };
  };
}

/** Both names of what is asked for, as far as they are known. */
function resolved(
  image: MetadataImage,
  question: Question,
): { key: string; question: Question; name: string | null; topicId: string } {
  const { name, topicId } = question;
  if (name !== null) {
    const id = image.topicIds.get(name) ?? ZERO_UUID;
    // Named twice over, it is refused; as it was asked for, then.
    return { key: name, question, name, topicId: topicId === ZERO_UUID ? id : topicId };
  }
  const topic = image.topics.get(topicId as TopicId);
  return { key: topic?.name ?? topicId, question, name: topic?.name ?? null, topicId };
}

function requireName(question: Question, name: string | null): string {
  if (question.name !== null && question.topicId !== ZERO_UUID) {
    throw new BrokerError("INVALID_REQUEST", "a topic is named or has its id given, not both");
  }
  if (question.name === null && question.topicId === ZERO_UUID) {
    throw new BrokerError("INVALID_REQUEST", "neither a name nor an id is given");
  }
  if (name === null) {
    throw new BrokerError("UNKNOWN_TOPIC_ID", `there is no topic with id ${question.topicId}`);
  }
  return name;
}
