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
});
