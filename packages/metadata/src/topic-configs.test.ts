import { describe, expect, it } from "vitest";
import { configNumber, configProblem } from "./config-spec.js";
import { CLUSTER_CONFIGS, TOPIC_CONFIGS, topicConfigSpec } from "./topic-configs.js";

function problem(name: string, value: string): string | undefined {
  const spec = topicConfigSpec(name);
  if (spec === undefined) throw new Error(`no setting ${name}`);
  return configProblem(spec, value);
}

describe("the table of settings", () => {
  it("names each setting once, documents it, and allows its default", () => {
    for (const table of [TOPIC_CONFIGS, CLUSTER_CONFIGS]) {
      expect(new Set(table.map((spec) => spec.name)).size).toBe(table.length);
      for (const spec of table) {
        expect(spec.documentation.length, spec.name).toBeGreaterThan(20);
        expect(configProblem(spec, spec.defaultValue), spec.name).toBeUndefined();
      }
    }
  });

  it("knows Kafka's names and defaults where it means the same", () => {
    const defaults = new Map(TOPIC_CONFIGS.map((spec) => [spec.name, spec.defaultValue]));
    expect(defaults.get("retention.ms")).toBe("604800000");
    expect(defaults.get("retention.bytes")).toBe("-1");
    expect(defaults.get("segment.bytes")).toBe("1073741824");
    expect(defaults.get("max.message.bytes")).toBe("1048588");
    expect(defaults.get("index.interval.bytes")).toBe("4096");
    expect(defaults.get("file.delete.delay.ms")).toBe("60000");
    expect(defaults.get("message.timestamp.after.max.ms")).toBe("3600000");
  });

  it("asks for two replicas in sync, where Kafka asks for one", () => {
    expect(topicConfigSpec("min.insync.replicas")?.defaultValue).toBe("2");
  });

  it("offers no default of durability for a whole cluster: each topic says it itself", () => {
    expect(CLUSTER_CONFIGS.some((spec) => spec.name.includes("durability"))).toBe(false);
  });
});

describe("a value", () => {
  it("is an integer within the setting's bounds", () => {
    expect(problem("retention.ms", "-1")).toBeUndefined();
    expect(problem("retention.ms", "0")).toBeUndefined();
    expect(problem("retention.ms", "-2")).toContain("outside -1 to");
    expect(problem("min.insync.replicas", "0")).toContain("outside 1 to 2147483647");
    expect(problem("segment.bytes", "2147483648")).toContain("outside 1024 to 2147483647");
    for (const value of ["", " 1", "1.5", "1e3", "0x10", "9".repeat(20), "NaN"]) {
      expect(problem("retention.ms", value), value).toContain("must be an integer");
    }
  });

  it("may be the largest int64, which stands for no limit", () => {
    expect(problem("retention.ms", "9223372036854775807")).toBeUndefined();
    expect(problem("retention.ms", "9223372036854775808")).toContain("outside");
    expect(configNumber("9223372036854775807")).toBe(Number.MAX_SAFE_INTEGER);
  });

  it("is one of the legal words, or a list of them", () => {
    expect(problem("cleanup.policy", "delete")).toBeUndefined();
    expect(problem("cleanup.policy", "compact, delete")).toBeUndefined();
    expect(problem("cleanup.policy", "")).toContain("one of delete, compact");
    expect(problem("message.timestamp.type", "createtime")).toContain("CreateTime, LogAppendTime");
    expect(problem("preallocate", "yes")).toContain("one of true, false");
    expect(problem("min.cleanable.dirty.ratio", "0.3")).toBeUndefined();
    expect(problem("min.cleanable.dirty.ratio", "1.3")).toContain("0 to 1");
    expect(problem("min.cleanable.dirty.ratio", "")).toContain("number");
  });

  it("is refused with the reason where Kafka would take it", () => {
    expect(problem("unclean.leader.election.enable", "true")).toContain("by name");
    expect(problem("leader.replication.throttled.replicas", "*")).toContain("not throttled");
    expect(problem("remote.storage.enable", "true")).toContain("no tiered storage");
  });

  it("has a bounded length", () => {
    expect(problem("cleanup.policy", "delete,".repeat(1_000))).toContain("too long");
  });
});
