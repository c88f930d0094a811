/**
 * The settings a topic may have, under the names Kafka gives them, and one of our own:
 * `durability`. Settings that only make sense with machinery this cluster does not have are
 * accepted and stored, so that tools which always send them keep working; their text says so.
 */
import { BATCH_BYTES_DEFAULT, BATCH_BYTES_LIMIT } from "@strandline/model";
import type { ConfigSpec } from "./config-spec.js";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Kafka's "never": the largest int64. */
const NO_LIMIT = "9223372036854775807";
const WITHOUT_EFFECT = "Stored for compatibility with Kafka; has no effect.";
const SYNCS = "Every batch is synced before it is acknowledged, as durability says.";
const RECOMPRESSES = "Where a broker compresses, it does at the level that its codec chooses.";
const TIERED = "There is no tiered storage.";
/** Storing a throttle that nobody obeys would let an operator trust in it. */
const UNTHROTTLED = {
  values: [],
  reason: "replication is not throttled; leave the throttle out",
  documentation: "Always empty: replication is not throttled.",
} as const;

function stored(
  name: string,
  type: ConfigSpec["type"],
  defaultValue: string,
  why = "",
): ConfigSpec {
  return { name, type, defaultValue, documentation: `${WITHOUT_EFFECT} ${why}`.trim() };
}

