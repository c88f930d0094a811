import { batchBytes } from "@strandline/record";
import { describe, expect, it } from "vitest";
import type { Log } from "./log.js";
import { failure } from "./testing/memory-file-system.js";
import {
  appendBatches,
  batch,
  concat,
  endOf,
  isSame,
  readAll,
  seeded,
  settle,
  World,
} from "./testing/world.js";

const FIRST = "00000000000000000000.log";

/** Hundreds of logs: far more than a test's usual time on a busy machine. */
const SLOW = { timeout: 60_000 };

/** Twelve batches in one segment, the recovery point after the first nine; then the end came. */
async function crashedAfterTwelve(): Promise<{ world: World; batches: Uint8Array[] }> {
  const world = new World();
  const log = await world.open();
  const before = appendBatches(log, 9, { count: 2 });
  await log.checkpoint();
  const after = appendBatches(log, 3, { count: 2 });
  await settle();
  world.kill();
  return { world, batches: [...before, ...after] };
}

function flip(world: World, name: string, position: number): void {
  const bytes = world.files.bytes(world.path(name)).slice();
  bytes[position] = (bytes[position] as number) ^ 0x10;
  world.files.put(world.path(name), bytes);
}

async function endAfter(log: Log): Promise<number> {
  return endOf(await readAll(log));
}

