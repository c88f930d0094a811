import { describe, expect, it } from "vitest";
import { raftScenario } from "./raft-scenario.js";

describe("mutants", () => {
  it.each(["no-sync", "send-first", "answer-early"] as const)(
    "%s",
    async (mistake) => {
      let found = 0;
      const first: unknown[] = [];
      for (let seed = 1; seed <= 100; seed++) {
        const result = await raftScenario({ mistake }).run({ seed });
        if (result.findings.length > 0) {
          found++;
          if (first.length < 5) first.push([seed, result.findings[0]!.message]);
        }
      }
      console.log(mistake, found, first);
      expect(1).toBe(1);
    },
    600_000,
  );
});
