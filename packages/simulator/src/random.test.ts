import { describe, expect, it } from "vitest";
import { SimRandom } from "./random.js";

function draws(random: SimRandom, count: number): number[] {
  return Array.from({ length: count }, () => random.uint32());
}

describe(SimRandom, () => {
  it("draws the same numbers from the same seed, and others from the next one", () => {
    expect(draws(SimRandom.fromSeed(7), 50)).toEqual(draws(SimRandom.fromSeed(7), 50));
    expect(draws(SimRandom.fromSeed(7), 50)).not.toEqual(draws(SimRandom.fromSeed(8), 50));
    expect(draws(SimRandom.fromSeed(2 ** 40), 5)).not.toEqual(draws(SimRandom.fromSeed(0), 5));
  });

  it("keeps a seed's numbers over versions of this program", () => {
    expect(draws(SimRandom.fromSeed(1).fork("disk"), 3)).toMatchInlineSnapshot(`
      [
        3795539141,
        2173659812,
        1319678618,
      ]
    `);
  });

  it("forks a generator that does not care what was drawn before", () => {
    const untouched = SimRandom.fromSeed(1);
    const drawnFrom = SimRandom.fromSeed(1);
    draws(drawnFrom, 10);
    expect(draws(drawnFrom.fork("a"), 10)).toEqual(draws(untouched.fork("a"), 10));
  });

  it("forks different generators by name, at every depth", () => {
    const root = SimRandom.fromSeed(1);
    const firsts = new Set<number>();
    for (let name = 0; name < 1_000; name++) {
      firsts.add(root.fork(`node ${name}`).uint32());
      firsts.add(root.fork(`node ${name}`).fork("disk").uint32());
    }
    expect(firsts.size).toBe(2_000);
  });

  it("is close to uniform", () => {
    const random = SimRandom.fromSeed(3);
    const counts = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 100_000; draw++) {
      const bucket = random.below(10);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it("stays in the bounds it was given", () => {
    const random = SimRandom.fromSeed(4);
    for (let draw = 0; draw < 10_000; draw++) {
      expect(random.below(1)).toBe(0);
      const between = random.between(5, 7);
      expect(between >= 5 && between <= 7).toBe(true);
      const magnitude = random.magnitude(3, 1_000);
      expect(magnitude >= 3 && magnitude <= 1_000).toBe(true);
    }
    expect(random.below(2 ** 32)).toBeLessThan(2 ** 32);
    expect(() => random.below(0)).toThrow(/bound/);
  });

  it("draws small and large magnitudes about as often", () => {
    const random = SimRandom.fromSeed(5);
    const isSmall = Array.from({ length: 1_000 }, () => random.magnitude(1, 65_535) < 256);
    const smallCount = isSmall.filter(Boolean).length;
    expect(smallCount).toBeGreaterThan(400);
    expect(smallCount).toBeLessThan(600);
  });

  it("shuffles without losing anything", () => {
    const shuffled = SimRandom.fromSeed(6).shuffled([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(shuffled).not.toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(shuffled.sort((one, other) => one - other)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
