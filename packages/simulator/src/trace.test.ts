import { describe, expect, it } from "vitest";
import { Trace } from "./trace.js";

function hashOf(...notes: readonly (readonly [number, number, string, number])[]): string {
  const trace = new Trace();
  for (const note of notes) trace.note(...note);
  return trace.hash;
}

describe(Trace, () => {
  it("tells apart traces that differ in time, node, kind, detail or order", () => {
    const base = [1, 1, "timer", 0] as const;
    const hashes = [
      hashOf(base),
      hashOf([2, 1, "timer", 0]),
      hashOf([1, 2, "timer", 0]),
      hashOf([1, 1, "start", 0]),
      hashOf([1, 1, "timer", 1]),
      hashOf([1 + 2 ** 32, 1, "timer", 0]),
      hashOf(base, [2, 1, "start", 0]),
      hashOf([2, 1, "start", 0], base),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashOf(base)).toBe(hashOf(base));
    expect(hashOf(base)).toMatch(/^[0-9a-f]{16}$/);
  });
});
