import { describe, expect, it } from "vitest";
import { type RunSeedsOptions, runSeeds } from "./run-seeds.js";
import { type Scenario, seedResult } from "./scenario.js";
import { World } from "./world.js";

/** Finds something in every third seed. */
const scenario: Scenario = {
  name: "thirds",
  run: async ({ seed, onLog }) => {
    const world = new World({ seed, ...(onLog === undefined ? {} : { onLog }) });
    world.startNode("a", async (ports) => {
      ports.logger.info({ seed }, "started");
      if (seed % 3 === 0) throw new TypeError("divisible");
      return { close: async () => undefined };
    });
    await world.run({ untilMs: 100 });
    return seedResult(world, { runs: 1 });
  },
};

async function run(options: Partial<RunSeedsOptions>) {
  const told: string[] = [];
  const printed: string[] = [];
  const failed = await runSeeds({
    scenario,
    seeds: [1, 2, 3, 4, 5, 6],
    isVerbose: false,
    keepsGoing: false,
    forbidsRealWorld: false,
    tell: (text) => told.push(text),
    print: (text) => printed.push(text),
    nowMs: () => 0,
    ...options,
  });
  return { failed, told: told.join("\n"), printed: printed.join("\n") };
}

describe(runSeeds, () => {
  it("stops at the first finding, and says how to see it again", async () => {
    const { failed, told, printed } = await run({});
    expect(failed).toEqual([3]);
    expect(printed).toContain("exception at a, 0.001 ms: TypeError: divisible");
    expect(printed).toContain(
      "seed 3; replay: npm run sim -- --scenario thirds --seed 3 --verbose",
    );
    expect(printed).toContain("thirds: 3 seeds");
    expect(printed).toContain("FOUND in seeds 3");
    expect(told).toContain("started seed=3");
    expect(told).not.toContain("started seed=2");
  });

  it("goes on where it is told to", async () => {
    const { failed, printed } = await run({ keepsGoing: true });
    expect(failed).toEqual([3, 6]);
    expect(printed).toContain("runs 6: FOUND in seeds 3 6");
  });

  it("tells the hash of a single seed, and every log line when it is verbose", async () => {
    const { failed, told, printed } = await run({ seeds: [4], isVerbose: true });
    expect(failed).toEqual([]);
    expect(printed).toMatch(/trace [0-9a-f]{16}: nothing found/);
    expect(told).toContain("info  a: started seed=4");
  });
});
