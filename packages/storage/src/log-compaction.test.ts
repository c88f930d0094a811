import { describe, expect, it } from "vitest";
import type { Log } from "./log.js";
import {
  appendKeyed,
  COMPACTION,
  compacted,
  type Keyed,
  keyedBatch,
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

  /** Sixteen records of three keys, in six segments; the last of them is active. */
  async function six(world: World): Promise<Log> {
    return await written(
      world,
      Array.from({ length: 16 }, (_, number) => [
        ["abc"[number % 3] as string, `${number}`.padEnd(number % 4 === 0 ? 0 : 40, ".")],
      ]),
    );
  }

  const LEFT = { 13: "b", 14: "c", 15: "a" };
  const keysOf = (records: Record<number, string>): unknown =>
    Object.fromEntries(
      Object.entries(records).map(([offset, text]) => [offset, text.split("=")[0]]),
    );

  it("never touches the active segment, nor what is not committed", async () => {
    const world = new World();
    const log = await six(world);
    expect(log.compactionNeed(1)).toBeUndefined();
    expect(await compacted(log, world.time, { endOffset: 1 })).toBeUndefined();
    const before = await seenBatches(log);
    const report = await compacted(log, world.time, { endOffset: 10 });
    const cleanedTo = report?.cleanedTo ?? 0;
    expect(cleanedTo).toBeGreaterThan(3);
    expect(cleanedTo).toBeLessThanOrEqual(10);
    expect(await seenBatches(log, cleanedTo)).toEqual(
      before.filter(({ baseOffset }) => baseOffset >= cleanedTo),
    );
  });

  it("puts what is left of many segments into one, and removes the old files after a while", async () => {
    const world = new World();
    const log = await six(world);
    const names = (end: string): string[] => world.names().filter((name) => name.endsWith(end));
    expect(names(".log")).toHaveLength(6);
    await compacted(log, world.time);
    appendKeyed(log, [["d", "x".repeat(250)]]);
    await settle();
    await log.checkpoint();
    await compacted(log, world.time);
    expect(names(".log")).toHaveLength(4);
    world.time.advance(1000);
    await settle();
    expect(names(".deleted")).toEqual([]);
    expect(keysOf(await seenRecords(log))).toEqual({ ...LEFT, 16: "d" });
  });

  it("lets a reader that is inside of an old segment go on", async () => {
    const world = new World();
    const log = await six(world);
    let resume = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      resume = resolve;
    });
    let isHeld = false;
    world.files.afterRead = async () => {
      if (isHeld) return;
      isHeld = true;
      await held;
    };
    const reading = log.read(0, 10_000, log.logEndOffset);
    await settle();
    expect(isHeld).toBe(true);
    await compacted(log, world.time);
    world.time.advance(1000);
    await settle();
    resume();
    const chunks = await reading;
    expect(chunks.length).toBeGreaterThan(0);
    expect(world.damages).toEqual([]);
    expect(log.recovery.damaged).toBeUndefined();
  });

  it("ends when the log is closed, without a wait, and leaves nothing behind", async () => {
    const world = new World();
    const log = await six(world);
    const round = log.compact({ endOffset: 16, seed: 1, keysMax: 100 });
    await settle();
    await log.close();
    expect(await round).toBeUndefined();
    expect(await log.compact({ endOffset: 16, seed: 1, keysMax: 100 })).toBeUndefined();
    expect(world.names().filter((name) => name.endsWith(".cleaned"))).toEqual([]);
    const again = await world.open(SMALL);
    expect(Object.keys(await seenRecords(again))).toHaveLength(16);
  });

  it("runs one round at a time", async () => {
    const world = new World();
    const log = await six(world);
    const first = compacted(log, world.time);
    expect(await log.compact({ endOffset: 16, seed: 1, keysMax: 100 })).toBeUndefined();
    expect(log.compactionNeed(16)).toBeUndefined();
    expect(await first).toBeDefined();
  });

  it("gives up when segments are deleted under it, or the log is cut; the next one goes on", async () => {
    for (const kind of ["delete", "truncate"] as const) {
      const world = new World();
      const log = await six(world);
      const round = log.compact({ endOffset: 16, seed: 1, keysMax: 100 });
      // Somewhere between the first pass and the swap of the first group.
      for (let turn = 0; turn < 6; turn++) {
        await settle();
        world.time.advance(1);
      }
      if (kind === "delete") await log.deleteRecordsBefore(4);
      else await log.truncateTo(15);
      const end = kind === "delete" ? 16 : 15;
      for (let turn = 0; turn < 500; turn++) {
        world.time.advance(1);
        await settle();
      }
      await round;
      expect(log.logEndOffset).toBe(end);
      await log.checkpoint();
      await compacted(log, world.time);
      expect(log.compactionNeed(end)).toBeUndefined();
      const records = keysOf(await seenRecords(log)) as object;
      expect(records).toMatchObject(kind === "delete" ? LEFT : { 13: "b", 14: "c" });
      expect(world.damages).toEqual([]);
    }
  });

  it("goes on where memory ended the round before", async () => {
    const world = new World();
    const log = await six(world);
    let rounds = 0;
    while ((await compacted(log, world.time, { keysMax: 1 })) !== undefined) rounds += 1;
    expect(rounds).toBeGreaterThan(3);
    const seen = keysOf(await seenRecords(log));
    const other = new World();
    const whole = await six(other);
    await compacted(whole, other.time);
    expect(seen).toEqual(keysOf(await seenRecords(whole)));
  });

  it("finds records by time, in front of gaps and behind them", async () => {
    const world = new World();
    const log = await world.open({ ...SMALL, indexIntervalBytes: 50 });
    for (let number = 0; number < 12; number++) {
      appendKeyed(log, [[`${number % 3}`, "x".repeat(60)]], { timestampMs: 1000 + number * 10 });
    }
    await settle();
    await log.checkpoint();
    const report = await compacted(log, world.time);
    expect(report?.recordsDropped).toBeGreaterThan(3);
    const left = Object.keys(await seenRecords(log)).map(Number);
    for (let number = 0; number < 12; number++) {
      const found = await log.offsetForTimestamp(1000 + number * 10, log.logEndOffset);
      expect(found?.offset).toBe(left.find((offset) => offset >= number));
    }
  });

  it("keeps what a producer numbered last, also when its snapshots are lost", async () => {
    const world = new World();
    const log = await world.open(SMALL);
    for (let number = 0; number < 12; number++) {
      const record: Keyed = [number === 3 ? "x" : "a", "v".repeat(60)];
      const producer = number === 3 ? { producerId: 9 } : { producerId: 5 };
      const baseSequence = number > 3 ? number - 1 : number === 3 ? 0 : number;
      appendKeyed(log, [record, record], { ...producer, baseSequence: baseSequence * 2 });
      await settle();
    }
    appendKeyed(log, [["a", "v".repeat(200)]]);
    appendKeyed(log, [["x", "v".repeat(200)]]);
    await settle();
    await log.checkpoint();
    expect((await compacted(log, world.time))?.recordsDropped).toBeGreaterThan(15);
    await log.close();
    const keys = world.store.keys().filter((key) => key.includes("/producers/"));
    const operations = keys.map((key) => ({ kind: "delete" as const, key }));
    await world.store.write(operations, { sync: true });
    const again = await world.open(SMALL);
    const batch = { producerEpoch: 0, crc: 1 };
    const check = (producerId: number, baseSequence: number): string =>
      again.producers.check({ ...batch, producerId, baseSequence, lastSequence: baseSequence + 1 })
        .kind;
    expect([check(5, 22), check(5, 24), check(9, 2), check(9, 4)]).toEqual([
      "append",
      "refused",
      "append",
      "refused",
    ]);
    // A retry of the last batch is one, although its checksum is not what it was.
    expect([check(5, 20), check(9, 0)]).toEqual(["duplicate", "duplicate"]);
  });

  it("tells of a damage that it meets, and leaves the log as it is", async () => {
    const world = new World();
    await (await six(world)).close();
    const path = world.path("00000000000000000000.log");
    const bytes = world.files.bytes(path).slice();
    bytes[65] = (bytes[65] as number) ^ 1;
    world.files.put(path, bytes);
    const log = await world.open(SMALL);
    expect(await compacted(log, world.time)).toBeUndefined();
    expect(world.damages).toEqual([{ fromOffset: 0, toOffset: 1 }]);
    // Until it is repaired, there is nothing that could be compacted.
    expect(log.compactionNeed(16)).toBeUndefined();
  });

  it("opens a log with gaps although nothing stored says so", async () => {
    const world = new World();
    const log = await six(world);
    await compacted(log, world.time);
    const before = await seenBatches(log);
    await log.close();
    const operations = world.store.keys().map((key) => ({ kind: "delete" as const, key }));
    await world.store.write(operations, { sync: true });
    const again = await world.open(SMALL);
    expect(again.recovery.damaged).toBeUndefined();
    expect(await seenBatches(again)).toEqual(before);
    expect(again.hasGaps).toBe(true);
  });
});

describe("a log that copies another with gaps", () => {
  it("takes them once it was told to, and finds them whole after a crash", async () => {
    const world = new World();
    const log = await world.open(SMALL);
    appendKeyed(log, [["a", "1"]]);
    const ahead = keyedBatch(7, [["b", "1"]]);
    expect(() => log.append(ahead.slice())).toThrow("continues the log");
    await log.allowGaps();
    log.append(ahead.slice());
    await settle();
    expect(log.durableEndOffset).toBe(8);
    world.crashHard();
    const again = await world.open(SMALL);
    expect(again.logEndOffset).toBe(8);
    expect(await seenRecords(again)).toEqual({ 0: "a=1", 7: "b=1" });
    await again.truncateTo(5);
    expect(again.logEndOffset).toBe(1);
  });
});
