/**
 * Which value a setting has: the topic's own, else the one set for the broker that asks while it
 * runs, else the one set for all brokers, else the one that their operators wrote, else the built-in.
 */
import { assert, type NodeId } from "@strandline/model";
import { BROKER_CONFIGS } from "./broker-configs.js";
import { type ConfigSpec, configNumber, listMembers } from "./config-spec.js";
import { GROUP_CONFIGS } from "./group-configs.js";
import {
  brokerResource,
  groupResource,
  type MetadataImage,
  type Partition,
  staticResource,
  topicResource,
} from "./image.js";
import { KEPT_CONFIGS } from "./kept-configs.js";
import {
  CLUSTER_CONFIGS,
  clusterConfigSpec,
  TOPIC_CONFIGS,
  topicConfigSpec,
} from "./topic-configs.js";

/** A topic's settings as its partitions use them. */
export interface TopicConfig {
  /** Size at which a segment rolls. Bytes. */
  readonly segmentBytesMax: number;
  /** Age at which a segment rolls. */
  readonly segmentMs: number;
  readonly indexIntervalBytes: number;
  /** -1: never by age. */
  readonly retentionMs: number;
  /** -1: never by size. */
  readonly retentionBytes: number;
  readonly fileDeleteDelayMs: number;
  /** False: an acknowledgement does not wait for the disk (durability=replicated). */
  readonly isSynced: boolean;
  /** Largest batch accepted. Bytes. */
  readonly batchBytesMax: number;
  /** As configured; see {@link effectiveInSyncMin}. */
  readonly inSyncReplicasMin: number;
  /** How far in the future a record's timestamp may lie. */
  readonly timestampAfterMsMax: number;
  readonly isLogAppendTime: boolean;
  /** What batches are packed with before they are stored; producer: as they came. */
  readonly compressionType: "producer" | "uncompressed" | "gzip" | "snappy" | "lz4" | "zstd";
  readonly isCompacted: boolean;
  /** Retention removes old segments: cleanup.policy contains delete. */
  readonly isDeleted: boolean;
  /** Age before which compaction leaves a record alone. */
  readonly compactionLagMsMin: number;
  /** Age at which a record must be considered by compaction. */
  readonly compactionLagMsMax: number;
  /** How long compaction keeps tombstones. */
  readonly deleteRetentionMs: number;
  /** Part of the log, from 0 to 1, that must be dirty before a pass begins. */
  readonly dirtyRatioMin: number;
}

/**
 * "broker", "cluster": set while they run for one broker, for all of them. "static": written by a
 * broker's operator.
 */
export type ConfigSource = "topic" | "group" | "broker" | "cluster" | "static" | "default";

/** A value that a setting has somewhere, whether it counts or not. */
export interface ConfigSynonymValue {
  readonly name: string;
  readonly value: string;
  readonly source: ConfigSource;
}

/** A setting as people see it. */
export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  readonly source: ConfigSource;
  readonly type: ConfigSpec["type"];
  readonly documentation: string;
  readonly isReadOnly: boolean;
  /** Its value must not be shown. */
  readonly isSensitive: boolean;
  /** Every value it has somewhere, under a name that can be set; the first one counts. */
  readonly synonyms: readonly ConfigSynonymValue[];
}

/**
 * The settings of a topic, also of one that does not exist yet: then all are defaults. As `broker`
 * uses them; without one, as those do for which nothing of their own is set.
 */
export function topicConfig(image: MetadataImage, topicName: string, broker?: NodeId): TopicConfig {
  const value = (name: string): string => topicConfigValue(image, topicName, name, broker);
  const number = (name: string): number => configNumber(value(name));
  const policies = listMembers(value("cleanup.policy"));
  return {
    segmentBytesMax: number("segment.bytes"),
    segmentMs: number("segment.ms"),
    indexIntervalBytes: number("index.interval.bytes"),
    retentionMs: number("retention.ms"),
    retentionBytes: number("retention.bytes"),
    fileDeleteDelayMs: number("file.delete.delay.ms"),
    isSynced: value("durability") === "fsync",
    batchBytesMax: number("max.message.bytes"),
    // Never of one broker: the controller counts by the same, and so does the next leader.
    inSyncReplicasMin: inSyncReplicasMin(image, topicName),
    timestampAfterMsMax: number("message.timestamp.after.max.ms"),
    isLogAppendTime: value("message.timestamp.type") === "LogAppendTime",
    compressionType: value("compression.type") as TopicConfig["compressionType"],
    isCompacted: policies.includes("compact"),
    isDeleted: policies.includes("delete"),
    compactionLagMsMin: number("min.compaction.lag.ms"),
    compactionLagMsMax: number("max.compaction.lag.ms"),
    deleteRetentionMs: number("delete.retention.ms"),
    dirtyRatioMin: number("min.cleanable.dirty.ratio"),
  };
}

/** One setting of a topic, as text. `name` is in the table. */
export function topicConfigValue(
  image: MetadataImage,
  topicName: string,
  name: string,
  broker?: NodeId,
): string {
  const spec = topicConfigSpec(name);
  assert(spec !== undefined, "only settings of the table are asked for");
  const own = image.configs.get(topicResource(topicName))?.get(name);
  if (own !== undefined) return own;
  return brokerValue(image, spec.clusterName, broker) ?? spec.defaultValue;
}

