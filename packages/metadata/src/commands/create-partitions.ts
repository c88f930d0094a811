/** Adds partitions to a topic. Existing ones never move or vanish. */
import { INT32_MAX, TOPIC_PARTITIONS_MAX, type TopicId } from "@strandline/model";
import { accept, type Decision, type Refused, refuse } from "../decision.js";
import { type MetadataImage, type Topic, targetReplicas, topicByName } from "../image.js";
import type { JsonObject } from "../json.js";
import {
  type Assignments,
  assignmentsRefusal,
  chosenAssignments,
  decodeAssignments,
  partitionRecords,
} from "./new-partitions.js";

export interface CreatePartitionsCommand {
  readonly kind: "create-partitions";
  readonly name: string;
  /** Partitions the topic has afterwards. */
  readonly totalCount: number;
  /** Replicas of the added ones. Empty: choose. */
  readonly assignments?: Assignments | undefined;
  readonly validateOnly: boolean;
  /** Turns the placement; any non-negative integer. */
  readonly seed: number;
}

export interface CreatePartitionsResponse {
  readonly kind: "create-partitions";
  readonly topicId: TopicId;
  readonly partitions: number;
}

export function decideCreatePartitions(
  image: MetadataImage,
  command: CreatePartitionsCommand,
): Decision<CreatePartitionsResponse> {
  const topic = topicByName(image, command.name);
  if (topic === undefined) {
    return refuse("UNKNOWN_TOPIC_OR_PARTITION", `no topic ${command.name}`);
  }
  const { totalCount } = command;
  const first = topic.partitions.length;
  if (totalCount <= first || totalCount > TOPIC_PARTITIONS_MAX) {
    return refuse(
      "INVALID_PARTITIONS",
      `topic ${topic.name} has ${first} partitions; it can only grow, to ` +
        `${TOPIC_PARTITIONS_MAX} at most, and not to ${totalCount}`,
    );
  }
  const placed = assignmentsOf(image, topic, command);
  if ("refusal" in placed) return placed;
  const response = {
    kind: "create-partitions" as const,
    topicId: topic.id,
    partitions: totalCount,
  };
  if (command.validateOnly) return accept(response);
  const at = { topicId: topic.id, first };
  return accept(response, partitionRecords(image, at, placed.assignments));
}

function assignmentsOf(
  image: MetadataImage,
  topic: Topic,
  command: CreatePartitionsCommand,
): { readonly assignments: Assignments } | Refused {
  const count = command.totalCount - topic.partitions.length;
  const [model] = topic.partitions;
  const replicationFactor = model === undefined ? 1 : targetReplicas(model).length;
  const assignments = command.assignments ?? [];
  if (assignments.length === 0) {
    return chosenAssignments(image, { count, replicationFactor, seed: command.seed, topic });
  }
  if (assignments.length !== count) {
    return refuse(
      "INVALID_REPLICA_ASSIGNMENT",
      `${count} partitions are added, but ${assignments.length} are assigned`,
    );
  }
  return assignmentsRefusal(image, assignments, replicationFactor) ?? { assignments };
}

export function decodeCreatePartitions(json: JsonObject): CreatePartitionsCommand {
  return {
    kind: "create-partitions",
    name: json.text("name"),
    totalCount: json.integer("totalCount", { min: -INT32_MAX - 1, max: INT32_MAX }),
    assignments: decodeAssignments(json),
    validateOnly: json.boolean("validateOnly"),
    seed: json.integer("seed", { min: 0, max: Number.MAX_SAFE_INTEGER }),
  };
}
