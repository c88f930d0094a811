import { nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { BROKER_CONFIGS } from "./broker-configs.js";
import {
  brokerConfigEntries,
  clusterConfigEntries,
  clusterConfigValue,
  effectiveInSyncMin,
  topicConfig,
  topicConfigEntries,
} from "./config-resolution.js";
import { replay } from "./replay.js";
import { MetadataCluster } from "./testing/metadata-cluster.js";

const ids = (...nodes: number[]) => nodes.map((node) => nodeId(node));

function cluster(): MetadataCluster {
  const started = new MetadataCluster();
  started.start(1, 2, 3);
  return started;
}

describe(topicConfig, () => {
  it("takes the topic's own value, else that of all brokers, else the built-in", () => {
    const { image } = cluster();
    expect(topicConfig(image, "t").retentionMs).toBe(604_800_000);
    const set = cluster();
    set.createTopic("t");
    set.accept(set.settings("", { "log.retention.ms": "5000" }));
    expect(topicConfig(set.image, "t").retentionMs).toBe(5_000);
    set.accept(set.settings("t", { "retention.ms": "-1" }));
    expect(topicConfig(set.image, "t").retentionMs).toBe(-1);
    set.accept(set.settings("t", {}, ["retention.ms"]));
    expect(topicConfig(set.image, "t").retentionMs).toBe(5_000);
  });

  it("reads words into what they mean", () => {
    const set = cluster();
    set.createTopic("t", {
      configs: {
        "cleanup.policy": "compact",
        durability: "replicated",
        "message.timestamp.type": "LogAppendTime",
      },
    });
    expect(topicConfig(set.image, "t")).toMatchObject({
      isCompacted: true,
      isDeleted: false,
      isSynced: false,
      isLogAppendTime: true,
    });
    expect(topicConfig(set.image, "other")).toMatchObject({
      isCompacted: false,
      isDeleted: true,
      isSynced: true,
      isLogAppendTime: false,
    });
  });
});

describe("the settings of compaction", () => {
  it("are Kafka's, and both policies may apply at once", () => {
    const set = cluster();
    set.createTopic("t", {
      configs: { "cleanup.policy": "compact,delete", "min.cleanable.dirty.ratio": "0.01" },
    });
    expect(topicConfig(set.image, "t")).toMatchObject({
      isCompacted: true,
      isDeleted: true,
      compactionLagMsMin: 0,
      compactionLagMsMax: Number.MAX_SAFE_INTEGER,
      deleteRetentionMs: 86_400_000,
      dirtyRatioMin: 0.01,
    });
  });
});

describe("the entries people are shown", () => {
  it("say where each value comes from", () => {
    const set = cluster();
    set.createTopic("t", { configs: { "segment.bytes": "2048" } });
    set.accept(set.settings("", { "log.retention.bytes": "77", "num.partitions": "6" }));
    const of = new Map(topicConfigEntries(set.image, "t").map((entry) => [entry.name, entry]));
    expect(of.get("segment.bytes")).toMatchObject({ value: "2048", source: "topic", type: "int" });
    expect(of.get("retention.bytes")).toMatchObject({ value: "77", source: "cluster" });
    expect(of.get("retention.ms")).toMatchObject({ source: "default" });
    const all = new Map(clusterConfigEntries(set.image).map((entry) => [entry.name, entry]));
    expect(all.get("num.partitions")).toMatchObject({ value: "6", source: "cluster" });
    expect(all.get("default.replication.factor")).toMatchObject({ value: "3", source: "default" });
    expect(clusterConfigValue(set.image, "num.partitions")).toBe("6");
  });
});

describe(brokerConfigEntries, () => {
  it("shows every setting of a broker, with all the values it has somewhere", () => {
    const set = cluster();
    set.accept(set.settings("", { "log.retention.ms": "5000" }));
    const entries = brokerConfigEntries(set.image, nodeId(1), new Map([["group.max.size", "9"]]));
    expect(entries.map((entry) => entry.name)).toEqual(BROKER_CONFIGS.map((spec) => spec.name));
    const of = new Map(entries.map((entry) => [entry.name, entry]));
    expect(of.get("log.retention.ms")).toMatchObject({
      value: "5000",
      source: "cluster",
      isReadOnly: false,
      synonyms: [
        { name: "log.retention.ms", value: "5000", source: "cluster" },
        { name: "log.retention.ms", value: "604800000", source: "default" },
      ],
    });
    expect(of.get("group.max.size")).toMatchObject({
      value: "9",
      source: "static",
      isReadOnly: true,
      synonyms: [
        { name: "group.max.size", value: "9", source: "static" },
        { name: "group.max.size", value: "2147483647", source: "default" },
      ],
    });
  });
});

describe("what is set for one broker", () => {
  it("is shown of that broker before what is set for all, and of no other", () => {
    const set = cluster();
    const broker = (name: string, value: string) => ({
      ...set.settings("", { [name]: value }),
      resource: { type: "broker", name: "1" } as const,
    });
    set.createTopic("t");
    set.accept(set.settings("", { "log.retention.ms": "5000", "background.threads": "7" }));
    set.accept(broker("log.retention.ms", "4000"));
    set.accept(broker("sasl.kerberos.min.time.before.relogin", "58000"));
    const of = (node: number) => {
      const entries = brokerConfigEntries(set.image, nodeId(node), new Map());
      return new Map(entries.map((entry) => [entry.name, entry]));
    };
    const synonyms = [
      { name: "log.retention.ms", value: "4000", source: "broker" },
      { name: "log.retention.ms", value: "5000", source: "cluster" },
      { name: "log.retention.ms", value: "604800000", source: "default" },
    ];
    expect(of(1).get("log.retention.ms")).toMatchObject({ value: "4000", synonyms });
    expect(of(2).get("log.retention.ms")).toMatchObject({ value: "5000", source: "cluster" });
    const [ofTopic] = topicConfigEntries(set.image, "t", nodeId(1)).filter(
      (entry) => entry.name === "retention.ms",
    );
    expect(ofTopic).toMatchObject({ value: "4000", source: "broker", synonyms });
    // What is only kept is shown where somebody set it.
    const relogin = "sasl.kerberos.min.time.before.relogin";
    expect(of(1).get(relogin)).toMatchObject({ value: "58000", source: "broker" });
    expect(of(2).has(relogin)).toBe(false);
    expect(of(2).get("background.threads")).toMatchObject({ value: "7", source: "cluster" });
    expect([...of(1).keys()]).toEqual([...of(1).keys()].sort());
  });

  it("is never a minimum of in-sync replicas, whatever the metadata says", () => {
    const set = cluster();
    set.createTopic("t");
    const weak = { resource: "broker:1", name: "min.insync.replicas", value: "1" };
    const record = { type: "config-set", version: 1, ...weak } as const;
    const { image } = replay(set.image, [record], set.image.offset + 1);
    expect(topicConfig(image, "t", nodeId(1)).inSyncReplicasMin).toBe(2);
  });
});

describe(effectiveInSyncMin, () => {
  it("never asks for more replicas than there are", () => {
    expect(effectiveInSyncMin(2, { replicas: ids(1), adding: [] })).toBe(1);
    expect(effectiveInSyncMin(2, { replicas: ids(1, 2, 3), adding: [] })).toBe(2);
  });

  it("counts no replica that a reassignment is only about to bring", () => {
    expect(effectiveInSyncMin(2, { replicas: ids(2, 1), adding: ids(2) })).toBe(1);
  });
});
