import { describe, expect, it } from "vitest";
import { elected, problemsOf } from "../testing/histories.js";
import { oneLeaderPerEpoch } from "./one-leader-per-epoch.js";

describe("one leader per epoch", () => {
  it("accepts leaders of different epochs, and one that repeats itself", () => {
    const history = [elected("a", 1), elected("b", 2), elected("b", 2), elected("a", 3)];
    expect(problemsOf(oneLeaderPerEpoch(), history)).toEqual([]);
  });

  it("finds two nodes in one epoch", () => {
    const history = [elected("a", 1), elected("b", 1)];
    expect(problemsOf(oneLeaderPerEpoch(), history)).toEqual(["a and b both lead t-0 in epoch 1"]);
  });

  it("finds a node that restarted and went on in its old epoch", () => {
    const history = [elected("a", 1, 1), elected("a", 1, 2)];
    expect(problemsOf(oneLeaderPerEpoch(), history)).toEqual([
      "a restarted and leads t-0 in its old epoch 1",
    ]);
  });
});