/** Every topic setting, by name. */
export const TOPIC_CONFIGS: readonly ConfigSpec[] = (
  [
    {
      name: "cleanup.policy",
      type: "list",
      defaultValue: "delete",
      values: ["delete", "compact"],
      clusterName: "log.cleanup.policy",
      documentation:
        "delete: old segments are removed by retention. compact: the newest record of each key " +
        "stays, older ones of the same key are removed in the background. Both: compacted, and " +
        "retention applies too.",
    },
    {
      name: "compression.type",
      type: "string",
      defaultValue: "producer",
      values: ["uncompressed", "gzip", "snappy", "lz4", "zstd", "producer"],
      clusterName: "compression.type",
      documentation:
        "producer: batches stay as the producer compressed them. Otherwise the leader packs each batch " +
        "that came otherwise anew, which costs it time, and readers of a log find one compression.",
    },
    {
      name: "delete.retention.ms",
      type: "long",
      defaultValue: String(DAY_MS),
      clusterName: "log.cleaner.delete.retention.ms",
      documentation:
        "How long compaction keeps a record without a value (a tombstone), so that whoever reads a " +
        "compacted log from its start within this time sees every deletion. Milliseconds.",
    },
    {
      name: "durability",
      type: "string",
      defaultValue: "fsync",
      values: ["fsync", "replicated"],
      documentation:
        "fsync: an acks=all answer means the record is on the disk of every in-sync replica. " +
        "replicated: it means every in-sync replica has it in memory; a power loss that takes all " +
        "of them at once loses acknowledged records. Needs a replication factor of 3, and cannot " +
        "become fsync later.",
    },
    {
      name: "file.delete.delay.ms",
      type: "long",
      defaultValue: "60000",
      clusterName: "log.segment.delete.delay.ms",
      documentation: "How long a removed segment's file stays on the disk. Milliseconds.",
    },
    {
      name: "index.interval.bytes",
      type: "int",
      defaultValue: "4096",
      clusterName: "log.index.interval.bytes",
      documentation: "Bytes of log between two entries of a segment's offset index.",
    },
    {
      name: "max.compaction.lag.ms",
      type: "long",
      defaultValue: NO_LIMIT,
      min: 1,
      clusterName: "log.cleaner.max.compaction.lag.ms",
      documentation:
        "Age at which a record must be considered by compaction, however little there is to clean. " +
        "Milliseconds; the largest value: never for its age.",
    },
    {
      name: "max.message.bytes",
      type: "int",
      defaultValue: String(BATCH_BYTES_DEFAULT),
      min: 1,
      max: BATCH_BYTES_LIMIT,
      clusterName: "message.max.bytes",
      documentation: "Largest record batch accepted, as received from the producer. Bytes.",
    },
    {
      name: "message.timestamp.after.max.ms",
      type: "long",
      defaultValue: "3600000",
      clusterName: "log.message.timestamp.after.max.ms",
      documentation:
        "How far in the future a record's timestamp may lie; a later one would keep its segment " +
        "from retention. Milliseconds.",
    },
    {
      name: "message.timestamp.type",
      type: "string",
      defaultValue: "CreateTime",
      values: ["CreateTime", "LogAppendTime"],
      clusterName: "log.message.timestamp.type",
      documentation:
        "CreateTime: the producer's timestamps stay. LogAppendTime: the leader's clock.",
    },
    {
      name: "min.cleanable.dirty.ratio",
      type: "double",
      defaultValue: "0.5",
      min: 0,
      max: 1,
      clusterName: "log.cleaner.min.cleanable.ratio",
      documentation:
        "Part of a compacted log that must not have been compacted yet before a pass begins: low " +
        "values work more often, high values let more superseded records stay.",
    },
    {
      name: "min.compaction.lag.ms",
      type: "long",
      defaultValue: "0",
      clusterName: "log.cleaner.min.compaction.lag.ms",
      documentation: "Age before which compaction leaves a record alone. Milliseconds.",
    },
    {
      name: "min.insync.replicas",
      type: "int",
      defaultValue: "2",
      min: 1,
      clusterName: "min.insync.replicas",
      documentation:
        "In-sync replicas, the leader included, without which nothing is committed; never more " +
        "than the replication factor. 1 with two or more replicas needs an explicit permission: " +
        "the last replica's failure could lose acknowledged records.",
    },
    {
      name: "retention.bytes",
      type: "long",
      defaultValue: "-1",
      min: -1,
      clusterName: "log.retention.bytes",
      documentation:
        "Size of a partition from which its oldest segments are removed; -1: no limit.",
    },
    {
      name: "retention.ms",
      type: "long",
      defaultValue: String(7 * DAY_MS),
      min: -1,
      clusterName: "log.retention.ms",
      documentation: "Age from which segments are removed, in milliseconds; -1: no limit.",
    },
    {
      name: "segment.bytes",
      type: "int",
      defaultValue: "1073741824",
      min: 1024,
      clusterName: "log.segment.bytes",
      documentation: "A segment rolls when the next batch would make it larger. Bytes.",
    },
    {
      name: "segment.ms",
      type: "long",
      defaultValue: String(7 * DAY_MS),
      min: 1,
      clusterName: "log.roll.ms",
      documentation: "A segment rolls when it is older than this. Milliseconds.",
    },
    {
      name: "unclean.leader.election.enable",
      type: "boolean",
      defaultValue: "false",
      values: ["false"],
      reason:
        "an election that may lose records is never automatic; an operator asks for it by name",
      documentation: "Always false: elections that may lose records happen only by name.",
      kafkaName: "unclean.leader.election.enable",
    },
    {
      ...stored("compression.gzip.level", "int", "-1", RECOMPRESSES),
      kafkaName: "compression.gzip.level",
      min: -1,
      max: 9,
    },
    {
      ...stored("compression.lz4.level", "int", "9", RECOMPRESSES),
      kafkaName: "compression.lz4.level",
      min: 1,
      max: 17,
    },
    {
      ...stored("compression.zstd.level", "int", "3", RECOMPRESSES),
      kafkaName: "compression.zstd.level",
      min: -131_072,
      max: 22,
    },
    {
      ...stored("flush.messages", "long", NO_LIMIT, SYNCS),
      min: 1,
      kafkaName: "log.flush.interval.messages",
    },
    stored("flush.ms", "long", NO_LIMIT, SYNCS),
    { ...stored("follower.replication.throttled.replicas", "list", ""), ...UNTHROTTLED },
    { ...stored("leader.replication.throttled.replicas", "list", ""), ...UNTHROTTLED },
    {
      ...stored("local.retention.bytes", "long", "-2", TIERED),
      min: -2,
      kafkaName: "log.local.retention.bytes",
    },
    {
      ...stored("local.retention.ms", "long", "-2", TIERED),
      min: -2,
      kafkaName: "log.local.retention.ms",
    },
    {
      ...stored("message.timestamp.before.max.ms", "long", NO_LIMIT),
      kafkaName: "log.message.timestamp.before.max.ms",
    },
    { ...stored("preallocate", "boolean", "false"), kafkaName: "log.preallocate" },
    stored("remote.log.copy.disable", "boolean", "false", TIERED),
    stored("remote.log.delete.on.disable", "boolean", "false", TIERED),
    {
      ...stored("remote.storage.enable", "boolean", "false"),
      values: ["false"],
      reason: "there is no tiered storage",
      documentation: "Always false: there is no tiered storage.",
    },
    {
      ...stored("segment.index.bytes", "int", "10485760"),
      min: 4,
      kafkaName: "log.index.size.max.bytes",
    },
    stored("segment.jitter.ms", "long", "0"),
  ] as readonly ConfigSpec[]
).toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** Settings of all brokers that are no topic's default. */
const CLUSTER_OWN_CONFIGS: readonly ConfigSpec[] = [
  {
    name: "default.replication.factor",
    type: "int",
    defaultValue: "3",
    min: 1,
    max: 32_767,
    documentation:
      "Replicas of a topic created without a number. Unless set: 3, or the number of brokers " +
      "while fewer than 3 are registered.",
  },
  {
    name: "num.partitions",
    type: "int",
    defaultValue: "1",
    min: 1,
    max: 10_000,
    documentation: "Partitions of a topic created without a number.",
  },
];

/** Settings of all brokers: their own, and the defaults of topics under Kafka's broker names. */
export const CLUSTER_CONFIGS: readonly ConfigSpec[] = [
  ...CLUSTER_OWN_CONFIGS,
  ...TOPIC_CONFIGS.flatMap((spec) =>
    spec.clusterName === undefined ? [] : [{ ...spec, name: spec.clusterName }],
  ),
];

const TOPIC_BY_NAME = new Map(TOPIC_CONFIGS.map((spec) => [spec.name, spec]));
const CLUSTER_BY_NAME = new Map(CLUSTER_CONFIGS.map((spec) => [spec.name, spec]));

export function topicConfigSpec(name: string): ConfigSpec | undefined {
  return TOPIC_BY_NAME.get(name);
}

export function clusterConfigSpec(name: string): ConfigSpec | undefined {
  return CLUSTER_BY_NAME.get(name);
}
