import { describe, expect, it } from "vitest";
import type { Observation } from "../observation.js";
import { problemsOf } from "../testing/histories.js";
import { oneOwner } from "./one-owner.js";

function assigned(member: string, generation: number, ...partitions: string[]): Observation {
  return { kind: "group-assigned", group: "g", generation, member, partitions };
}

describe(oneOwner, () => {
  it("finds two owners of a partition in one generation", () => {
    const history = [assigned("a", 3, "t-0", "t-1"), assigned("b", 3, "t-1")];
    expect(problemsOf(oneOwner(), history)).toEqual([
      "t-1 in generation 3 of g belongs to a and to b",
    ]);
  });

  it("accepts an owner that is told twice, and another in the next generation", () => {
    const history = [assigned("a", 3, "t-0"), assigned("a", 3, "t-0"), assigned("b", 4, "t-0")];
    expect(problemsOf(oneOwner(), history)).toEqual([]);
  });
});
