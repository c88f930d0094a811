import { describe, expect, it } from "vitest";
import { calmPlan, type FaultPlan } from "../../faults.js";
import { raftScenario } from "./raft-scenario.js";

/** Crashes only, with power cuts, half of them of all nodes, most in the middle of a sync. */
const powerCuts: FaultPlan = {
  ...calmPlan(),
  crash: {
    everyMs: 500,
    lastsMs: [10, 1_000],
    allChance: 0.3,
    powerCutChance: 1,
    silentChance: 0,
    atSyncChance: 0.8,
    orderlyChance: 0,
  },
};

const A_MINUTE = 60_000;

describe("the raft scenario", () => {
  it(
    "finds nothing in the raft core, in many kinds of weather",
    async () => {
      let acknowledgedCount = 0;
      for (let seed = 1; seed <= 15; seed++) {
        const { findings, counts } = await raftScenario().run({ seed });
        expect({ seed, findings }).toEqual({ seed, findings: [] });
        acknowledgedCount += counts["acknowledged"] ?? 0;
      }
      expect(acknowledgedCount).toBeGreaterThan(2_000);
    },
    5 * A_MINUTE,
  );

  it(
    "finds nothing either when the power fails all the time",
    async () => {
      for (let seed = 1; seed <= 5; seed++) {
        const { findings } = await raftScenario({ mistake: "none", plan: powerCuts }).run({ seed });
        expect({ seed, findings }).toEqual({ seed, findings: [] });
      }
    },
    5 * A_MINUTE,
  );

  it.each([
    ["does not sync what it votes and acknowledges", "no-sync"],
    ["sends before it has persisted", "send-first"],
    ["answers before a command is committed", "answer-early"],
  ] as const)(
    "finds a shell that %s",
    async (_what, mistake) => {
      const scenario = raftScenario({ mistake, plan: powerCuts });
      for (let seed = 1; seed <= 10; seed++) {
        const { findings } = await scenario.run({ seed });
        if (findings.length > 0) return;
      }
      expect.fail(`10 seeds did not find "${mistake}"`);
    },
    5 * A_MINUTE,
  );
});
