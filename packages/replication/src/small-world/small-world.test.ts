import { afterEach, describe, expect, it, vi } from "vitest";
import { Isr } from "../index.js";
import type { WorldOptions } from "./replica.js";
import { World } from "./world.js";

const SEED_COUNT = Number(process.env["STRANDLINE_SEEDS"] ?? 30);
/** The rarest fault shows in one world of fifteen; the search ends with the first that does. */
const PLANTED_SEED_COUNT = Math.max(SEED_COUNT, 100);
const TIMEOUT_MS = 600_000;

/** The first of `seedCount` seeds whose world finds something wrong, and what; or undefined. */
function firstFinding(options: Partial<WorldOptions>, seedCount: number): string | undefined {
  for (let seed = 0; seed < seedCount; seed += 1) {
    const findings = new World(seed, options).run();
    if (findings.length > 0) return `seed ${seed}: ${findings[0]}`;
  }
  return undefined;
}

function countCommittedOnly(): void {
  vi.spyOn(Isr.prototype, "maximal", "get").mockImplementation(function (this: Isr) {
    return this.committed;
  });
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("three replicas in bad weather", { timeout: TIMEOUT_MS }, () => {
  it("never lose, change or repeat a committed record, and all catch up when it calms", () => {
    const marks = new Set<string>();
    let acknowledgedCount = 0;
    const bad: string[] = [];
    for (let seed = 0; seed < SEED_COUNT; seed += 1) {
      const world = new World(seed);
      const findings = world.run();
      if (findings.length > 0) bad.push(`seed ${seed}: ${findings[0]}`);
      acknowledgedCount += world.acknowledgedCount;
      for (const mark of world.marks) marks.add(mark);
    }
    expect(bad).toEqual([]);
    expect(acknowledgedCount).toBeGreaterThan(SEED_COUNT * 100);
    // The weather was bad: each of these came about.
    for (const mark of [
      "diverged",
      "duplicate",
      "election",
      "expanded",
      "follower crashed",
      "leader crashed",
      "nobody led",
      "restarted",
      "shrunk or same",
      "tail lost",
    ]) {
      expect(marks).toContain(mark);
    }
  });
});

describe("the world", { timeout: TIMEOUT_MS }, () => {
  it.each(["truncate-by-high-watermark", "acknowledge-unsynced", "keep-epoch"] as const)(
    "finds a planted fault: %s",
    (fault) => {
      expect(firstFinding({ fault }, PLANTED_SEED_COUNT)).toBeDefined();
    },
  );

  it("finds a leader that counts the committed ISR instead of the maximal", () => {
    countCommittedOnly();
    expect(firstFinding({}, PLANTED_SEED_COUNT)).toBeDefined();
  });
});
