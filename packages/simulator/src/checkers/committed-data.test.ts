import { describe, expect, it } from "vitest";
import { acknowledged, consumed, log, problemsOf } from "../testing/histories.js";
import { committedData } from "./committed-data.js";

describe("committed data", () => {
  it("accepts what is acknowledged, read and kept, and what retention has deleted since", () => {
    const history = [
      acknowledged(0, "x"),
      acknowledged(1, "b"),
      consumed(1, "b"),
      log("a", "xbc", { isLeader: true, logStartOffset: 1 }),
    ];
    expect(problemsOf(committedData(), history)).toEqual([]);
  });

  it("finds an acknowledged record that is missing at the end", () => {
    const history = [acknowledged(0, "a"), acknowledged(1, "b"), log("a", "a", { isLeader: true })];
    expect(problemsOf(committedData(), history)).toEqual([
      '"b" at offset 1 of t-0, seen by acknowledgement, is not in the log of its leader a',
    ]);
  });

  it("finds an acknowledged record that was replaced", () => {
    const history = [acknowledged(0, "a"), log("a", "x", { isLeader: true })];
    expect(problemsOf(committedData(), history)).toEqual([
      '"a" at offset 0 of t-0, seen by acknowledgement, is "x" at its leader a',
    ]);
  });

  it("finds an acknowledged record that is not committed", () => {
    const history = [acknowledged(0, "a"), log("a", "a", { isLeader: true, highWatermark: 0 })];
    expect(problemsOf(committedData(), history)).toEqual([
      '"a" at offset 0 of t-0, seen by acknowledgement, is not below the high watermark 0 of a',
    ]);
  });

  it("finds a record that was read and changed afterwards", () => {
    const history = [consumed(0, "a"), consumed(0, "b"), log("a", "a", { isLeader: true })];
    expect(problemsOf(committedData(), history)).toEqual([
      'offset 0 of t-0 was "a" by reader and then "b" by reader',
    ]);
  });

  it("finds two records acknowledged at one offset", () => {
    const history = [acknowledged(0, "a"), acknowledged(0, "b"), log("a", "a", { isLeader: true })];
    expect(problemsOf(committedData(), history)).toEqual([
      'offset 0 of t-0 was "a" by acknowledgement and then "b" by acknowledgement',
    ]);
  });

  it("finds that nobody leads in the end, and does not take a follower for a leader", () => {
    const history = [acknowledged(0, "a"), log("b", "a")];
    expect(problemsOf(committedData(), history)).toEqual(["nobody leads t-0 at the end"]);
  });

  it("accepts that a compacted log lacks what a later record of the same key supersedes", () => {
    const keyOf = (payload: string): string => payload.toLowerCase();
    const history = [acknowledged(0, "a"), consumed(0, "a"), acknowledged(1, "A")];
    const kept = [...history, log("a", " Ab", { isLeader: true })];
    expect(problemsOf(committedData(keyOf), kept)).toEqual([]);
    const lost = [...history, log("a", "  b", { isLeader: true })];
    expect(problemsOf(committedData(keyOf), lost)).toEqual([
      '"a" at offset 0 of t-0, seen by acknowledgement, is not in the log of its leader a',
    ]);
  });
});
