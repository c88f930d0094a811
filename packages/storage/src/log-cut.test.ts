import { describe, expect, it } from "vitest";
import type { Log } from "./log.js";
import {
  appendBatches,
  batch,
  concat,
  endOf,
  isSame,
  readAll,
  settle,
  World,
} from "./testing/world.js";

const SMALL = { segmentBytesMax: 1000, tailBytesMax: 0 };

/** Holds the first read of a segment's file until it is released. */
function holdFirst(): { wait: (path: string) => Promise<void>; release: () => void } {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let count = 0;
  return {
    wait: async (path) => {
      if (path.endsWith(".log") && count++ === 0) await held;
    },
    release: () => release(),
  };
}

/** Twenty batches of one record, five to a segment, all durable. */
async function twenty(world: World, log: Log): Promise<Uint8Array[]> {
  const batches = appendBatches(log, 20);
  await settle();
  expect(world.failures).toEqual([]);
  expect(log.segmentCount).toBe(4);
  return batches;
}

describe("truncation of a log", () => {
  it("cuts at every offset, in memory and in the files, and goes on from there", async () => {
    for (let cut = 0; cut <= 20; cut++) {
      for (const tailBytesMax of [0, 700, 100_000]) {
        const world = new World();
        const log = await world.open({ ...SMALL, tailBytesMax });
        const batches = await twenty(world, log);
        await log.truncateTo(cut);
        expect(log.logEndOffset).toBe(cut);
        expect(log.durableEndOffset).toBe(cut);
        log.append(batch(cut, { seed: 1 }));
        await settle();
        const expected = concat([...batches.slice(0, cut), batch(cut, { seed: 1 })]);
        expect(isSame(await readAll(log), expected)).toBe(true);
        await log.close();
        const again = await world.open(SMALL);
        expect(again.recovery).toMatchObject({ cutBytes: 0, damaged: undefined });
        expect(isSame(await readAll(again), expected)).toBe(true);
      }
    }
  });

  it("removes a batch that has the offset inside", async () => {
    const world = new World();
    const log = await world.open();
    appendBatches(log, 5, { count: 10 });
    await log.truncateTo(25);
    expect(log.logEndOffset).toBe(20);
    expect(endOf(await readAll(log))).toBe(20);
  });

  it("takes epochs, high watermark and producers back with the records", async () => {
    const world = new World();
    const log = await world.open(SMALL);
    for (let sequence = 0; sequence < 12; sequence++) {
      const options = { producerId: 7, baseSequence: sequence, epoch: sequence >> 2 };
      log.append(batch(sequence, options));
      if (sequence === 3) await log.checkpoint();
    }
    log.noteHighWatermark(11);
    await settle();
    await log.truncateTo(6);
    expect(log.epochs.entries).toEqual([
      { epoch: 0, startOffset: 0 },
      { epoch: 1, startOffset: 4 },
    ]);
    expect(log.lastEpoch).toBe(1);
    expect(log.highWatermark).toBe(6);
    const next = { producerId: 7, producerEpoch: 0, crc: undefined };
    const check = (sequence: number): string =>
      log.producers.check({ ...next, baseSequence: sequence, lastSequence: sequence }).kind;
    expect(check(5)).toBe("duplicate");
    expect(check(6)).toBe("append");
    expect(check(7)).toBe("refused");
  });

  it("rebuilds producers from the start of the log when every snapshot is above the cut", async () => {
    const world = new World();
    const log = await world.open(SMALL);
    log.append(batch(0, { producerId: 7, baseSequence: 0 }));
    log.append(batch(1, { producerId: 7, baseSequence: 1 }));
    await log.checkpoint();
    for (const key of world.store.keys()) {
      if (key.includes("/producers/")) {
        await world.store.write([{ kind: "delete", key }], { sync: true });
      }
    }
    await log.truncateTo(1);
    const batchTwo = { producerId: 7, producerEpoch: 0, baseSequence: 1, lastSequence: 1 };
    expect(log.producers.check({ ...batchTwo, crc: undefined }).kind).toBe("append");
    const one = { ...batchTwo, baseSequence: 0, lastSequence: 0, crc: undefined };
    expect(log.producers.check(one).kind).toBe("duplicate");
  });

  it("lowers the stored recovery point before it cuts: a crash is no damage", async () => {
    const world = new World();
    const log = await world.open();
    const batches = appendBatches(log, 20);
    await log.checkpoint();
    await log.truncateTo(5);
    log.append(batch(5, { seed: 3 }));
    await settle();
    world.crashHard();
    const again = await world.open();
    expect(again.recovery.damaged).toBeUndefined();
    expect(await readAll(again)).toEqual(concat([...batches.slice(0, 5), batch(5, { seed: 3 })]));
  });

  it("never gives a reader bytes of both sides of a cut (class 16)", async () => {
    for (const moment of ["before", "after"] as const) {
      const world = new World();
      const log = await world.open({ tailBytesMax: 0 });
      const batches = appendBatches(log, 20);
      await settle();
      const hold = holdFirst();
      // Held with nothing read yet, or with what was there before the cut already in hand.
      if (moment === "after") world.files.afterRead = hold.wait;
      else world.files.gate = (operation, path) => hold.wait(operation === "read" ? path : "");
      const reading = log.read(3, 100_000, 20);
      await settle();
      await log.truncateTo(5);
      for (let offset = 5; offset < 20; offset++) log.append(batch(offset, { seed: 5, epoch: 9 }));
      await settle();
      hold.release();
      const found = concat(await reading);
      const after = Array.from({ length: 15 }, (_, i) => batch(5 + i, { seed: 5, epoch: 9 }));
      const now = concat([...batches.slice(3, 5), ...after]);
      expect(found.length).toBeGreaterThan(0);
      expect(isSame(found, now.subarray(0, found.length))).toBe(true);
    }
  });

  it("refuses appends while it runs", async () => {
    const world = new World();
    const log = await world.open();
    appendBatches(log, 5);
    await settle();
    const cutting = log.truncateTo(2);
    await Promise.resolve();
    expect(() => log.append(batch(5))).toThrow("while the end of the log moves");
    await cutting;
    log.append(batch(2));
  });

  it("waits for what was appended before", async () => {
    const world = new World();
    const log = await world.open();
    appendBatches(log, 5);
    await log.truncateTo(3);
    expect(log.durableEndOffset).toBe(3);
    await settle();
    expect(log.durableEndOffset).toBe(3);
    expect(endOf(await readAll(log))).toBe(3);
  });
});

