/** New partitions, for new topics and grown ones: explicit or chosen replicas, and their records. */
import type { NodeId, TopicId } from "@strandline/model";
import { type Refused, refuse } from "../decision.js";
import { isUsable, type MetadataImage, type Topic } from "../image.js";
import { type JsonObject, listOf, nodeIdOf } from "../json.js";
import { placeReplicas } from "../placement.js";
import type { PartitionCreatedRecord } from "../records.js";

/** Replicas of each new partition, the preferred leader first. */
export type Assignments = readonly (readonly NodeId[])[];

export interface NewPartitions {
  readonly count: number;
  readonly replicationFactor: number;
  readonly seed: number;
  /** The topic that grows; undefined for a new one. */
  readonly topic: Topic | undefined;
}

/** Chooses the replicas, or refuses where the cluster cannot hold so many. */
export function chosenAssignments(
  image: MetadataImage,
  wanted: NewPartitions,
): { readonly assignments: Assignments } | Refused {
  if (wanted.replicationFactor > image.nodes.size) {
    return refuse(
      "INVALID_REPLICATION_FACTOR",
      `replication factor ${wanted.replicationFactor} needs as many brokers; ` +
        `${image.nodes.size} are registered`,
    );
  }
  if (![...image.nodes.values()].some(isUsable)) {
    return refuse("BROKER_NOT_AVAILABLE", "no broker is in service yet");
  }
  return { assignments: placeReplicas(image, wanted) };
}

/** Returns why explicit assignments are refused; undefined when they can be carried out. */
export function assignmentsRefusal(
  image: MetadataImage,
  assignments: Assignments,
  replicationFactor: number,
): Refused | undefined {
  for (const [at, replicas] of assignments.entries()) {
    const problem = assignmentProblem(image, replicas, replicationFactor);
    if (problem !== undefined) {
      return refuse("INVALID_REPLICA_ASSIGNMENT", `assignment ${at}: ${problem}`);
    }
  }
  return undefined;
}

function assignmentProblem(
  image: MetadataImage,
  replicas: readonly NodeId[],
  replicationFactor: number,
): string | undefined {
  if (replicas.length === 0) return "a partition has at least one replica";
  if (replicas.length !== replicationFactor) {
    return `it has ${replicas.length} replicas where the topic's partitions have ${replicationFactor}`;
  }
  if (new Set(replicas).size !== replicas.length) return "a broker is named twice";
  const unknown = replicas.find((id) => !image.nodes.has(id));
  if (unknown !== undefined) return `broker ${unknown} is not registered`;
  if (!replicas.some((id) => isUsable(image.nodes.get(id)))) {
    return "none of its brokers is in service";
  }
  return undefined;
}

/** Partitions from number `first` on. All start empty, so every replica in service is in sync. */
export function partitionRecords(
  image: MetadataImage,
  at: { readonly topicId: TopicId; readonly first: number },
  assignments: Assignments,
): PartitionCreatedRecord[] {
  return assignments.map((replicas, index) => {
    const isr = replicas.filter((id) => isUsable(image.nodes.get(id)));
    return {
      type: "partition-created",
      version: 1,
      topicId: at.topicId,
      partition: at.first + index,
      replicas,
      isr,
      leader: isr[0] ?? -1,
    };
  });
}

/** Absent, null and empty all mean: choose. */
export function decodeAssignments(json: JsonObject): Assignments {
  if (!json.has("assignments")) return [];
  return json.list("assignments", (value, path) => listOf(value, path, nodeIdOf));
}
