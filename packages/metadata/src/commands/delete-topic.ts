/** Deletes a topic with its partitions and settings; brokers remove the logs. */
import { isInternalTopic, type TopicId } from "@strandline/model";
import { accept, type Decision, refuse } from "../decision.js";
import { type MetadataImage, topicByName } from "../image.js";
import type { JsonObject } from "../json.js";

export interface DeleteTopicCommand {
  readonly kind: "delete-topic";
  readonly name: string;
}

export interface DeleteTopicResponse {
  readonly kind: "delete-topic";
  readonly topicId: TopicId;
}

export function decideDeleteTopic(
  image: MetadataImage,
  command: DeleteTopicCommand,
): Decision<DeleteTopicResponse> {
  const topic = topicByName(image, command.name);
  if (topic === undefined) {
    return refuse("UNKNOWN_TOPIC_OR_PARTITION", `no topic ${command.name}`);
  }
  if (isInternalTopic(command.name)) {
    return refuse(
      "INVALID_TOPIC_EXCEPTION",
      `${command.name} is the cluster's own: with it, what every group has committed would be gone`,
    );
  }
  return accept({ kind: "delete-topic", topicId: topic.id }, [
    { type: "topic-deleted", version: 1, topicId: topic.id },
  ]);
}

export function decodeDeleteTopic(json: JsonObject): DeleteTopicCommand {
  return { kind: "delete-topic", name: json.text("name") };
}