describe("recovery of a log", () => {
  it("cuts a torn tail at every byte of the last three batches (class 23)", SLOW, async () => {
    const { world, batches } = await crashedAfterTwelve();
    const whole = world.files.bytes(world.path(FIRST)).slice();
    const synced = concat(batches.slice(0, 9)).length;
    for (let size = synced; size <= whole.length; size++) {
      const copy = new World();
      copy.files.putDirectory(world.path("").slice(0, -1));
      copy.files.put(world.path(FIRST), whole.subarray(0, size));
      copy.store = world.store.copy();
      const log = await copy.open();
      let kept = 9;
      while (kept < 12 && concat(batches.slice(0, kept + 1)).length <= size) kept += 1;
      expect(log.logEndOffset).toBe(kept * 2);
      expect(log.durableEndOffset).toBe(kept * 2);
      expect(log.recovery.cutBytes).toBe(size - concat(batches.slice(0, kept)).length);
      expect(log.recovery.damaged).toBeUndefined();
      expect(isSame(await readAll(log), concat(batches.slice(0, kept)))).toBe(true);
    }
  });

  it("cuts a tail of zeros instead of looping over it (class 33)", async () => {
    const { world, batches } = await crashedAfterTwelve();
    const whole = world.files.bytes(world.path(FIRST));
    const longer = new Uint8Array(whole.length + 1_000_000);
    longer.set(whole);
    world.files.put(world.path(FIRST), longer);
    const log = await world.open();
    expect(log.logEndOffset).toBe(24);
    expect(log.recovery.cutBytes).toBe(1_000_000);
    expect(isSame(await readAll(log), concat(batches))).toBe(true);
  });

  it("cuts at a flipped bit above the recovery point, and takes appends there", async () => {
    const { world, batches } = await crashedAfterTwelve();
    const position = concat(batches.slice(0, 10)).length + 80;
    flip(world, FIRST, position);
    const log = await world.open();
    expect(log.logEndOffset).toBe(20);
    expect(log.recovery.damaged).toBeUndefined();
    log.append(batch(20, { seed: 9 }));
    await settle();
    expect(await endAfter(log)).toBe(21);
  });

  it("cuts nothing at a flipped bit below the recovery point, and names the range (class 24)", async () => {
    const { world, batches } = await crashedAfterTwelve();
    flip(world, FIRST, concat(batches.slice(0, 4)).length + 80);
    const log = await world.open({ tailBytesMax: 0 });
    expect(log.logEndOffset).toBe(24);
    expect(log.recovery.cutBytes).toBe(0);
    expect(endOf(concat(await log.read(0, 100_000, 24)))).toBe(8);
    await expect(log.read(8, 100, 24)).rejects.toMatchObject({ code: "KAFKA_STORAGE_ERROR" });
    await expect(log.read(9, 100, 24)).rejects.toMatchObject({ code: "KAFKA_STORAGE_ERROR" });
    expect(log.recovery.damaged).toEqual({ fromOffset: 8, toOffset: 10 });
    expect(world.damages).toEqual([{ fromOffset: 8, toOffset: 10 }]);
    expect(endOf(concat(await log.read(10, 100_000, 24)))).toBe(24);
    log.append(batch(24));
    await settle();
    expect(log.durableEndOffset).toBe(25);
  });

  it("finds any wrong byte of a header below the recovery point, also outside the checksum", async () => {
    for (let byte = 0; byte < 61; byte++) {
      // The leader epoch has no check of its own: any not below those before it may be right.
      if (byte >= 12 && byte < 16) continue;
      const { world, batches } = await crashedAfterTwelve();
      flip(world, FIRST, concat(batches.slice(0, 4)).length + byte);
      const log = await world.open({ tailBytesMax: 0 });
      await expect(log.read(8, 100, 24)).rejects.toMatchObject({ code: "KAFKA_STORAGE_ERROR" });
      expect(log.recovery.damaged).toEqual({ fromOffset: 8, toOffset: 10 });
      await log.replaceRange(batches[4] as Uint8Array);
      expect(isSame(await readAll(log), concat(batches))).toBe(true);
    }
  });

  it("finds the end of a damage whose length field is gone by the index", async () => {
    const { world, batches } = await crashedAfterTwelve();
    const position = concat(batches.slice(0, 4)).length;
    for (let at = 8; at < 12; at++) flip(world, FIRST, position + at);
    const log = await world.open({ tailBytesMax: 0 });
    await expect(log.read(8, 100, 24)).rejects.toMatchObject({ code: "KAFKA_STORAGE_ERROR" });
    const damaged = log.recovery.damaged;
    expect(damaged?.fromOffset).toBe(8);
    expect(damaged?.toOffset).toBeGreaterThan(8);
    expect(damaged?.toOffset).toBeLessThanOrEqual(14);
    const to = damaged?.toOffset ?? 0;
    expect(endOf(concat(await log.read(to, 100_000, 24)))).toBe(24);
  });

  it("reports a full segment that is too short, is missing, or begins with other bytes", async () => {
    for (const spoil of ["short", "missing", "header"] as const) {
      const world = new World();
      const log = await world.open({ segmentBytesMax: 1000 });
      const all = concat(appendBatches(log, 20));
      await log.close();
      const path = world.path("00000000000000000005.log");
      const bytes = world.files.bytes(path).slice();
      if (spoil === "missing") world.files.drop(path);
      else if (spoil === "short") world.files.put(path, bytes.subarray(0, 500));
      else world.files.put(path, bytes.fill(0xee, 0, 30));
      const again = await world.open({ segmentBytesMax: 1000, tailBytesMax: 0 });
      expect(again.logEndOffset).toBe(20);
      const { damaged } = again.recovery;
      expect(damaged).toBeDefined();
      expect(damaged?.fromOffset).toBe(spoil === "short" ? 7 : 5);
      expect(damaged?.toOffset).toBe(spoil === "header" ? 7 : 10);
      const sizeOf = all.length / 20;
      expect(endOf(await readAll({ ...view(again), logEndOffset: 5 } as never, 0))).toBe(5);
      expect((await readAll(again, 10)).length).toBe(10 * sizeOf);
      // A restart does not heal it.
      await again.close();
      const third = await world.open({ segmentBytesMax: 1000 });
      expect(third.recovery.damaged).toEqual(damaged);
    }
  });

  it("goes on behind an active segment that lost bytes below the recovery point", async () => {
    const { world } = await crashedAfterTwelve();
    const bytes = world.files.bytes(world.path(FIRST));
    world.files.put(world.path(FIRST), bytes.slice(0, 400));
    const log = await world.open({ tailBytesMax: 0 });
    expect(log.logEndOffset).toBe(18);
    expect(log.recovery.damaged).toEqual({ fromOffset: 2, toOffset: 18 });
    log.append(batch(18));
    await settle();
    expect(log.durableEndOffset).toBe(19);
    expect(endOf(concat(await log.read(18, 100, 19)))).toBe(19);
  });

  it("reports the start of a log whose first files are gone", async () => {
    const world = new World();
    const log = await world.open({ segmentBytesMax: 1000 });
    appendBatches(log, 20);
    await log.close();
    world.files.drop(world.path(FIRST));
    const again = await world.open({ segmentBytesMax: 1000 });
    expect(again.logStartOffset).toBe(0);
    expect(again.recovery.damaged).toEqual({ fromOffset: 0, toOffset: 5 });
  });

  it("refuses to open rather than cut when the disk cannot be read", async () => {
    const { world } = await crashedAfterTwelve();
    world.files.before = (operation, path) => {
      if (operation === "read" && path.endsWith(FIRST)) throw failure("EIO", path);
    };
    await expect(world.open()).rejects.toThrow("EIO");
    world.files.before = undefined;
    expect((await world.open()).logEndOffset).toBe(24);
  });

  it("rebuilds indexes that are missing, zeroed, cut, or those of another log (class 28)", async () => {
    for (const spoil of ["missing", "zeroed", "cut", "odd", "foreign"] as const) {
      const world = new World();
      const config = { segmentBytesMax: 4000, tailBytesMax: 0 };
      const log = await world.open(config);
      for (let index = 0; index < 60; index++) {
        log.append(batch(log.logEndOffset, { timestampMs: index * 10 }));
      }
      await settle();
      const all = await readAll(log);
      await log.close();
      const names = world.names().filter((name) => name.endsWith("index"));
      expect(names.length).toBeGreaterThan(4);
      for (const name of names) {
        const path = world.path(name);
        const bytes = world.files.bytes(path).slice();
        if (spoil === "missing") world.files.drop(path);
        if (spoil === "zeroed") world.files.put(path, bytes.fill(0));
        if (spoil === "cut") world.files.put(path, bytes.subarray(0, bytes.length >> 1));
        if (spoil === "odd") world.files.put(path, bytes.subarray(0, bytes.length - 3));
        if (spoil === "foreign") world.files.put(path, shifted(bytes, name));
      }
      const again = await world.open(config);
      expect(again.recovery.damaged).toBeUndefined();
      expect(isSame(await readAll(again), all)).toBe(true);
      for (let from = 0; from < 60; from++) {
        expect(endOf(concat(await again.read(from, 1, 60)))).toBe(from + 1);
        const found = await again.offsetForTimestamp(from * 10 - 3, 60);
        expect(found?.offset).toBe(from);
      }
      expect(world.damages).toEqual([]);
      await again.close();
    }
  });

  it("takes only the end as torn when no checkpoint is left", async () => {
    const world = new World();
    const log = await world.open({ segmentBytesMax: 1000 });
    const all = concat([
      ...appendBatches(log, 7, { epoch: 3 }),
      ...appendBatches(log, 11, { epoch: 4 }),
    ]);
    await log.close();
    world.store = new World().store;
    const bytes = world.files.bytes(world.path("00000000000000000015.log"));
    world.files.put(world.path("00000000000000000015.log"), concat([bytes, new Uint8Array(70)]));
    const again = await world.open({ segmentBytesMax: 1000 });
    expect(again.recovery.cutBytes).toBe(70);
    expect(again.epochs.entries).toEqual([
      { epoch: 3, startOffset: 0 },
      { epoch: 4, startOffset: 7 },
    ]);
    expect(again.logEndOffset).toBe(18);
    expect(isSame(await readAll(again), all)).toBe(true);
  });

  it("brings back epochs and producers, from the snapshot and from the log after it", async () => {
    const world = new World();
    const log = await world.open();
    for (let sequence = 0; sequence < 4; sequence++) {
      const options = { producerId: 7, baseSequence: sequence, epoch: sequence >> 1 };
      log.append(batch(log.logEndOffset, options));
      if (sequence === 1) await log.checkpoint();
    }
    await settle();
    world.kill();
    const again = await world.open();
    expect(again.epochs.entries).toEqual([
      { epoch: 0, startOffset: 0 },
      { epoch: 1, startOffset: 2 },
    ]);
    const retry = { producerId: 7, producerEpoch: 0, baseSequence: 3, lastSequence: 3 };
    expect(again.producers.check({ ...retry, crc: undefined })).toMatchObject({
      kind: "duplicate",
      baseOffset: 3,
    });
    const first = { producerId: 7, producerEpoch: 0, baseSequence: 0, lastSequence: 0 };
    expect(again.producers.check({ ...first, crc: undefined })).toMatchObject({ baseOffset: 0 });
  });

  it("does not know producers of records that a crash took", async () => {
    const world = new World();
    const log = await world.open();
    log.append(batch(0, { producerId: 7, baseSequence: 0 }));
    await settle();
    world.files.gate = async (operation) => {
      if (operation === "write") await new Promise(() => undefined);
    };
    log.append(batch(1, { producerId: 7, baseSequence: 1 }));
    log.checkpoint().catch(() => undefined);
    await settle();
    world.crashHard();
    const again = await world.open();
    expect(again.logEndOffset).toBe(1);
    const next = { producerId: 7, producerEpoch: 0, baseSequence: 1, lastSequence: 1 };
    expect(again.producers.check({ ...next, crc: undefined })).toEqual({ kind: "append" });
  });

  it("makes durable again what a killed process had only written", async () => {
    const world = new World();
    const log = await world.open({ isSynced: false });
    const all = concat(appendBatches(log, 5));
    await settle();
    world.kill();
    const again = await world.open();
    expect(again.durableEndOffset).toBe(5);
    world.crashHard();
    expect(await readAll(await world.open())).toEqual(all);
  });

  it("cuts a segment that does not continue the one before it", async () => {
    const world = new World();
    const log = await world.open({ segmentBytesMax: 1000 });
    await log.checkpoint();
    appendBatches(log, 20);
    world.store.before = () => {
      throw failure("ENOSPC", "store");
    };
    await settle();
    world.kill();
    world.store.before = undefined;
    world.files.drop(world.path("00000000000000000005.log"));
    const again = await world.open({ segmentBytesMax: 1000 });
    expect(again.logEndOffset).toBe(5);
    expect(await endAfter(again)).toBe(5);
    expect(world.names().filter((name) => name.endsWith(".log"))).toEqual([FIRST]);
  });

  it("takes a batch of an older epoch, or at an older offset, for a misplaced one (class 35)", async () => {
    for (const wrong of [batch(24, { epoch: 0 }), batch(20, { epoch: 2 })]) {
      const world = new World();
      const log = await world.open();
      appendBatches(log, 24, { epoch: 2 });
      await log.close();
      const bytes = world.files.bytes(world.path(FIRST));
      world.files.put(world.path(FIRST), concat([bytes, wrong]));
      const again = await world.open();
      expect(again.logEndOffset).toBe(24);
      expect(again.recovery.cutBytes).toBe(batchBytes(wrong, 0));
    }
  });

  it("does not remove deleted records before what follows them is certain", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const world = new World();
      const log = await world.open({ segmentBytesMax: 1000 });
      appendBatches(log, 5);
      await log.checkpoint();
      await log.deleteRecordsBefore(5);
      world.files.gate = async (operation) => {
        if (operation === "syncDirectory") await new Promise(() => undefined);
      };
      appendBatches(log, 1);
      await settle();
      // The next segment's file is there, but only until the power fails.
      world.kill();
      world.files.before = (operation) => {
        if (operation === "syncDirectory") throw failure("ECRASHED", "");
      };
      await expect(world.open({ segmentBytesMax: 1000 })).rejects.toThrow("ECRASHED");
      world.crash(seeded(seed));
      const again = await world.open({ segmentBytesMax: 1000 });
      expect(again.recovery.damaged).toBeUndefined();
      expect(again.logStartOffset).toBe(5);
    }
  });

  it("sweeps files that were deleted before", async () => {
    const world = new World();
    const log = await world.open({ segmentBytesMax: 1000 });
    appendBatches(log, 20);
    await settle();
    await log.deleteRecordsBefore(12);
    expect(world.names().some((name) => name.endsWith(".deleted"))).toBe(true);
    await log.close();
    await world.open({ segmentBytesMax: 1000 });
    expect(world.names().some((name) => name.endsWith(".deleted"))).toBe(false);
  });
});

/** The same entries under another segment's offsets: growing, inside the log, and wrong. */
function shifted(bytes: Uint8Array, name: string): Uint8Array {
  const moved = bytes.slice();
  const view = new DataView(moved.buffer);
  const entryBytes = name.endsWith("timeindex") ? 12 : 8;
  if (entryBytes === 12) return moved;
  for (let at = 0; at < moved.length; at += entryBytes) {
    view.setInt32(at + 4, view.getInt32(at + 4) - 1);
  }
  return moved;
}

/** What `readAll` needs of a log, to be given another end. */
function view(log: Log): object {
  return {
    logStartOffset: log.logStartOffset,
    read: async (from: number, bytesMax: number, end: number) =>
      await log.read(from, bytesMax, end),
  };
}
