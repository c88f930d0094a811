/** Creates a topic: checks its name, counts and settings, and places its replicas. */
import { INT32_MAX, TOPIC_PARTITIONS_MAX, type TopicId, topicNameProblem } from "@strandline/model";
import { clusterConfigValue } from "../config-resolution.js";
import { accept, type Decision, type Refused, refuse } from "../decision.js";
import {
  brokerResource,
  type MetadataImage,
  staticResource,
  topicByName,
  topicResource,
} from "../image.js";
import type { JsonObject } from "../json.js";
import { replay } from "../replay.js";
import { topicConfigSpec } from "../topic-configs.js";
import { type Settings, settingRecords, settingsRefusal } from "./config-changes.js";
import { durabilityRefusal } from "./durability-rules.js";
import {
  type Assignments,
  assignmentsRefusal,
  chosenAssignments,
  decodeAssignments,
  partitionRecords,
} from "./new-partitions.js";
import { relationRefusal } from "./setting-relations.js";

export interface CreateTopicCommand {
  readonly kind: "create-topic";
  readonly name: string;
  /** Minted by whoever asks. The same command sent again finds its own topic, and succeeds. */
  readonly newTopicId: TopicId;
  /** 0 or -1: the cluster's default. */
  readonly partitions: number;
  /** 0 or -1: the cluster's default. */
  readonly replicationFactor: number;
  /** Explicit placement in place of the two counts. Empty: choose. */
  readonly assignments?: Assignments | undefined;
  readonly configs: Settings;
  readonly validateOnly: boolean;
  /** Allows min.insync.replicas = 1 with two replicas or more. */
  readonly allowWeakDurability: boolean;
  /** Turns the placement; any non-negative integer. */
  readonly seed: number;
}

export interface CreateTopicResponse {
  readonly kind: "create-topic";
  readonly topicId: TopicId;
  readonly partitions: number;
  readonly replicationFactor: number;
}

export function decideCreateTopic(
  image: MetadataImage,
  command: CreateTopicCommand,
): Decision<CreateTopicResponse> {
  const { name, newTopicId } = command;
  const existing = topicByName(image, name);
  if (existing !== undefined && existing.id === newTopicId && !command.validateOnly) {
    return accept({
      kind: "create-topic",
      topicId: existing.id,
      partitions: existing.partitions.length,
      replicationFactor: existing.partitions[0]?.replicas.length ?? 0,
    });
  }
  const refusal =
    nameRefusal(image, command) ??
    countsRefusal(command) ??
    settingsRefusal(command.configs, topicConfigSpec);
  if (refusal !== undefined) return refusal;
  const placed = assignmentsOf(image, command);
  if ("refusal" in placed) return placed;
  const { assignments } = placed;
  const replicationFactor = assignments[0]?.length ?? 0;
  const settings = settingRecords(topicResource(name), undefined, {
    set: command.configs,
    remove: [],
  });
  const after = replay(image, settings, image.offset).image;
  const weak =
    durabilityRefusal(after, name, {
      replicationFactor,
      allowWeakDurability: command.allowWeakDurability,
    }) ?? relationRefusal(after, { topic: { name }, broker: undefined });
  if (weak !== undefined) return weak;
  const response = {
    kind: "create-topic" as const,
    topicId: newTopicId,
    partitions: assignments.length,
    replicationFactor,
  };
  if (command.validateOnly) return accept(response);
  return accept(response, [
    { type: "topic-created", version: 1, topicId: newTopicId, name },
    ...settings,
    ...partitionRecords(image, { topicId: newTopicId, first: 0 }, assignments),
  ]);
}

function nameRefusal(image: MetadataImage, command: CreateTopicCommand): Refused | undefined {
  const { name } = command;
  const problem = topicNameProblem(name);
  if (problem !== undefined) return refuse("INVALID_TOPIC_EXCEPTION", problem);
  if (image.topicIds.has(name)) {
    return refuse("TOPIC_ALREADY_EXISTS", `topic ${name} exists already`);
  }
  if (image.topics.has(command.newTopicId)) {
    return refuse("INVALID_REQUEST", `topic id ${command.newTopicId} is taken`);
  }
  // Metric systems write both characters as "_": two such topics would share their figures.
  const written = plain(name);
  const collision = written.includes("_")
    ? [...image.topicIds.keys()].find((other) => plain(other) === written)
    : undefined;
  if (collision !== undefined) {
    return refuse(
      "INVALID_TOPIC_EXCEPTION",
      `topic ${name} differs from topic ${collision} only in "." and "_"`,
    );
  }
  return undefined;
}

function plain(name: string): string {
  return name.replaceAll(".", "_");
}

function countsRefusal(command: CreateTopicCommand): Refused | undefined {
  const { partitions, replicationFactor } = command;
  const assignments = command.assignments ?? [];
  const asked = assignments.length > 0 ? assignments.length : partitions;
  if (asked < -1 || asked > TOPIC_PARTITIONS_MAX) {
    return refuse(
      "INVALID_PARTITIONS",
      `a topic has 1 to ${TOPIC_PARTITIONS_MAX} partitions, not ${asked}`,
    );
  }
  if (replicationFactor < -1 || replicationFactor > INT32_MAX) {
    return refuse("INVALID_REPLICATION_FACTOR", `there are no ${replicationFactor} replicas`);
  }
  if (assignments.length === 0) return undefined;
  if (partitions > 0 && partitions !== assignments.length) {
    return refuse("INVALID_REQUEST", "the number of partitions is not that of the assignments");
  }
  if (replicationFactor > 0 && replicationFactor !== assignments[0]?.length) {
    return refuse("INVALID_REQUEST", "the replication factor is not that of the assignments");
  }
  return undefined;
}

function assignmentsOf(
  image: MetadataImage,
  command: CreateTopicCommand,
): { readonly assignments: Assignments } | Refused {
  const assignments = command.assignments ?? [];
  if (assignments.length > 0) {
    const refusal = assignmentsRefusal(image, assignments, assignments[0]?.length ?? 0);
    return refusal ?? { assignments };
  }
  return chosenAssignments(image, {
    count:
      command.partitions > 0
        ? command.partitions
        : Number(clusterConfigValue(image, "num.partitions")),
    replicationFactor:
      command.replicationFactor > 0 ? command.replicationFactor : defaultReplicationFactor(image),
    seed: command.seed,
    topic: undefined,
  });
}

/** As set; else what the default asks for, as far as there are brokers. */
function defaultReplicationFactor(image: MetadataImage): number {
  const name = "default.replication.factor";
  const factor = Number(clusterConfigValue(image, name));
  const isSet = [brokerResource(""), staticResource("")].some(
    (resource) => image.configs.get(resource)?.has(name) === true,
  );
  return isSet ? factor : Math.max(1, Math.min(factor, image.nodes.size));
}

export function decodeCreateTopic(json: JsonObject): CreateTopicCommand {
  const int32 = { min: -INT32_MAX - 1, max: INT32_MAX };
  return {
    kind: "create-topic",
    name: json.text("name"),
    newTopicId: json.topicId("newTopicId"),
    partitions: json.integer("partitions", int32),
    replicationFactor: json.integer("replicationFactor", int32),
    assignments: decodeAssignments(json),
    configs: json.texts("configs"),
    validateOnly: json.boolean("validateOnly"),
    allowWeakDurability: json.boolean("allowWeakDurability"),
    seed: json.integer("seed", { min: 0, max: Number.MAX_SAFE_INTEGER }),
  };
}
