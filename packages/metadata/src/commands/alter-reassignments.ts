/**
 * An operator moves replicas: another assignment for partitions, or the end of a move under way.
 * Each partition is judged alone; what is accepted is one transaction.
 */
import type { NodeId, Refusal } from "@strandline/model";
import { inSyncReplicasMin, topicConfigValue } from "../config-resolution.js";
import { accept, type Decision, type Refused, refuse } from "../decision.js";
import { type StandingOf, standingIn } from "../election.js";
import {
  isReassigned,
  type MetadataImage,
  originalReplicas,
  type Partition,
  type Topic,
  topicByName,
} from "../image.js";
import { JsonObject } from "../json.js";
import { type AssignmentTarget, assignmentStep } from "../partition-rules.js";
import { reverted, towards } from "../reassignment.js";
import type { PartitionReassignedRecord } from "../records.js";
import { REPLICATED_FACTOR_MIN } from "./durability-rules.js";

export interface AlterReassignmentsCommand {
  readonly kind: "alter-reassignments";
  readonly partitions: readonly PartitionReassignment[];
  /** False: a change of the number of replicas is refused. */
  readonly allowReplicationFactorChange: boolean;
}

export interface PartitionReassignment {
  readonly topic: string;
  readonly partition: number;
  /** The preferred leader first; null: end the reassignment that is under way. */
  readonly replicas: readonly NodeId[] | null;
}

export interface AlterReassignmentsResult {
  readonly topic: string;
  readonly partition: number;
  /** Why nothing changed; null when it was accepted. */
  readonly refusal: Refusal | null;
}

export interface AlterReassignmentsResponse {
  readonly kind: "alter-reassignments";
  /** In the order in which they were asked for. */
  readonly results: readonly AlterReassignmentsResult[];
}

export function decideAlterReassignments(
  image: MetadataImage,
  command: AlterReassignmentsCommand,
): Decision<AlterReassignmentsResponse> {
  const standingOf = standingIn(image);
  const records: PartitionReassignedRecord[] = [];
  const results: AlterReassignmentsResult[] = [];
  const seen = new Set<string>();
  for (const asked of command.partitions) {
    const { topic, partition } = asked;
    const key = `${topic}-${partition}`;
    const decided = seen.has(key)
      ? refuse("INVALID_REQUEST", `${key} is named twice`)
      : reassigned({ image, command, standingOf }, asked);
    seen.add(key);
    if (decided !== undefined && "refusal" in decided) {
      results.push({ topic, partition, refusal: decided.refusal });
      continue;
    }
    if (decided !== undefined) records.push(decided);
    results.push({ topic, partition, refusal: null });
  }
  return accept({ kind: "alter-reassignments", results }, records);
}

interface Context {
  readonly image: MetadataImage;
  readonly command: AlterReassignmentsCommand;
  readonly standingOf: StandingOf;
}

/** Undefined where the partition is as asked already. */
function reassigned(
  context: Context,
  asked: PartitionReassignment,
): PartitionReassignedRecord | Refused | undefined {
  const { image, standingOf } = context;
  const topic = topicByName(image, asked.topic);
  const before = topic?.partitions[asked.partition];
  if (topic === undefined || before === undefined) {
    return refuse("UNKNOWN_TOPIC_OR_PARTITION", `no partition ${asked.topic}-${asked.partition}`);
  }
  const rules = { configuredMin: inSyncReplicasMin(image, topic.name), standingOf };
  let target: AssignmentTarget | "same" | "unclean";
  if (asked.replicas === null) {
    if (!isReassigned(before)) {
      return refuse("NO_REASSIGNMENT_IN_PROGRESS", "the partition is not being reassigned");
    }
    target = reverted(before, rules);
  } else {
    const refusal = assignmentRefusal(context, { topic, before, replicas: asked.replicas });
    if (refusal !== undefined) return refusal;
    target = towards(before, asked.replicas, rules);
  }
  if (target === "same") return undefined;
  if (target === "unclean") {
    return refuse(
      "INVALID_REPLICA_ASSIGNMENT",
      "no replica would be left that holds what is committed; let the reassignment under way " +
        "complete first, or name one of those that are in sync",
    );
  }
  return assignmentStep({ topicId: topic.id, partition: asked.partition }, before, target);
}

function assignmentRefusal(
  { image, command }: Context,
  asked: {
    readonly topic: Topic;
    readonly before: Partition;
    readonly replicas: readonly NodeId[];
  },
): Refused | undefined {
  const { topic, before, replicas } = asked;
  const invalid = (why: string): Refused => refuse("INVALID_REPLICA_ASSIGNMENT", why);
  if (replicas.length === 0) return invalid("a partition has at least one replica");
  if (new Set(replicas).size !== replicas.length) return invalid("a broker is named twice");
  const unknown = replicas.find((id) => !image.nodes.has(id));
  if (unknown !== undefined) return invalid(`broker ${unknown} is not registered`);
  const present = originalReplicas(before).length;
  if (!command.allowReplicationFactorChange && replicas.length !== present) {
    return refuse(
      "INVALID_REPLICATION_FACTOR",
      `the partition has ${present} replicas, and ${replicas.length} are named`,
    );
  }
  const isReplicated = topicConfigValue(image, topic.name, "durability") === "replicated";
  if (isReplicated && replicas.length < REPLICATED_FACTOR_MIN) {
    return refuse(
      "INVALID_REPLICATION_FACTOR",
      `durability=replicated needs ${REPLICATED_FACTOR_MIN} replicas or more`,
    );
  }
  return undefined;
}

export function decodeAlterReassignments(json: JsonObject): AlterReassignmentsCommand {
  return {
    kind: "alter-reassignments",
    partitions: json.list("partitions", (value, path) => {
      const asked = new JsonObject(value, path);
      return {
        topic: asked.text("topic"),
        partition: asked.partition("partition"),
        replicas: asked.has("replicas") ? asked.nodeIds("replicas") : null,
      };
    }),
    allowReplicationFactorChange: json.boolean("allowReplicationFactorChange"),
  };
}
