import { describe, expect, it } from "vitest";
import { FIGURES, meets, rounded, targetText } from "./figures.mjs";

describe("figures", () => {
  it("have names of their own", () => {
    expect(new Set(FIGURES.map(({ name }) => name)).size).toBe(FIGURES.length);
  });

  it("meet a bound that they touch, unless they are to stay below it", () => {
    expect(meets({ atLeast: 100 }, 100)).toBe(true);
    expect(meets({ atLeast: 100 }, 99.9)).toBe(false);
    expect(meets({ atMost: 8 }, 8)).toBe(true);
    expect(meets({ atMost: 8 }, 8.01)).toBe(false);
    expect(meets({ below: 1 }, 1)).toBe(false);
    expect(meets({ below: 1 }, 0.99)).toBe(true);
  });

  it("meet nothing when nothing was measured", () => {
    for (const target of [{ atLeast: 0 }, { atMost: 0 }, { below: 0 }]) {
      expect(meets(target, Number.NaN)).toBe(false);
    }
  });

  it("say their bound", () => {
    expect([{ atLeast: 1 }, { atMost: 2 }, { below: 3 }].map(targetText)).toEqual([
      ">= 1",
      "<= 2",
      "< 3",
    ]);
  });

  it("are cut to three digits, and never lose whole units", () => {
    expect([123_456.7, 12.345, 0.012345, 0].map(rounded)).toEqual([123_457, 12.3, 0.0123, 0]);
  });
});
