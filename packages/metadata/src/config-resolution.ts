/** Which value a setting has: the topic's own, else the cluster's default, else the built-in. */
import { assert } from "@strandline/model";
import { type ConfigSpec, configNumber, listMembers } from "./config-spec.js";
import { brokerResource, type MetadataImage, topicResource } from "./image.js";
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

/** A setting as people see it. */
export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  readonly source: "topic" | "broker" | "cluster" | "default";
  readonly type: ConfigSpec["type"];
  readonly documentation: string;
}

/** The settings of a topic, also of one that does not exist yet: then all are defaults. */
export function topicConfig(image: MetadataImage, topicName: string): TopicConfig {
  const value = (name: string): string => topicConfigValue(image, topicName, name);
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
    inSyncReplicasMin: number("min.insync.replicas"),
    timestampAfterMsMax: number("message.timestamp.after.max.ms"),
    isLogAppendTime: value("message.timestamp.type") === "LogAppendTime",
    isCompacted: policies.includes("compact"),
    isDeleted: policies.includes("delete"),
    compactionLagMsMin: number("min.compaction.lag.ms"),
    compactionLagMsMax: number("max.compaction.lag.ms"),
    deleteRetentionMs: number("delete.retention.ms"),
    dirtyRatioMin: number("min.cleanable.dirty.ratio"),
  };
}

/** One setting of a topic, as text. `name` is in the table. */
export function topicConfigValue(image: MetadataImage, topicName: string, name: string): string {
  const spec = topicConfigSpec(name);
  assert(spec !== undefined, "only settings of the table are asked for");
  return resolve(image, spec, image.configs.get(topicResource(topicName))).value;
}

/** One setting of all brokers, as text. `name` is in the table. */
export function clusterConfigValue(image: MetadataImage, name: string): string {
  const set = image.configs.get(brokerResource(""))?.get(name);
  const spec = clusterConfigSpec(name);
  assert(spec !== undefined, "only settings of the table are asked for");
  return set ?? spec.defaultValue;
}

/** In-sync replicas needed to commit. Never more than there are replicas. */
export function effectiveInSyncMin(configured: number, replicaCount: number): number {
  return Math.min(configured, replicaCount);
}

/** The configured `min.insync.replicas` of a topic. */
export function inSyncReplicasMin(image: MetadataImage, topicName: string): number {
  return configNumber(topicConfigValue(image, topicName, "min.insync.replicas"));
}

/** Every setting of a topic with its value and where that comes from. */
export function topicConfigEntries(image: MetadataImage, topicName: string): ConfigEntry[] {
  const own = image.configs.get(topicResource(topicName));
  return TOPIC_CONFIGS.map((spec) => ({ ...entryOf(spec), ...resolve(image, spec, own) }));
}

/** Every setting of all brokers with its value and where that comes from. */
export function clusterConfigEntries(image: MetadataImage): ConfigEntry[] {
  const set = image.configs.get(brokerResource(""));
  return CLUSTER_CONFIGS.map((spec) => {
    const value = set?.get(spec.name);
    const source = value === undefined ? ("default" as const) : ("cluster" as const);
    return { ...entryOf(spec), value: value ?? spec.defaultValue, source };
  });
}

function entryOf(spec: ConfigSpec): Omit<ConfigEntry, "value" | "source"> {
  return { name: spec.name, type: spec.type, documentation: spec.documentation };
}

function resolve(
  image: MetadataImage,
  spec: ConfigSpec,
  own: ReadonlyMap<string, string> | undefined,
): { readonly value: string; readonly source: ConfigEntry["source"] } {
  const set = own?.get(spec.name);
  if (set !== undefined) return { value: set, source: "topic" };
  const cluster =
    spec.clusterName === undefined
      ? undefined
      : image.configs.get(brokerResource(""))?.get(spec.clusterName);
  if (cluster !== undefined) return { value: cluster, source: "cluster" };
  return { value: spec.defaultValue, source: "default" };
}