describe("restart of a log at an offset", () => {
  it("drops everything, below or above, and continues there after a restart too", async () => {
    for (const offset of [0, 7, 20, 1000]) {
      const world = new World();
      const log = await world.open(SMALL);
      await twenty(world, log);
      await log.restartAt(offset);
      expect(log.logStartOffset).toBe(offset);
      expect(log.logEndOffset).toBe(offset);
      expect(log.lastEpoch).toBe(-1);
      world.crashHard();
      const again = await world.open(SMALL);
      expect(again.logStartOffset).toBe(offset);
      expect(again.logEndOffset).toBe(offset);
      expect(again.recovery.damaged).toBeUndefined();
      again.append(batch(offset, { seed: 4 }));
      await settle();
      expect(await readAll(again)).toEqual(batch(offset, { seed: 4 }));
    }
  });
});

describe("deletion of records", () => {
  it("is durable when it resolves, and removes the segments wholly below", async () => {
    for (const offset of [1, 5, 12, 20]) {
      const world = new World();
      const log = await world.open(SMALL);
      const batches = await twenty(world, log);
      await log.deleteRecordsBefore(offset);
      expect(log.logStartOffset).toBe(offset);
      expect(log.segmentCount).toBe(offset === 20 ? 1 : 4 - Math.floor(offset / 5));
      world.crashHard();
      const again = await world.open(SMALL);
      expect(again.logStartOffset).toBe(offset);
      expect(again.logEndOffset).toBe(20);
      expect(again.recovery.damaged).toBeUndefined();
      expect(await readAll(again)).toEqual(concat(batches.slice(offset)));
    }
  });

  it("does not move back, and refuses to pass the end", async () => {
    const world = new World();
    const log = await world.open(SMALL);
    await twenty(world, log);
    await log.deleteRecordsBefore(9);
    await log.deleteRecordsBefore(3);
    expect(log.logStartOffset).toBe(9);
    await expect(log.deleteRecordsBefore(21)).rejects.toMatchObject({
      code: "OFFSET_OUT_OF_RANGE",
    });
    expect(log.isFailed).toBe(false);
  });

  it("keeps the epoch that covers the new start", async () => {
    const world = new World();
    const log = await world.open();
    for (let offset = 0; offset < 6; offset++) log.append(batch(offset, { epoch: offset >> 1 }));
    await log.deleteRecordsBefore(3);
    expect(log.epochs.entries).toEqual([
      { epoch: 1, startOffset: 3 },
      { epoch: 2, startOffset: 4 },
    ]);
  });

  it("lets a reader finish that had begun before (class 31)", async () => {
    for (const moment of ["before", "after"] as const) {
      const world = new World();
      const log = await world.open(SMALL);
      await twenty(world, log);
      const hold = holdFirst();
      if (moment === "after") world.files.afterRead = hold.wait;
      else world.files.gate = (operation, path) => hold.wait(operation === "read" ? path : "");
      const refused = log.read(2, 1000, 20);
      await settle();
      await log.deleteRecordsBefore(6);
      world.time.advance(60_000);
      await settle();
      hold.release();
      await expect(refused).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
      expect(concat(await log.read(7, 1000, 20)).length).toBeGreaterThan(0);
      expect(log.recovery.damaged).toBeUndefined();
    }
  });
});

