import { describe, expect, it } from "vitest";
import { acknowledged, log, problemsOf } from "../testing/histories.js";
import { noDuplicate } from "./no-duplicate.js";

describe("no duplicate", () => {
  it("accepts records that come once, acknowledged as often as asked", () => {
    const history = [
      acknowledged(0, "a"),
      acknowledged(0, "a"),
      acknowledged(1, "b"),
      log("a", "ab"),
      log("b", "ab"),
    ];
    expect(problemsOf(noDuplicate(), history)).toEqual([]);
  });

  it("finds a record that is in a log twice", () => {
    const history = [log("a", "aba")];
    expect(problemsOf(noDuplicate(), history)).toEqual(['"a" is at offsets 0 and 2 of t-0 at a']);
  });

  it("finds a record acknowledged at two offsets", () => {
    const history = [acknowledged(0, "a"), acknowledged(3, "a")];
    expect(problemsOf(noDuplicate(), history)).toEqual([
      '"a" was acknowledged at offsets 0 and 3 of t-0',
    ]);
  });
});
