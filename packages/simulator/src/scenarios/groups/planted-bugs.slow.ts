/**
 * Does the scenario of groups see what it is there for? Mistakes planted by this file alone must be
 * found within a stated number of seeds. Run by `npm run sim:planted`.
 */
import { GroupShard } from "@strandline/coordination";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ShardStep } from "../../../../broker/src/coordinator/shard.js";
import { StepQueue } from "../../../../broker/src/coordinator/step-queue.js";
import { groupsScenario } from "./groups-scenario.js";

/** Runs seeds from 1 on; returns what the first that finds something says. */
async function firstFinding(seedsMax: number): Promise<string | undefined> {
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const { findings } = await groupsScenario().run({ seed });
    const message = findings.find((finding) => finding.kind === "invariant")?.message;
    if (message !== undefined) {
      console.log(`found by seed ${seed}: ${message.slice(0, 150)}`);
      return message;
    }
  }
  return undefined;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the simulator finds", { timeout: 900_000 }, () => {
  it("a coordinator that is not loaded to the end of its log, within 20 seeds", async () => {
    const replay = GroupShard.prototype.replay;
    const pending = new WeakMap<GroupShard, Parameters<typeof replay>[0]>();
    vi.spyOn(GroupShard.prototype, "replay").mockImplementation(function (this: GroupShard, next) {
      const before = pending.get(this);
      pending.set(this, next);
      return before === undefined ? true : replay.call(this, before);
    });
    expect(await firstFinding(20)).toBeDefined();
  });

  it("an answer that does not wait until it is committed, within 20 seeds", async () => {
    const add = StepQueue.prototype.add;
    vi.spyOn(StepQueue.prototype, "add").mockImplementation(function (
      this: StepQueue<unknown>,
      step: ShardStep<unknown>,
    ) {
      return [...add.call(this, { records: step.records, replies: [] }), ...step.replies];
    });
    expect(await firstFinding(20)).toBeDefined();
  });
});
