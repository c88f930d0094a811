import { describe, expect, it } from "vitest";
import { Plan } from "./plan.mjs";

describe("a plan", () => {
  const newPlan = () => new Plan({ startMs: 100, perSecond: 1_000, count: 10 });

  it("gives each call once, when it is due", () => {
    const plan = newPlan();
    expect(plan.take(99)).toEqual({ from: 0, to: 0 });
    expect(plan.take(100)).toEqual({ from: 0, to: 1 });
    expect(plan.take(100.5)).toEqual({ from: 1, to: 1 });
    expect(plan.take(103)).toEqual({ from: 1, to: 4 });
  });

  it("gives what a late caller has missed, and keeps its due time", () => {
    const plan = newPlan();
    expect(plan.take(105)).toEqual({ from: 0, to: 6 });
    expect(plan.dueAtMs(0)).toBe(100);
    expect(plan.dueAtMs(5)).toBe(105);
  });

  it("ends", () => {
    const plan = newPlan();
    expect(plan.take(1_000)).toEqual({ from: 0, to: 10 });
    expect(plan.isOver).toBe(true);
    expect(plan.take(2_000)).toEqual({ from: 10, to: 10 });
  });
});
