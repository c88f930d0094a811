import { describe, expect, it } from "vitest";
import { ReadEnds } from "./read-ends.js";

describe(ReadEnds, () => {
  it("gives each end once", () => {
    const ends = new ReadEnds();
    ends.note(10, 100);
    expect(ends.take(9)).toBeUndefined();
    expect(ends.take(10)).toBe(100);
    expect(ends.take(10)).toBeUndefined();
  });

  it("keeps the newest ends", () => {
    const ends = new ReadEnds();
    for (let offset = 0; offset < 20; offset++) ends.note(offset, offset * 10);
    ends.note(10, 101);
    ends.note(20, 200);
    const left = Array.from({ length: 21 }, (_, offset) => ends.take(offset));
    expect(left.slice(0, 5)).toEqual(Array(5).fill(undefined));
    expect(left.slice(5, 10)).toEqual([50, 60, 70, 80, 90]);
    expect(left[10]).toBe(101);
    expect(left[20]).toBe(200);
  });
});
