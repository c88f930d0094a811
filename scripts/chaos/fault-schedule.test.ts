import { describe, expect, it } from "vitest";
import { FAULT_KINDS, FaultSchedule } from "./fault-schedule.mjs";
import { chooseVictims } from "./faults.mjs";

function drawn(seed: number, count: number) {
  const schedule = new FaultSchedule(seed);
  return Array.from({ length: count }, () => schedule.next());
}

describe("fault schedule", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(drawn(42, 50)).toEqual(drawn(42, 50));
    expect(drawn(42, 50)).not.toEqual(drawn(43, 50));
  });

  it("holds every kind of fault within ten", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      expect(new Set(drawn(seed, 10).map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS));
    }
  });

  it("leaves room for a hundred faults in twenty minutes, recovery included", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const plannedMs = drawn(seed, 100).reduce((sum, fault) => sum + plannedMsOf(fault), 0);
      expect(plannedMs / 100).toBeLessThan(8_000);
    }
  });

  it("pauses for one to twenty seconds", () => {
    const pauses = drawn(7, 500).map(({ pauseMs }) => pauseMs);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(20_000);
    expect(Math.max(...pauses)).toBeGreaterThan(15_000);
  });
});

describe("victims", () => {
  const roles = {
    ids: [1, 2, 3],
    controller: 3,
    partitions: [{ leaderId: 1 }, { leaderId: 2 }],
  };
  const victims = (kind: string) =>
    chooseVictims({ kind, order: [1, 2, 0], partitionShare: 0.6 }, roles);

  it("are those whose role the fault names", () => {
    expect(victims("kill-leader")).toEqual([2]);
    expect(victims("pause-controller")).toEqual([3]);
  });

  it("are as many as the fault names, as drawn", () => {
    expect(victims("kill-random")).toEqual([2]);
    expect(victims("kill-two")).toEqual([2, 3]);
    expect(victims("kill-while-paused")).toEqual([2, 3]);
    expect(victims("kill-all")).toEqual([2, 3, 1]);
  });
});

function plannedMsOf(fault: ReturnType<FaultSchedule["next"]>): number {
  const { kind, downMs, staggerMs, pauseMs, gapMs, calmMs } = fault;
  const last = kind === "kill-two" || kind === "kill-all" ? staggerMs : 0;
  if (kind === "kill-while-paused") return Math.max(pauseMs, gapMs + downMs) + calmMs;
  return (kind.startsWith("pause-") ? pauseMs : downMs + last) + calmMs;
}
