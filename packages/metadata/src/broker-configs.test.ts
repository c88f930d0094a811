import { describe, expect, it } from "vitest";
import { BROKER_CONFIGS, brokerConfigSpec } from "./broker-configs.js";
import { configProblem } from "./config-spec.js";
import { CLUSTER_CONFIGS } from "./topic-configs.js";

/** Settings without which a node does not start: no default is a legal value. */
const OF_THE_NODE = new Set(["node.id"]);

describe("the table of a broker's settings", () => {
  it("names each setting once, documents it, and allows its default", () => {
    expect(new Set(BROKER_CONFIGS.map((spec) => spec.name)).size).toBe(BROKER_CONFIGS.length);
    for (const spec of BROKER_CONFIGS) {
      expect(spec.documentation.length, spec.name).toBeGreaterThan(20);
      if (OF_THE_NODE.has(spec.name)) continue;
      expect(configProblem(spec, spec.defaultValue), spec.name).toBeUndefined();
    }
  });

  it("gives no two settings the same other name", () => {
    const names = BROKER_CONFIGS.flatMap((spec) => [
      spec.name,
      ...spec.synonyms.map((synonym) => synonym.name),
    ]);
    expect(new Set(names).size).toBe(names.length);
  });

  it("lets change while brokers run what all of them share, and nothing else", () => {
    for (const spec of BROKER_CONFIGS) {
      const isShared = CLUSTER_CONFIGS.some((each) => each.name === spec.name);
      expect(spec.scope, spec.name).toBe(isShared ? "cluster" : "node");
      expect(spec.update === "read-only", spec.name).toBe(!isShared);
    }
    const ofAll = BROKER_CONFIGS.filter((spec) => spec.update === "all").map(({ name }) => name);
    expect(ofAll).toEqual(["default.replication.factor", "min.insync.replicas", "num.partitions"]);
  });

  it("knows Kafka's names in larger units", () => {
    expect(brokerConfigSpec("log.retention.ms")?.synonyms).toEqual([
      { name: "log.retention.minutes", factor: 60_000 },
      { name: "log.retention.hours", factor: 3_600_000 },
    ]);
    expect(brokerConfigSpec("log.roll.ms")?.synonyms).toEqual([
      { name: "log.roll.hours", factor: 3_600_000 },
    ]);
  });

  it("has numbers of 16 bits that end there", () => {
    const spec = brokerConfigSpec("offsets.topic.replication.factor");
    expect(spec && configProblem(spec, "32767")).toBeUndefined();
    expect(spec && configProblem(spec, "32768")).toContain("outside 1 to 32767");
  });
});
