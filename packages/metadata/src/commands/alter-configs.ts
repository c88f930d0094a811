/**
 * Sets settings, or returns them to their defaults.
 *
 * A change of `min.insync.replicas` also steps the partition epoch of every partition it applies
 * to. A leader that has not seen the change yet could otherwise have an ISR accepted under the new
 * minimum (with the replica it dropped declared eligible), and go on committing by the old one
 * without that replica. With the step, its proposal is refused until it knows the new minimum.
 */
import { effectiveInSyncMin, inSyncReplicasMin, topicConfigValue } from "../config-resolution.js";
import { configProblem, listMembers } from "../config-spec.js";
import { accept, type Decision, type Refused, refuse } from "../decision.js";
import {
  type MetadataImage,
  originalReplicas,
  type Partition,
  type Topic,
  targetReplicas,
} from "../image.js";
import type { JsonObject } from "../json.js";
import { textOf } from "../json.js";
import { MetadataError } from "../metadata-error.js";
import { partitionStep } from "../partition-rules.js";
import type {
  ConfigRemovedRecord,
  ConfigSetRecord,
  MetadataRecord,
  PartitionChangedRecord,
} from "../records.js";
import { replay } from "../replay.js";
import { type Settings, settingRecords } from "./config-changes.js";
import { type ConfigResource, type ConfigTarget, configTarget } from "./config-targets.js";
import { durabilityRefusal, weakDurabilityRefusal } from "./durability-rules.js";
import { relationRefusal } from "./setting-relations.js";

export interface AlterConfigsCommand {
  readonly kind: "alter-configs";
  readonly resource: ConfigResource;
  readonly set: Settings;
  /** Back to the default. Unknown names are refused, unless `isLenient`. */
  readonly remove: readonly string[];
  /** Members to add to lists, comma-separated, where they are missing. */
  readonly append?: Settings;
  /** Members to take out of lists. */
  readonly subtract?: Settings;
  /** Whatever is set now and not in `set` goes back to its default. */
  readonly isReplacing?: boolean;
  /** Names that do not exist may be removed: they are not there already. */
  readonly isLenient?: boolean;
  readonly validateOnly: boolean;
  /** Allows min.insync.replicas = 1 with two replicas or more. */
  readonly allowWeakDurability: boolean;
}

export interface AlterConfigsResponse {
  readonly kind: "alter-configs";
}

export function decideAlterConfigs(
  image: MetadataImage,
  command: AlterConfigsCommand,
): Decision<AlterConfigsResponse> {
  const response = { kind: "alter-configs" as const };
  const target = configTarget(image, command.resource);
  if ("refusal" in target) return target;
  const change = changeOf(image, target, command);
  if ("refusal" in change) return change;
  const refusal = valueRefusal(target, change.set);
  if (refusal !== undefined) return refusal;
  const settings = settingRecords(target.key, image.configs.get(target.key), change);
  const after = replay(image, settings, image.offset).image;
  const weak =
    durabilityChangeRefusal(image, after, { command, change, topic: target.topic }) ??
    (command.resource.type === "group" ? undefined : relationRefusal(after, target));
  if (weak !== undefined) return weak;
  if (command.validateOnly) return accept(response);
  const topics = target.topic === undefined ? image.topics.values() : [target.topic];
  const records: MetadataRecord[] = [...settings, ...steppedPartitions(image, after, topics)];
  return accept(response, records);
}

/** What is set and what is removed in the end. */
interface Change {
  readonly set: Settings;
  readonly remove: readonly string[];
}

function changeOf(
  image: MetadataImage,
  target: ConfigTarget,
  command: AlterConfigsCommand,
): Change | Refused {
  const { append = {}, subtract = {} } = command;
  const named = [command.set, append, subtract].flatMap((settings) => Object.keys(settings));
  named.push(...new Set(command.remove));
  const twice = named.find((name, at) => named.indexOf(name) !== at);
  if (twice !== undefined) {
    return refuse("INVALID_REQUEST", `setting "${twice}" is changed in two ways at once`);
  }
  const unknown = command.remove.find((name) => target.specOf(name) === undefined);
  if (unknown !== undefined && command.isLenient !== true) return target.unchangeable(unknown);
  const set = new Map(Object.entries(command.set));
  const steps = [
    ...Object.entries(append).map(([name, value]) => ({ name, value, isAppend: true })),
    ...Object.entries(subtract).map(([name, value]) => ({ name, value, isAppend: false })),
  ];
  for (const { name, value, isAppend } of steps) {
    const spec = target.specOf(name);
    if (spec === undefined) return target.unchangeable(name);
    if (spec.type !== "list") {
      return refuse("INVALID_CONFIG", `${name} is no list: nothing is appended or subtracted`);
    }
    const present = listMembers(target.presentValue(spec));
    const given = listMembers(value);
    const members = isAppend
      ? [...present, ...given.filter((member) => !present.includes(member))]
      : present.filter((member) => !given.includes(member));
    if (members.length !== present.length) set.set(name, members.join(","));
  }
  const kept = new Set(named);
  const others = [...(image.configs.get(target.key)?.keys() ?? [])].filter((n) => !kept.has(n));
  return {
    set: Object.fromEntries(set),
    remove: command.isReplacing === true ? [...command.remove, ...others] : command.remove,
  };
}