/** One setting of all brokers, as text; with `broker`, as that one uses it. */
export function clusterConfigValue(image: MetadataImage, name: string, broker?: NodeId): string {
  const spec = clusterConfigSpec(name);
  assert(spec !== undefined, "only settings of the table are asked for");
  return brokerValue(image, name, broker) ?? spec.defaultValue;
}

function brokerValue(
  image: MetadataImage,
  name: string | undefined,
  broker: NodeId | undefined,
): string | undefined {
  if (name === undefined) return undefined;
  const { configs } = image;
  return (
    (broker === undefined ? undefined : configs.get(brokerResource(broker))?.get(name)) ??
    configs.get(brokerResource(""))?.get(name) ??
    configs.get(staticResource(""))?.get(name)
  );
}

/**
 * In-sync replicas needed to commit: never more than there are replicas. While a partition is
 * reassigned it is the replicas it had before that count: those that come would otherwise stop
 * the writes to a partition with few until they have caught up.
 */
export function effectiveInSyncMin(
  configured: number,
  partition: Pick<Partition, "replicas" | "adding">,
): number {
  return Math.min(configured, partition.replicas.length - partition.adding.length);
}

/** The configured `min.insync.replicas` of a topic. */
export function inSyncReplicasMin(image: MetadataImage, topicName: string): number {
  return configNumber(topicConfigValue(image, topicName, "min.insync.replicas"));
}

/** Every setting of a topic with its value and where that comes from, as `broker` uses it. */
export function topicConfigEntries(
  image: MetadataImage,
  topicName: string,
  broker?: NodeId,
): ConfigEntry[] {
  const own = image.configs.get(topicResource(topicName));
  return TOPIC_CONFIGS.map((spec) => {
    const brokerName = spec.clusterName ?? spec.kafkaName;
    const values = brokerValues(image, { ...spec, name: brokerName ?? spec.name }, broker);
    const value = own?.get(spec.name);
    if (value !== undefined) values.unshift({ name: spec.name, value, source: "topic" });
    const entry = entryOf(spec, values);
    if (brokerName !== undefined) return entry;
    // No setting of a broker is its default, so it has no other place.
    return { ...entry, synonyms: values.filter(({ source }) => source === "topic") };
  });
}

/** Every setting of all brokers with its value and where that comes from. */
export function clusterConfigEntries(image: MetadataImage): ConfigEntry[] {
  return [...CLUSTER_CONFIGS, ...KEPT_CONFIGS].flatMap((spec) => entriesOf(image, spec, undefined));
}

/**
 * Every setting of one broker, by name, with its value and where that comes from. Of those that are
 * only kept, what is set.
 */
export function brokerConfigEntries(
  image: MetadataImage,
  broker: NodeId,
  written: ReadonlyMap<string, string>,
): ConfigEntry[] {
  const entries = BROKER_CONFIGS.map((spec) => {
    if (spec.scope === "cluster") return entryOf(spec, brokerValues(image, spec, broker));
    const value = written.get(spec.name);
    const values = value === undefined ? [] : [synonymOf(spec.name, value, "static")];
    const entry = entryOf(spec, [...values, synonymOf(spec.name, spec.defaultValue, "default")]);
    return { ...entry, isReadOnly: spec.update === "read-only", isSensitive: spec.isSensitive };
  });
  const kept = KEPT_CONFIGS.flatMap((spec) => entriesOf(image, spec, broker));
  return [...entries, ...kept].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What is set for a group. */
export function groupConfigEntries(image: MetadataImage, groupId: string): ConfigEntry[] {
  const own = image.configs.get(groupResource(groupId));
  return GROUP_CONFIGS.flatMap((spec) => {
    const value = own?.get(spec.name);
    if (value === undefined) return [];
    const given = synonymOf(spec.name, value, "group");
    return [entryOf(spec, [given, synonymOf(spec.kafkaName, spec.defaultValue, "default")])];
  });
}

/** None for a setting that nothing reads and nobody set: its default would pass for a fact. */
function entriesOf(
  image: MetadataImage,
  spec: ConfigSpec,
  broker: NodeId | undefined,
): ConfigEntry[] {
  const entry = entryOf(spec, brokerValues(image, spec, broker));
  const isShown = clusterConfigSpec(spec.name) !== undefined || entry.source !== "default";
  return isShown ? [entry] : [];
}

function brokerValues(
  image: MetadataImage,
  spec: ConfigSpec,
  broker: NodeId | undefined,
): ConfigSynonymValue[] {
  const places: readonly (readonly [string, ConfigSource])[] = [
    ...(broker === undefined ? [] : ([[brokerResource(broker), "broker"]] as const)),
    [brokerResource(""), "cluster"],
    [staticResource(""), "static"],
  ];
  const values = places.flatMap(([resource, source]) => {
    const value = image.configs.get(resource)?.get(spec.name);
    return value === undefined ? [] : [synonymOf(spec.name, value, source)];
  });
  return [...values, synonymOf(spec.name, spec.defaultValue, "default")];
}

function synonymOf(name: string, value: string, source: ConfigSource): ConfigSynonymValue {
  return { name, value, source };
}

function entryOf(spec: ConfigSpec, synonyms: readonly ConfigSynonymValue[]): ConfigEntry {
  const [first] = synonyms;
  assert(first !== undefined, "every setting has a default");
  return {
    name: spec.name,
    type: spec.type,
    documentation: spec.documentation,
    value: first.value,
    source: first.source,
    isReadOnly: false,
    isSensitive: false,
    synonyms,
  };
}