describe("producers of deleted records", () => {
  it("are known after a restart, also where no snapshot was worth it before", async () => {
    const world = new World();
    const log = await world.open(SMALL);
    for (let id = 0; id < 40; id++) {
      log.append(batch(log.logEndOffset, { producerId: id, baseSequence: 0, valueBytes: 1 }));
    }
    await log.checkpoint();
    log.append(batch(log.logEndOffset, { producerId: 99, baseSequence: 0 }));
    appendBatches(log, 12);
    await log.checkpoint();
    await log.deleteRecordsBefore(log.logEndOffset - 1);
    world.crashHard();
    const again = await world.open(SMALL);
    const retry = { producerId: 99, producerEpoch: 0, baseSequence: 0, lastSequence: 0 };
    expect(again.producers.check({ ...retry, crc: undefined }).kind).toBe("duplicate");
    expect(again.producers.size).toBe(41);
  });
});

describe("retention", () => {
  it("deletes what was appended too long ago, whatever the records say", async () => {
    const world = new World();
    const log = await world.open({ ...SMALL, retentionMs: 10_000 });
    appendBatches(log, 10, { timestampMs: 4_000_000_000_000 });
    world.time.advance(8000);
    appendBatches(log, 10, { timestampMs: 0 });
    await settle();
    expect(await log.applyRetention(20)).toBe(0);
    world.time.advance(2001);
    expect(await log.applyRetention(20)).toBe(2);
    expect(log.logStartOffset).toBe(10);
    world.time.advance(8000);
    expect(await log.applyRetention(20)).toBe(2);
    expect(log.logStartOffset).toBe(20);
    expect(log.logEndOffset).toBe(20);
    log.append(batch(20));
    await settle();
    expect(endOf(await readAll(log))).toBe(21);
  });

  it("remembers the time of the last append over a restart", async () => {
    const world = new World();
    const config = { ...SMALL, retentionMs: 10_000 };
    const log = await world.open(config);
    appendBatches(log, 12);
    await log.close();
    world.time.advance(9000);
    const again = await world.open(config);
    expect(await again.applyRetention(12)).toBe(0);
    world.time.advance(1001);
    expect(await again.applyRetention(12)).toBe(3);
  });

  it("deletes the oldest beyond the size the log may have, but keeps that much", async () => {
    const world = new World();
    const log = await world.open({ ...SMALL, retentionBytes: 1500 });
    await twenty(world, log);
    const { sizeBytes } = log;
    expect(await log.applyRetention(20)).toBe(2);
    expect(log.sizeBytes).toBe(sizeBytes / 2);
    expect(log.sizeBytes).toBeGreaterThanOrEqual(1500);
  });

  it("never deletes at or above the high watermark", async () => {
    const world = new World();
    const log = await world.open({ ...SMALL, retentionMs: 1 });
    await twenty(world, log);
    world.time.advance(1000);
    expect(await log.applyRetention(9)).toBe(1);
    expect(log.logStartOffset).toBe(5);
    expect(await log.applyRetention(10)).toBe(1);
  });

  it("rolls a segment that is old enough although nothing is appended", async () => {
    const world = new World();
    const log = await world.open({ segmentMs: 1000 });
    appendBatches(log, 2);
    await settle();
    world.time.advance(1000);
    expect(await log.applyRetention(2)).toBe(0);
    expect(log.segmentCount).toBe(2);
    await log.applyRetention(2);
    expect(log.segmentCount).toBe(2);
  });

  it("takes files out of sight at once and removes them after the delay", async () => {
    const world = new World();
    const log = await world.open({ ...SMALL, retentionMs: 1, fileDeleteDelayMs: 500 });
    await twenty(world, log);
    world.time.advance(10);
    await log.applyRetention(10);
    const left = (): string[] => world.names().filter((name) => /0000[05]\./.test(name));
    expect(left()).toEqual([
      "00000000000000000000.log.deleted",
      "00000000000000000005.log.deleted",
    ]);
    world.time.advance(500);
    await settle();
    expect(left()).toEqual([]);
  });
});
