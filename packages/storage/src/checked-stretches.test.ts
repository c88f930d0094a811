import { describe, expect, it } from "vitest";
import { CheckedStretches } from "./checked-stretches.js";

describe(CheckedStretches, () => {
  it("grows with a reader that reads on, whatever others have read elsewhere", () => {
    const checked = new CheckedStretches();
    checked.note(500, 900);
    for (let at = 0; at < 300; at += 10) checked.note(at, at + 10);
    expect(checked.covers(0, 300)).toBe(true);
    expect(checked.covers(500, 900)).toBe(true);
    expect(checked.covers(290, 510)).toBe(false);
  });

  it("makes one of what touches or overlaps", () => {
    const checked = new CheckedStretches();
    checked.note(0, 10);
    checked.note(20, 30);
    checked.note(40, 50);
    checked.note(5, 40);
    expect(checked.covers(0, 50)).toBe(true);
  });

  it("tells all of it from some of it", () => {
    const checked = new CheckedStretches();
    checked.note(10, 20);
    expect(checked.overlaps(0, 10)).toBe(false);
    expect(checked.overlaps(20, 30)).toBe(false);
    expect(checked.overlaps(0, 11)).toBe(true);
    expect(checked.overlaps(19, 30)).toBe(true);
    expect(checked.covers(0, 11)).toBe(false);
  });

  it("keeps what stands before a cut", () => {
    const checked = new CheckedStretches();
    checked.note(0, 10);
    checked.note(20, 30);
    const left = checked.upTo(25);
    checked.note(10, 40);
    expect(left.covers(0, 10)).toBe(true);
    expect(left.covers(20, 25)).toBe(true);
    expect(left.overlaps(25, 100)).toBe(false);
    expect(left.overlaps(10, 20)).toBe(false);
  });

  it("forgets the smallest of too many", () => {
    const checked = new CheckedStretches();
    for (let at = 0; at < 16; at += 1) checked.note(at * 100, at * 100 + 50);
    checked.note(10_000, 10_010);
    expect(checked.overlaps(10_000, 10_010)).toBe(false);
    expect(checked.covers(1_500, 1_550)).toBe(true);
  });
});
