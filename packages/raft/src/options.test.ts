import { describe, expect, it } from "vitest";
import type { Entry } from "./messages.js";
import { type RaftOptions, raftOptionsProblems, restoredProblem } from "./options.js";

const valid: RaftOptions = {
  self: 1,
  voters: [1, 2, 3],
  electionTicks: 10,
  heartbeatTicks: 2,
  entriesBytesMax: 1_000,
  inflightMax: 4,
  seed: 1,
  applied: 0,
};

function entry(index: number, term: number, type: Entry["type"] = "data"): Entry {
  return { index, term, type, data: new Uint8Array(0) };
}

describe(raftOptionsProblems, () => {
  it("finds none in valid options", () => {
    expect(raftOptionsProblems(valid)).toEqual([]);
    expect(raftOptionsProblems({ ...valid, voters: [] })).toEqual([]);
  });

  it("lists every problem at once", () => {
    const wrong = { voters: [3, 1], electionTicks: 2, inflightMax: 0, entriesBytesMax: 0 };
    expect(raftOptionsProblems({ ...valid, ...wrong }).length).toBe(4);
    expect(raftOptionsProblems({ ...valid, electionTicks: Number.NaN }).length).toBe(1);
  });

  it("includes what is wrong with the restored state", () => {
    const restored = { hardState: { term: 1, vote: -1, commit: 0 }, entries: [entry(1, 2)] };
    expect(raftOptionsProblems({ ...valid, restored })[0]).toContain("beyond term 1");
  });
});

describe(restoredProblem, () => {
  const hardState = { term: 3, vote: 1, commit: 2 };
  const snapshot = { index: 4, term: 2, voters: [1], data: new Uint8Array(0) };

  it("accepts a log with a snapshot that overlaps it", () => {
    const entries = [entry(3, 1), entry(4, 2), entry(5, 3)];
    expect(restoredProblem({ hardState, snapshot, entries })).toBe(undefined);
    expect(restoredProblem({ hardState, entries: [entry(1, 1), entry(2, 3)] })).toBe(undefined);
  });

  it("refuses a hole, also right after the snapshot", () => {
    expect(restoredProblem({ hardState, entries: [entry(1, 1), entry(3, 1)] })).toContain("2 is");
    expect(restoredProblem({ hardState, snapshot, entries: [entry(6, 2)] })).toContain("5 is");
  });

  it("refuses a log that ends before what was committed", () => {
    expect(restoredProblem({ hardState, entries: [entry(1, 1)] })).toContain("2 to 2 are missing");
  });

  it("refuses terms that go back, and voter lists that are none", () => {
    const back = [entry(1, 2), entry(2, 1)];
    expect(restoredProblem({ hardState, entries: back })).toContain("lower term");
    const data = Uint8Array.of(1);
    const broken: Entry[] = [entry(1, 1), { index: 2, term: 1, type: "configuration", data }];
    expect(restoredProblem({ hardState, entries: broken })).toContain("voter list");
    const twice = { ...snapshot, voters: [1, 1] };
    expect(restoredProblem({ hardState, snapshot: twice, entries: [] })).toContain("ascending");
  });
});
