import { nullLogger } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import { LogCleaner } from "./log-cleaner.js";
import type { Partition } from "./partition.js";

const CHECK_MS = 1000;

interface Need {
  readonly dirtyRatio: number;
  readonly isOverdue: boolean;
}

/** Partitions by name, each with what its log needs, until it is compacted. */
function world(needs: Record<string, Need | undefined>, failing?: string) {
  const time = { nowMs: 0 };
  const rounds: unknown[] = [];
  let running = 0;
  const partitions = Object.keys(needs).map((key) => ({
    key,
    highWatermark: 7,
    log: {
      compactionNeed: () => needs[key],
      compact: async ({ endOffset }: { endOffset: number }) => {
        running += 1;
        expect(running).toBe(1);
        await Promise.resolve();
        running -= 1;
        rounds.push([key, endOffset]);
        if (key === failing) throw new Error("disk");
        needs[key] = undefined;
        return { cleanedTo: 7, recordsDropped: 1, bytesFreed: 1 };
      },
    },
  }));
  const cleaner = new LogCleaner(
    {
      clock: { monotonicMs: () => time.nowMs, wallMs: () => 0 },
      random: { below: () => 1, bytes: () => new Uint8Array(0) },
      logger: nullLogger,
    },
    { partitions: () => partitions as unknown as Partition[], checkMs: CHECK_MS },
  );
  const tickAt = async (nowMs: number): Promise<void> => {
    time.nowMs = nowMs;
    cleaner.tick();
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };
  return { cleaner, rounds, tickAt };
}

const need = (dirtyRatio: number, isOverdue = false): Need => ({ dirtyRatio, isOverdue });

describe(LogCleaner, () => {
  it("compacts one log after the other, the neediest first, up to what is committed", async () => {
    const needs = { a: need(0.6), b: need(0.9), c: undefined, d: need(0.1, true) };
    const { rounds, tickAt } = world(needs);
    await tickAt(0);
    await tickAt(CHECK_MS - 1);
    expect(rounds).toEqual([]);
    await tickAt(CHECK_MS);
    expect(rounds).toEqual([
      ["d", 7],
      ["b", 7],
      ["a", 7],
    ]);
  });

  it("looks again after a while, and goes on behind a log that fails", async () => {
    const { rounds, tickAt } = world({ a: need(0.6), b: need(0.9) }, "b");
    await tickAt(0);
    await tickAt(CHECK_MS);
    expect(rounds).toEqual([
      ["b", 7],
      ["a", 7],
    ]);
    await tickAt(CHECK_MS + 1);
    expect(rounds).toHaveLength(2);
    await tickAt(2 * CHECK_MS);
    expect(rounds).toHaveLength(3);
  });

  it("begins nothing more once it is closed", async () => {
    const { cleaner, rounds, tickAt } = world({ a: need(0.6) });
    await tickAt(0);
    cleaner.close();
    await tickAt(CHECK_MS);
    expect(rounds).toEqual([]);
  });
});
