import { describe, expect, it } from "vitest";
import type { Log } from "./log.js";
import {
  appendKeyed,
  COMPACTION,
  compacted,
  type Keyed,
  seenBatches,
  seenRecords,
} from "./testing/keyed.js";
import { settle, World } from "./testing/world.js";

const SMALL = {
  segmentBytesMax: 300,
  tailBytesMax: 0,
  fileDeleteDelayMs: 10,
  compaction: COMPACTION,
};

async function written(world: World, batches: readonly (readonly Keyed[])[]): Promise<Log> {
  const log = await world.open(SMALL);
  for (const records of batches) {
    appendKeyed(log, records);
    await settle();
  }
  await log.checkpoint();
  return log;
}

describe("compaction of a log", () => {
  it("leaves the last record of each key, at its offset, and gaps where others were", async () => {
    const world = new World();
    const log = await written(world, [
      [
        ["a", "1"],
        ["b", "1"],
      ],
      [["a", "2"]],
      [["c", "1"]],
      [["a", "3"]],
      [
        ["c", "2"],
        ["d", "1"],
      ],
      [["e", "x".repeat(200)]],
      [["e", "y".repeat(200)]],
    ]);
    expect(log.segmentCount).toBe(4);
    const before = await seenBatches(log);
    const report = await compacted(log, world.time);
    expect(report).toMatchObject({ cleanedTo: 8, recordsDropped: 3 });
    const after = await seenBatches(log);
    expect(await seenRecords(log)).toEqual({
      1: "b=1",
      4: "a=3",
      5: "c=2",
      6: "d=1",
      7: `e=${"x".repeat(200)}`,
      8: `e=${"y".repeat(200)}`,
    });
    expect(after.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])).toEqual(
      before
        .filter(({ baseOffset }) => ![2, 3].includes(baseOffset))
        .map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset]),
    );
    expect([log.logStartOffset, log.logEndOffset]).toEqual([0, 9]);
    expect(log.hasGaps).toBe(true);
    // A read in a gap gives the next batch.
    expect((await seenBatches(log, 2))[0]).toMatchObject({ baseOffset: 4 });
    await log.close();
    expect(world.names().filter((name) => name.includes("cleaned"))).toEqual([]);
    const again = await world.open(SMALL);
    expect(again.recovery.damaged).toBeUndefined();
    expect(await seenBatches(again)).toEqual(after);
    expect(await compacted(again, world.time)).toBeUndefined();
  });
});
