import { describe, expect, it } from "vitest";
import { BROKER_CONFIGS } from "./broker-configs.js";
import { configProblem } from "./config-spec.js";
import { GROUP_CONFIGS } from "./group-configs.js";
import { KEPT_CONFIGS } from "./kept-configs.js";
import { TOPIC_CONFIGS } from "./topic-configs.js";

describe("the settings that are only kept", () => {
  it("are none that anything reads, say so, and allow their defaults", () => {
    const read = new Set(
      [...BROKER_CONFIGS, ...TOPIC_CONFIGS].flatMap((spec) => [spec.name, spec.clusterName]),
    );
    for (const spec of [...KEPT_CONFIGS, ...GROUP_CONFIGS]) {
      expect(read.has(spec.name), spec.name).toBe(false);
      expect(spec.documentation).toContain("has no effect");
      expect(configProblem(spec, spec.defaultValue), spec.name).toBeUndefined();
    }
  });
});
