import { describe, expect, it } from "vitest";
import { groupsScenario } from "./groups-scenario.js";

describe("the groups scenario", () => {
  it("finds nothing, commits something, and runs the same again", async () => {
    const { findings, counts, traceHash } = await groupsScenario().run({ seed: 21 });
    expect(findings).toEqual([]);
    expect(counts["commits"]).toBeGreaterThan(20);
    expect(counts["generations"]).toBeGreaterThan(5);
    expect((await groupsScenario().run({ seed: 21 })).traceHash).toBe(traceHash);
  }, 60_000);
});
