import { describe, expect, it } from "vitest";
import { checkGroup } from "./group-checker.mjs";

function joined(member: string, generation: number, ...partitions: number[]) {
  return { kind: "joined", member, generation, partitions, at: 0 };
}

function delivered(...offsets: number[]) {
  return { kind: "delivered", partition: 0, records: offsets.map((at) => [at, `v${at}`]), at: 0 };
}

function committed(offset: number, at: number) {
  return { kind: "committed", partition: 0, offset, at };
}

function answered(offset: number, askedAt: number, at = askedAt + 1) {
  return { partition: 0, offset, askedAt, at };
}

/** One partition with three records, all of them acknowledged. */
const written = {
  ends: [3],
  acknowledged: [0, 1, 2].map((offset) => ({ partition: 0, offset, value: `v${offset}` })),
  answers: [] as object[],
  members: [] as object[][],
};

function kindsOf(history: object): string[] {
  return checkGroup({ ...written, ...history }).findings.map(({ kind }: { kind: string }) => kind);
}

describe(checkGroup, () => {
  it("accepts records that are given to several members, and counts the repetitions", () => {
    const members = [
      [joined("a", 1, 0), delivered(0, 1), committed(2, 5)],
      [joined("b", 2, 0), delivered(1, 2), committed(3, 9)],
    ];
    const answers = [answered(2, 6), answered(2, 8, 12), answered(3, 10)];
    expect(checkGroup({ ...written, members, answers })).toEqual({
      isOk: true,
      findings: [],
      acknowledged: 3,
      delivered: 3,
      deliveredAgain: 1,
      commits: 2,
      generations: 2,
      answers: 3,
    });
  });

  it("finds a record that nobody was given, also one that was never acknowledged", () => {
    expect(kindsOf({ members: [[delivered(0, 1)]] })).toEqual(["not delivered"]);
    expect(kindsOf({ ends: [4], members: [[delivered(0, 1, 2)]] })).toEqual(["not delivered"]);
  });

  it("finds a record in the place of another", () => {
    const wrong = { kind: "delivered", partition: 0, records: [[1, "v7"]], at: 0 };
    expect(kindsOf({ members: [[delivered(0)], [wrong], [delivered(2)]] })).toEqual([
      "other record",
    ]);
    expect(kindsOf({ members: [[delivered(0, 1, 2)], [wrong]] })).toEqual(["other record"]);
  });

  it("finds a record that a member skips, unless it joined again in between", () => {
    const other = [delivered(0, 1, 2)];
    expect(kindsOf({ members: [other, [delivered(0), delivered(2)]] })).toEqual(["skipped"]);
    const again = [joined("a", 1, 0), delivered(0), joined("a", 2, 0), delivered(2)];
    expect(kindsOf({ members: [other, again] })).toEqual([]);
  });

  it("finds an offset that goes back behind a commit, or behind an answer", () => {
    const members = [[delivered(0, 1, 2), committed(2, 5)]];
    expect(kindsOf({ members, answers: [answered(1, 6)] })).toEqual(["went back"]);
    expect(kindsOf({ members, answers: [answered(-1, 6)] })).toEqual(["went back"]);
    expect(kindsOf({ members, answers: [answered(3, 6), answered(2, 8)] })).toEqual(["went back"]);
  });

  it("accepts an answer to a question that was asked before the commit was acknowledged", () => {
    const members = [[delivered(0, 1, 2), committed(2, 5)]];
    expect(kindsOf({ members, answers: [answered(1, 4, 9)] })).toEqual([]);
  });

  it("finds two owners of a partition in one generation", () => {
    const members = [[joined("a", 3, 0, 1), delivered(0, 1, 2)], [joined("b", 3, 1)]];
    expect(kindsOf({ members })).toEqual(["two owners"]);
    const inTurn = [[joined("a", 3, 0), delivered(0, 1, 2)], [joined("b", 4, 0)]];
    expect(kindsOf({ members: inTurn })).toEqual([]);
  });
});
