import { describe, expect, it } from "vitest";
import { CommitWaiters } from "./commit-waiters.js";

describe(CommitWaiters, () => {
  it("releases what is committed, in order, and keeps the rest", () => {
    const waiters = new CommitWaiters<string>();
    waiters.add(3, "a");
    waiters.add(5, "b");
    waiters.add(9, "c");
    expect(waiters.release(2)).toEqual([]);
    expect(waiters.release(5)).toEqual(["a", "b"]);
    expect(waiters.size).toBe(1);
    expect(waiters.drain()).toEqual(["c"]);
  });

  it("puts a retried batch before later ones, and behind those with the same end", () => {
    const waiters = new CommitWaiters<string>();
    waiters.add(3, "first");
    waiters.add(9, "later");
    waiters.add(3, "retried");
    expect(waiters.release(3)).toEqual(["first", "retried"]);
  });

  it("takes out those past their deadline wherever they stand", () => {
    const waiters = new CommitWaiters<number>();
    for (const end of [1, 2, 3, 4]) waiters.add(end, end);
    waiters.release(1);
    expect(waiters.removeWhere((ticket) => ticket % 2 === 0)).toEqual([2, 4]);
    expect(waiters.drain()).toEqual([3]);
  });

  it("holds on to no released tickets, however many pass through", () => {
    const waiters = new CommitWaiters<number>();
    for (let end = 1; end <= 10_000; end += 1) {
      waiters.add(end, end);
      if (end > 5) expect(waiters.release(end - 5)).toEqual([end - 5]);
    }
    expect(waiters.drain()).toHaveLength(5);
    expect(waiters.size).toBe(0);
  });
});
