import { describe, expect, it } from "vitest";
import { log, problemsOf } from "../testing/histories.js";
import { logsAgree } from "./logs-agree.js";

describe("logs agree", () => {
  it("accepts differences above what both know to be committed, and below a log start", () => {
    const history = [
      log("a", "abcx", { highWatermark: 3 }),
      log("b", "abc"),
      log("c", "yb", { logStartOffset: 1 }),
    ];
    expect(problemsOf(logsAgree(), history)).toEqual([]);
  });

  it("finds a committed record that differs", () => {
    const history = [log("a", "abc"), log("b", "axc")];
    expect(problemsOf(logsAgree(), history)).toEqual([
      'offset 1 of t-0 is "b" of epoch 1 at a and "x" of epoch 1 at b',
    ]);
  });

  it("finds a committed record that one replica lacks", () => {
    const history = [log("a", "abc"), log("b", "ab", { highWatermark: 3 })];
    expect(problemsOf(logsAgree(), history)).toEqual([
      'offset 2 of t-0 is "c" of epoch 1 at a and missing at b',
    ]);
  });

  it("lets a compacted log lack what a later record of the same key supersedes, and nothing else", () => {
    const keyOf = (payload: string): string => payload.toLowerCase();
    const history = [log("a", "aAb"), log("b", " Ab")];
    expect(problemsOf(logsAgree(keyOf), history)).toEqual([]);
    expect(problemsOf(logsAgree(keyOf), history.toReversed())).toEqual([]);
    expect(problemsOf(logsAgree(keyOf), [log("a", "aAb"), log("b", "a b")])).toEqual([
      'offset 1 of t-0 is "A" of epoch 1 at a and missing at b',
    ]);
  });
});
