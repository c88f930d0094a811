import { describe, expect, it } from "vitest";
import { problemsOf, raftLeader } from "../testing/histories.js";
import { oneLeaderPerTerm } from "./one-leader-per-term.js";

describe("one leader per term", () => {
  it("accepts one leader in each term", () => {
    const history = [raftLeader("a", 1), raftLeader("b", 2), raftLeader("b", 2)];
    expect(problemsOf(oneLeaderPerTerm(), history)).toEqual([]);
  });

  it("finds two leaders in one term", () => {
    const history = [raftLeader("a", 1), raftLeader("b", 1)];
    expect(problemsOf(oneLeaderPerTerm(), history)).toEqual([
      "a and b both lead metadata in term 1",
    ]);
  });
});
