import { describe, expect, it } from "vitest";
import { calmPlan, describePlan, drawFaultPlan, type FaultPlan, type Recurring } from "./faults.js";
import { SimRandom } from "./random.js";

const KINDS = [
  "crash",
  "pause",
  "partition",
  "reset",
  "slowDisk",
  "ioError",
  "fullDisk",
  "clock",
] as const;

function plans(count: number, hasDiskErrors = true): FaultPlan[] {
  return Array.from({ length: count }, (_, seed) => {
    return drawFaultPlan(SimRandom.fromSeed(seed), { hasDiskErrors });
  });
}

function kindsOf(plan: FaultPlan): string {
  return KINDS.filter((kind) => plan[kind] !== undefined).join(" ");
}

describe("a fault plan", () => {
  it("is the same for the same seed, and differs from seed to seed", () => {
    expect(plans(5)).toEqual(plans(5));
    expect(new Set(plans(200).map(kindsOf)).size).toBeGreaterThan(50);
  });

  it("has each kind of fault in some runs and not in others", () => {
    for (const kind of KINDS) {
      const count = plans(200).filter((plan) => plan[kind] !== undefined).length;
      expect(count).toBeGreaterThan(20);
      expect(count).toBeLessThan(180);
    }
  });

  it("has no disk errors for a program that cannot bear them, and is otherwise the same", () => {
    const [one, other] = [plans(50), plans(50, false)];
    for (const plan of other) expect([plan.ioError, plan.fullDisk]).toEqual([undefined, undefined]);
    expect(other.map(({ crash, clock }) => [crash, clock])).toEqual(
      one.map(({ crash, clock }) => [crash, clock]),
    );
  });

  it("stays in sensible bounds", () => {
    for (const plan of plans(300)) {
      for (const kind of KINDS) {
        const fault: Recurring | undefined = plan[kind];
        if (fault === undefined) continue;
        expect(fault.everyMs).toBeGreaterThanOrEqual(100);
        expect(fault.lastsMs[1]).toBeGreaterThanOrEqual(fault.lastsMs[0]);
      }
      for (const [min, max] of [plan.network.latencyUs, plan.disk.syncUs, plan.disk.readUs]) {
        expect(min).toBeGreaterThanOrEqual(1);
        expect(max).toBeGreaterThanOrEqual(min);
      }
    }
  });

  it("says in a line what it is", () => {
    expect(describePlan(calmPlan())).toBe("latency 50-400 us, sync 100-2000 us");
    const crash = plans(200).find((plan) => plan.crash !== undefined);
    expect(crash && describePlan(crash)).toContain("crash every");
  });
});
