import { describe, expect, it } from "vitest";
import { Jitter } from "./random.js";

function draw(jitter: Jitter): number[] {
  return Array.from({ length: 2_000 }, () => jitter.below(10));
}

describe(Jitter, () => {
  it("is a function of its seed and node", () => {
    expect(draw(new Jitter(5, 1))).toEqual(draw(new Jitter(5, 1)));
    expect(draw(new Jitter(5, 1))).not.toEqual(draw(new Jitter(5, 2)));
    expect(draw(new Jitter(5, 1))).not.toEqual(draw(new Jitter(6, 1)));
  });

  it("spreads evenly enough for timeouts, for small seeds too", () => {
    for (const seed of [0, 1, 2, -1, 2 ** 31, 2 ** 40]) {
      const counts = new Map<number, number>();
      for (const value of draw(new Jitter(seed, 0)))
        counts.set(value, (counts.get(value) ?? 0) + 1);
      expect(counts.size).toBe(10);
      for (const count of counts.values()) expect(count).toBeGreaterThan(120);
    }
  });
});
