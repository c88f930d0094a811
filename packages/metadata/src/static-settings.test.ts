import { nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { clusterConfigValue, inSyncReplicasMin, topicConfigEntries } from "./config-resolution.js";
import { outvotedSettings } from "./static-settings.js";
import { MetadataCluster } from "./testing/metadata-cluster.js";

/** Brokers 1, 2, … whose operators wrote these values of log.retention.ms; undefined: none. */
function brokers(...written: (string | undefined)[]): MetadataCluster {
  const cluster = new MetadataCluster();
  written.forEach((value, at) => {
    restart(cluster, at + 1, value);
  });
  return cluster;
}

function restart(cluster: MetadataCluster, node: number, value: string | undefined): void {
  const settings = value === undefined ? {} : { "log.retention.ms": value };
  cluster.accept(cluster.registration(node, { settings }));
  cluster.unfence(node);
}

function retention(cluster: MetadataCluster): string {
  return clusterConfigValue(cluster.image, "log.retention.ms");
}

describe("what the brokers' operators wrote", () => {
  it("is the default of topics, below what is set while brokers run", () => {
    const cluster = brokers("5000", "5000", "5000");
    cluster.createTopic("t");
    const entry = () =>
      topicConfigEntries(cluster.image, "t").find(({ name }) => name === "retention.ms");
    expect(entry()).toMatchObject({ value: "5000", source: "static" });
    cluster.accept(cluster.settings("", { "log.retention.ms": "7000" }));
    expect(entry()).toMatchObject({ value: "7000", source: "cluster" });
    expect(entry()?.synonyms.map(({ name, value, source }) => [name, value, source])).toEqual([
      ["log.retention.ms", "7000", "cluster"],
      ["log.retention.ms", "5000", "static"],
      ["log.retention.ms", "604800000", "default"],
    ]);
    cluster.accept(cluster.settings("", {}, ["log.retention.ms"]));
    expect(entry()).toMatchObject({ value: "5000", source: "static" });
  });

  it("is in force where most brokers have it, and having none counts as well", () => {
    expect(retention(brokers("5000", "6000", "6000"))).toBe("6000");
    expect(retention(brokers("5000", undefined, undefined))).toBe("604800000");
    expect(retention(brokers(undefined, "5000", "5000"))).toBe("5000");
  });

  it("stays in force in a tie, whoever starts again", () => {
    const cluster = brokers("5000", "6000");
    expect(retention(cluster)).toBe("5000");
    restart(cluster, 2, "6000");
    restart(cluster, 1, "5000");
    expect(retention(cluster)).toBe("5000");
  });

  it("changes once in a rolling restart, and not back", () => {
    const cluster = brokers("5000", "5000", "5000");
    const seen: string[] = [];
    for (const node of [1, 2, 3, 2]) {
      restart(cluster, node, "6000");
      seen.push(retention(cluster));
    }
    expect(seen).toEqual(["5000", "6000", "6000", "6000"]);
    for (const node of [1, 2]) restart(cluster, node, undefined);
    expect(retention(cluster)).toBe("604800000");
  });

  it("counts for a broker that is down, until that is removed", () => {
    const cluster = brokers("5000", "5000", "6000", "6000");
    cluster.fence(1);
    restart(cluster, 4, "6000");
    expect(retention(cluster)).toBe("5000");
    cluster.accept({ kind: "remove-node", nodeId: nodeId(1) });
    expect(retention(cluster)).toBe("6000");
    expect(cluster.image.configs.has("static:1")).toBe(false);
  });

  it("is told of by the brokers that were outvoted", () => {
    const cluster = brokers("5000", "6000", "6000");
    expect(outvotedSettings(cluster.image, nodeId(1))).toEqual([
      { name: "log.retention.ms", written: "5000", inForce: "6000" },
    ]);
    expect(outvotedSettings(cluster.image, nodeId(2))).toEqual([]);
  });

  it("says how many replicas a topic has, even where there are more brokers", () => {
    const cluster = new MetadataCluster();
    for (const node of [1, 2, 3]) {
      const settings = { "default.replication.factor": "2", "num.partitions": "4" };
      cluster.accept(cluster.registration(node, { settings }));
      cluster.unfence(node);
    }
    const id = cluster.createTopic("t");
    const topic = cluster.image.topics.get(id);
    expect(topic?.partitions.map(({ replicas }) => replicas.length)).toEqual([2, 2, 2, 2]);
  });

  it("steps every partition whose minimum of in-sync replicas it changes", () => {
    const cluster = brokers(undefined, undefined, undefined);
    const topic = cluster.createTopic("t", { partitions: 1, replicationFactor: 3 });
    const before = cluster.partition(topic).partitionEpoch;
    for (const node of [1, 2]) {
      const settings = { "min.insync.replicas": "3" };
      cluster.accept(cluster.registration(node, { settings }));
      cluster.unfence(node);
    }
    expect(inSyncReplicasMin(cluster.image, "t")).toBe(3);
    expect(cluster.partition(topic).partitionEpoch).toBeGreaterThan(before);
  });

  it("leaves out what this version does not know or allow", () => {
    const cluster = new MetadataCluster();
    const settings = {
      "log.retention.ms": "x",
      "min.insync.replicas": "1",
      "of.a.later.version": "1",
      "group.max.size": "5",
      "num.partitions": "4",
    };
    cluster.accept(cluster.registration(1, { settings }));
    expect([...(cluster.image.configs.get("static:1") ?? [])]).toEqual([["num.partitions", "4"]]);
  });
});