/** Returns the first problem of what would be set, undefined when all is legal. */
function valueRefusal(target: ConfigTarget, set: Settings): Refused | undefined {
  for (const [name, value] of Object.entries(set)) {
    const spec = target.specOf(name);
    if (spec === undefined) return target.unchangeable(name);
    const problem = configProblem(spec, value);
    if (problem !== undefined) return refuse(target.valueCode, problem);
  }
  return undefined;
}

/** Only what this change touches is judged: a topic may hold what was allowed before. */
function durabilityChangeRefusal(
  before: MetadataImage,
  after: MetadataImage,
  asked: {
    readonly command: AlterConfigsCommand;
    readonly change: Change;
    readonly topic: Topic | undefined;
  },
): Refused | undefined {
  const { change, topic } = asked;
  const { allowWeakDurability } = asked.command;
  if (topic === undefined) {
    const isWeak = change.set["min.insync.replicas"] === "1";
    return isWeak && !allowWeakDurability ? weakDurabilityRefusal(2) : undefined;
  }
  const was = (name: string): string => topicConfigValue(before, topic.name, name);
  const is = (name: string): string => topicConfigValue(after, topic.name, name);
  if (was("durability") === "replicated" && is("durability") === "fsync") {
    return refuse(
      "INVALID_CONFIG",
      `topic ${topic.name} has acknowledged records that no disk may hold yet; they do not ` +
        "become durable by a setting. Create a topic with durability=fsync",
    );
  }
  const isTouched = ["min.insync.replicas", "durability"].some((name) => was(name) !== is(name));
  if (!isTouched) return undefined;
  const isWeakened = was("min.insync.replicas") !== is("min.insync.replicas");
  return durabilityRefusal(after, topic.name, {
    replicationFactor: Math.max(0, ...topic.partitions.map(fewestReplicas)),
    allowWeakDurability: allowWeakDurability || !isWeakened,
  });
}

/** While a partition is reassigned, it may end as either assignment. */
function fewestReplicas(partition: Partition): number {
  return Math.min(originalReplicas(partition).length, targetReplicas(partition).length);
}

/** Steps of all partitions whose minimum of in-sync replicas these records change. */
export function stepsAfter(
  image: MetadataImage,
  records: readonly (ConfigSetRecord | ConfigRemovedRecord)[],
): PartitionChangedRecord[] {
  if (!records.some(({ name }) => name === "min.insync.replicas")) return [];
  const after = replay(image, records, image.offset).image;
  return steppedPartitions(image, after, image.topics.values());
}

/** Steps of the partitions whose minimum of in-sync replicas differs between the two images. */
function steppedPartitions(
  before: MetadataImage,
  after: MetadataImage,
  topics: Iterable<Topic>,
): PartitionChangedRecord[] {
  const records: PartitionChangedRecord[] = [];
  for (const topic of topics) {
    const was = inSyncReplicasMin(before, topic.name);
    const is = inSyncReplicasMin(after, topic.name);
    if (was === is) continue;
    topic.partitions.forEach((partition, index) => {
      const { isr, elr, leader } = partition;
      const inSyncMin = effectiveInSyncMin(is, partition);
      if (inSyncMin === effectiveInSyncMin(was, partition)) return;
      const at = { topicId: topic.id, partition: index };
      const target = { isr, elr: isr.length >= inSyncMin ? [] : elr, leader };
      records.push(partitionStep(at, partition, target));
    });
  }
  return records;
}

export function decodeAlterConfigs(json: JsonObject): AlterConfigsCommand {
  const resource = json.object("resource");
  const type = resource.text("type");
  if (type !== "topic" && type !== "broker" && type !== "group") {
    throw new MetadataError(`${resource.path}.type is neither "topic" nor "broker" nor "group"`);
  }
  return {
    kind: "alter-configs",
    resource: { type, name: resource.text("name") },
    set: json.texts("set"),
    remove: json.list("remove", (value, path) => textOf(value, path)),
    ...(json.has("append") ? { append: json.texts("append") } : {}),
    ...(json.has("subtract") ? { subtract: json.texts("subtract") } : {}),
    ...(json.has("isReplacing") ? { isReplacing: json.boolean("isReplacing") } : {}),
    ...(json.has("isLenient") ? { isLenient: json.boolean("isLenient") } : {}),
    validateOnly: json.boolean("validateOnly"),
    allowWeakDurability: json.boolean("allowWeakDurability"),
  };
}
