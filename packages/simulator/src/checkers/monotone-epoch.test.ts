import { describe, expect, it } from "vitest";
import { elected, problemsOf } from "../testing/histories.js";
import { monotoneEpoch } from "./monotone-epoch.js";

describe("monotone epoch", () => {
  it("accepts epochs that rise on each node, though nodes learn of them late", () => {
    const history = [elected("a", 1), elected("b", 3), elected("a", 2), elected("a", 4, 2)];
    expect(problemsOf(monotoneEpoch(), history)).toEqual([]);
  });

  it("finds a node that leads in an earlier epoch again, over a restart too", () => {
    const history = [elected("a", 2, 1), elected("a", 1, 2)];
    expect(problemsOf(monotoneEpoch(), history)).toEqual([
      "a leads t-0 in epoch 1 after it led in epoch 2",
    ]);
  });
});
