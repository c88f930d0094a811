import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { playHistory, WHATS } from "./testdata/history.js";

/** More of them by `GROUP_HISTORIES=20000 npx vitest run packages/coordination`. */
const HISTORIES = Number(process.env["GROUP_HISTORIES"] ?? 60);

const happening = fc.record({
  what: fc.constantFrom(...WHATS),
  client: fc.nat(5),
  number: fc.nat(40),
});

describe("a random history of groups", () => {
  const marks = new Map<string, number>();

  it("keeps every promise, and can be rebuilt from its records at any moment", () => {
    const histories = fc.array(happening, { minLength: 50, maxLength: 200, size: "max" });
    fc.assert(
      fc.property(histories, (happenings) => {
        const history = playHistory(happenings);
        for (const mark of history.marks) marks.set(mark, (marks.get(mark) ?? 0) + 1);
        expect(history.breaches).toEqual([]);
      }),
      { numRuns: HISTORIES, seed: 1 },
    );
  }, 3_600_000);

  it("went through all of it", () => {
    for (const mark of [
      "assigned",
      "assigned to two",
      "records lost",
      "answers lost",
      "committed",
      "fetched an offset",
      "deleted",
      "FENCED_INSTANCE_ID",
      "ILLEGAL_GENERATION",
      "REBALANCE_IN_PROGRESS",
      "UNKNOWN_MEMBER_ID",
      "GROUP_MAX_SIZE_REACHED",
      "skipped the assignment",
      "forgotten",
    ]) {
      expect(marks.get(mark), mark).toBeGreaterThan(HISTORIES / 30);
    }
  });
});
