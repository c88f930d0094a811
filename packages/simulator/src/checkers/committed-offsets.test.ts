import { describe, expect, it } from "vitest";
import type { Observation } from "../observation.js";
import { problemsOf } from "../testing/histories.js";
import { committedOffsets } from "./committed-offsets.js";

const place = { group: "g", partition: "t-0" };

function committed(offset: number): Observation {
  return { kind: "offset-committed", ...place, offset, by: "a" };
}

function asked(question: string): Observation {
  return { kind: "offset-asked", ...place, question };
}

function answered(question: string, offset: number): Observation {
  return { kind: "offset-answered", ...place, question, offset };
}

describe(committedOffsets, () => {
  it("finds a commit that was acknowledged and is not there", () => {
    const history = [committed(5), asked("b"), answered("b", 4)];
    expect(problemsOf(committedOffsets(), history)).toEqual([
      "g had committed 5 of t-0, acknowledged to a; b was told 4 later",
    ]);
    expect(problemsOf(committedOffsets(), [committed(5), asked("b"), answered("b", -1)])).toEqual([
      "g had committed 5 of t-0, acknowledged to a; b was told -1 later",
    ]);
  });

  it("finds an offset that goes back behind what somebody was told", () => {
    const history = [asked("b"), answered("b", 7), asked("c"), answered("c", 6)];
    expect(problemsOf(committedOffsets(), history)).toEqual([
      "g had committed 7 of t-0, told to b; c was told 6 later",
    ]);
  });

  it("accepts an answer that was under way when more was committed", () => {
    const history = [committed(5), asked("b"), committed(6), answered("b", 5)];
    expect(problemsOf(committedOffsets(), history)).toEqual([]);
  });

  it("accepts more than was acknowledged: the answer to a commit may be lost", () => {
    const history = [committed(5), asked("b"), answered("b", 9)];
    expect(problemsOf(committedOffsets(), history)).toEqual([]);
  });
});
