import { beforeEach, describe, expect, it } from "vitest";
import { FrameBudget } from "./frame-budget.js";

describe(FrameBudget, () => {
  let budget: FrameBudget;
  let granted: string[];

  beforeEach(() => {
    budget = new FrameBudget(100);
    granted = [];
  });

  function take(name: string, sizeBytes: number): () => void {
    const onGranted = (): void => void granted.push(name);
    if (budget.take(sizeBytes, onGranted)) granted.push(`${name} at once`);
    return onGranted;
  }

  it("gives what there is at once, and the rest when it comes back", () => {
    take("a", 60);
    take("b", 40);
    take("c", 50);
    expect(granted).toEqual(["a at once", "b at once"]);
    budget.giveBack(40);
    expect(granted).toHaveLength(2);
    budget.giveBack(60);
    expect(granted).toEqual(["a at once", "b at once", "c"]);
    expect([budget.usedBytes, budget.hasWaiting]).toEqual([50, false]);
  });

  it("keeps the turn: a small one does not pass a large one that waits", () => {
    take("a", 60);
    take("large", 90);
    take("small", 10);
    budget.giveBack(60);
    expect(granted).toEqual(["a at once", "large", "small"]);
  });

  it("gives one that is larger than everything its turn, alone", () => {
    take("a", 10);
    take("huge", 1_000);
    take("b", 10);
    budget.giveBack(10);
    expect(granted).toEqual(["a at once", "huge"]);
    budget.giveBack(1_000);
    expect(granted).toEqual(["a at once", "huge", "b"]);
  });

  it("goes on to the next when one that waits has gone", () => {
    take("a", 60);
    const gone = take("gone", 100);
    take("b", 40);
    budget.forget(gone);
    expect(granted).toEqual(["a at once", "b"]);
    expect(budget.usedBytes).toBe(100);
  });
});
