import { describe, expect, it, vi } from "vitest";
import { Log } from "./log.js";
import { failure } from "./testing/memory-file-system.js";
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

describe("Log", () => {
  it("begins empty at offset 0 and creates no file before the first append", async () => {
    const world = new World();
    const log = await world.open();
    expect(log.logStartOffset).toBe(0);
    expect(log.logEndOffset).toBe(0);
    expect(log.durableEndOffset).toBe(0);
    expect(log.lastEpoch).toBe(-1);
    expect(world.names()).toEqual([]);
    expect(await log.read(0, 1000, 0)).toEqual([]);
  });

  it("shows an append at once and calls it durable when it was synced", async () => {
    const world = new World();
    const log = await world.open();
    log.append(batch(0, { count: 3, epoch: 5 }));
    expect(log.logEndOffset).toBe(3);
    expect(log.durableEndOffset).toBe(0);
    expect(log.lastEpoch).toBe(5);
    expect(log.tail(0, 1000, 3)).toHaveLength(1);
    await settle();
    expect(log.durableEndOffset).toBe(3);
    expect(world.durable).toEqual([3]);
  });

  it("gathers what is appended during a write into one write and one sync", async () => {
    const world = new World();
    const log = await world.open();
    appendBatches(log, 1);
    await settle();
    const seen: string[] = [];
    world.files.before = (operation) => seen.push(operation);
    appendBatches(log, 10);
    await settle();
    // The first goes out alone, the nine that arrived meanwhile together.
    expect(seen).toEqual(["write", "dataSync", "write", "dataSync"]);
    expect(world.durable).toEqual([1, 2, 11]);
  });

  it("syncs the directory of a new segment before its records count as durable", async () => {
    const world = new World();
    const log = await world.open();
    const seen: string[] = [];
    world.files.before = (operation) => {
      if (operation === "syncDirectory") expect(log.durableEndOffset).toBe(0);
      seen.push(operation);
    };
    appendBatches(log, 1);
    await settle();
    expect(seen).toEqual(["create", "write", "dataSync", "syncDirectory"]);
    expect(log.durableEndOffset).toBe(1);
  });

  it("does not sync what a topic said need not be, until a checkpoint", async () => {
    const world = new World();
    const log = await world.open({ isSynced: false });
    appendBatches(log, 1);
    await settle();
    const seen: string[] = [];
    world.files.before = (operation) => seen.push(operation);
    appendBatches(log, 1);
    await settle();
    expect(seen).toEqual(["write"]);
    expect(log.durableEndOffset).toBe(2);
    await log.checkpoint();
    expect(seen.filter((operation) => operation === "dataSync")).toHaveLength(1);
  });

  it("reads from memory at the tail and from the files before it, the same bytes", async () => {
    const world = new World();
    const log = await world.open({ tailBytesMax: 500 });
    const all = concat(appendBatches(log, 50, { count: 3 }));
    await settle();
    expect(log.tail(0, 1000, log.logEndOffset)).toBeUndefined();
    expect(log.tail(log.logEndOffset - 1, 1000, log.logEndOffset)).toHaveLength(1);
    expect(isSame(await readAll(log), all)).toBe(true);
    expect(await readAll(log, 0, 1)).toEqual(all);
    expect(await readAll(log, 0, 1_000_000)).toEqual(all);
  });

  it("gives the whole batch that holds the offset asked for", async () => {
    const world = new World();
    const log = await world.open({ tailBytesMax: 0 });
    const batches = appendBatches(log, 5, { count: 10 });
    await settle();
    expect(concat(await log.read(25, 1, 50))).toEqual(batches[2]);
    expect(concat(await log.read(29, 1, 50))).toEqual(batches[2]);
    expect(concat(await log.read(30, 1, 50))).toEqual(batches[3]);
  });

  it("gives no batch that ends at or above the end asked for", async () => {
    for (const tailBytesMax of [0, 100_000]) {
      const world = new World();
      const log = await world.open({ tailBytesMax });
      appendBatches(log, 5, { count: 10 });
      await settle();
      expect(endOf(concat(await log.read(0, 100_000, 35)))).toBe(30);
      expect(await log.read(30, 100_000, 35)).toEqual([]);
    }
  });

  it("gives at least one batch however small the limit, and no more than the limit else", async () => {
    for (const tailBytesMax of [0, 100_000]) {
      const world = new World();
      const log = await world.open({ tailBytesMax });
      const [first] = appendBatches(log, 5, { valueBytes: 1000 });
      const sizeBytes = first?.length ?? 0;
      await settle();
      expect(concat(await log.read(0, 1, 5)).length).toBe(sizeBytes);
      expect(concat(await log.read(0, 2.5 * sizeBytes, 5)).length).toBe(2 * sizeBytes);
    }
  });

  it("refuses to read outside of the log", async () => {
    const world = new World();
    const log = await world.open();
    appendBatches(log, 5);
    await settle();
    await log.deleteRecordsBefore(2);
    await expect(log.read(1, 100, 5)).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
    await expect(log.read(6, 100, 6)).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
    expect(await log.read(5, 100, 5)).toEqual([]);
  });

  it("reads batches larger than the largest piece", async () => {
    const world = new World();
    const log = await world.open({ tailBytesMax: 0, segmentBytesMax: 10_000_000 });
    const large = batch(1, { valueBytes: 3_000_000 });
    log.append(batch(0));
    log.append(large.slice());
    log.append(batch(2));
    await settle();
    const found = concat(await log.read(1, 1000, 3));
    expect(Buffer.compare(found, large)).toBe(0);
    expect(endOf(await readAll(log, 0, 5_000_000))).toBe(3);
  });

  it("splits an append of many batches where a segment is full", async () => {
    const world = new World();
    const log = await world.open({ segmentBytesMax: 400, tailBytesMax: 0 });
    const batches = Array.from({ length: 7 }, (_, offset) => batch(offset));
    log.append(concat(batches));
    await settle();
    expect(log.logEndOffset).toBe(7);
    expect(log.segmentCount).toBe(4);
    expect(isSame(await readAll(log), concat(batches))).toBe(true);
  });

  it("rolls a segment by the age of its first append", async () => {
    const world = new World();
    const log = await world.open({ segmentMs: 1000 });
    appendBatches(log, 1);
    world.time.advance(999);
    appendBatches(log, 1);
    expect(log.segmentCount).toBe(1);
    world.time.advance(1);
    appendBatches(log, 1);
    expect(log.segmentCount).toBe(2);
  });

  it("rolls a segment before a relative offset would pass an int32", async () => {
    const world = new World();
    const log = await world.open();
    await log.allowGaps();
    log.append(batch(0));
    log.append(batch(2 ** 31));
    await settle();
    expect(log.segmentCount).toBe(2);
    expect(log.logEndOffset).toBe(2 ** 31 + 1);
    expect(endOf(concat(await log.read(1, 1000, 2 ** 31 + 1)))).toBe(2 ** 31 + 1);
  });

  it("finds the first record of a time, also across segments and inside a batch", async () => {
    const world = new World();
    const log = await world.open({ segmentBytesMax: 2000, tailBytesMax: 0 });
    for (let index = 0; index < 40; index++) {
      log.append(batch(log.logEndOffset, { count: 5, valueBytes: 20, timestampMs: index * 10 }));
    }
    await settle();
    const end = log.logEndOffset;
    expect(log.segmentCount).toBeGreaterThan(2);
    expect(await log.offsetForTimestamp(0, end)).toMatchObject({ offset: 0, timestampMs: 0 });
    expect(await log.offsetForTimestamp(203, end)).toMatchObject({ offset: 103, timestampMs: 203 });
    expect(await log.offsetForTimestamp(205, end)).toMatchObject({ offset: 105, timestampMs: 210 });
    expect(await log.offsetForTimestamp(394, end)).toMatchObject({ offset: 199 });
    expect(await log.offsetForTimestamp(395, end)).toBeUndefined();
    expect(await log.offsetForTimestamp(203, 100)).toBeUndefined();
  });

  it("fails once, keeps what was durable readable, and takes no more", async () => {
    for (const failing of ["write", "dataSync"] as const) {
      const world = new World();
      const log = await world.open();
      const kept = concat(appendBatches(log, 3));
      await settle();
      world.files.before = (operation) => {
        if (operation === failing) throw failure("EIO", "disk");
      };
      appendBatches(log, 2);
      await settle();
      expect(world.failures).toHaveLength(1);
      expect(log.isFailed).toBe(true);
      expect(log.durableEndOffset).toBe(3);
      expect(() => log.append(batch(5))).toThrow("the log has failed");
      world.files.before = undefined;
      expect(concat(await log.read(0, 10_000, 5))).toEqual(kept);
      expect(await log.read(3, 10_000, 5)).toEqual([]);
      await settle();
      expect(world.failures).toHaveLength(1);
      expect(world.durable.at(-1)).toBe(3);
    }
  });

  it("does not trust what a failed sync left in the page cache", async () => {
    for (const end of ["close", "kill"] as const) {
      const world = new World();
      const log = await world.open();
      const all = appendBatches(log, 3);
      await settle();
      world.files.before = (operation) => {
        if (operation === "dataSync") throw failure("EIO", "disk");
      };
      all.push(...appendBatches(log, 1));
      await settle();
      world.files.before = undefined;
      if (end === "close") await expect(log.close()).rejects.toThrow("EIO");
      world.kill();
      // The bytes look fine, are not on the disk, and no sync would bring them there.
      const again = await world.open();
      expect(again.durableEndOffset).toBe(4);
      world.crashHard();
      expect(isSame(await readAll(await world.open()), concat(all))).toBe(true);
    }
  });

  it("does not trust what a sync left that failed while it recovered", async () => {
    const world = new World();
    const log = await world.open();
    const all = concat(appendBatches(log, 3));
    await settle();
    world.kill();
    world.files.before = (operation) => {
      if (operation === "dataSync") throw failure("EIO", "disk");
    };
    await expect(world.open()).rejects.toThrow("EIO");
    world.files.before = undefined;
    world.kill();
    await world.open();
    world.crashHard();
    expect(isSame(await readAll(await world.open()), all)).toBe(true);
  });

  it("refuses to be closed cleanly when something is not durable", async () => {
    const world = new World();
    const log = await world.open();
    appendBatches(log, 3);
    await settle();
    world.files.before = (operation) => {
      if (operation === "write") throw failure("ENOSPC", "disk");
    };
    appendBatches(log, 1);
    await expect(log.close()).rejects.toThrow("ENOSPC");
    await expect(log.close()).rejects.toThrow("ENOSPC");
    expect(world.time.timerCount).toBe(0);
  });

  it("checkpoints after so many bytes, however short the time", async () => {
    const world = new World();
    const log = await world.open({ segmentBytesMax: 100_000_000 });
    await settle();
    const before = world.store.writeCount;
    for (let index = 0; index < 17; index++) {
      log.append(batch(log.logEndOffset, { valueBytes: 1_000_000 }));
      await settle();
      world.time.advance(1);
      await settle();
    }
    expect(world.store.writeCount).toBe(before + 1);
  });

  it("is closed durably, and opens again without reading its records", async () => {
    const world = new World();
    const log = await world.open({ segmentBytesMax: 1000 });
    const all = concat(appendBatches(log, 20, { epoch: 3 }));
    log.noteHighWatermark(17);
    await log.close();
    await log.close();
    world.crashHard();
    const again = await world.open({ segmentBytesMax: 1000 });
    expect(again.recovery).toEqual({ cutBytes: 0, recoveredFrom: 20, damaged: undefined });
    expect(again.highWatermark).toBe(17);
    expect(again.lastEpoch).toBe(3);
    expect(again.durableEndOffset).toBe(20);
    expect(isSame(await readAll(again), all)).toBe(true);
  });

  it("refuses everything after it was closed", async () => {
    const world = new World();
    const log = await world.open();
    appendBatches(log, 1);
    await log.close();
    expect(() => log.append(batch(1))).toThrow("closed");
    await expect(log.truncateTo(0)).rejects.toMatchObject({ code: "KAFKA_STORAGE_ERROR" });
    await expect(log.read(0, 10, 1)).rejects.toMatchObject({ code: "KAFKA_STORAGE_ERROR" });
    expect(world.time.timerCount).toBe(0);
  });

  it("reads hardly more from its files than it gives", async () => {
    const world = new World();
    const config = { segmentBytesMax: 100_000_000, tailBytesMax: 0 };
    const log = await world.open(config);
    appendBatches(log, 40, { valueBytes: 300_000 });
    appendBatches(log, 2000, { valueBytes: 1000 });
    await log.close();
    const again = await world.open(config);
    let readBytes = 0;
    const { files } = world;
    const open = files.open.bind(files);
    files.open = async (path, options) => {
      const handle = await open(path, options);
      const read = handle.read.bind(handle);
      handle.read = async (target, position) => {
        if (path.endsWith(".log")) readBytes += target.length;
        return await read(target, position);
      };
      return handle;
    };
    const givenBytes = (await readAll(again, 0, 1024 * 1024)).length;
    expect(givenBytes).toBe(again.sizeBytes);
    expect(readBytes).toBeLessThan(givenBytes * 1.02);
  });

  it("stores nothing at a checkpoint that finds everything as it was", async () => {
    const world = new World();
    const log = await world.open();
    appendBatches(log, 1);
    log.noteHighWatermark(1);
    await log.checkpoint();
    const before = world.store.writeCount;
    await log.checkpoint();
    log.noteHighWatermark(0);
    log.noteHighWatermark(1);
    world.time.advance(10_000);
    await settle();
    expect(world.store.writeCount).toBe(before);
    log.noteHighWatermark(0);
    await log.checkpoint();
    expect(world.store.writeCount).toBe(before + 1);
    await log.close();
    world.crashHard();
    expect((await world.open()).highWatermark).toBe(0);
  });

  it("checkpoints at the same moment as other logs that changed at about the same time", async () => {
    const dueMs: number[] = [];
    for (const laterMs of [1, 99]) {
      const world = new World();
      const log = await world.open();
      world.time.advance(laterMs);
      const before = world.store.writeCount;
      appendBatches(log, 1);
      await settle();
      while (world.store.writeCount === before) {
        world.time.advance(1);
        await settle();
      }
      dueMs.push(world.time.nowMs);
      await log.close();
    }
    expect(dueMs[0]).toBe(dueMs[1]);
  });

  it("asks the disk and the store for little when it is new", async () => {
    const world = new World();
    const seen: string[] = [];
    world.files.before = (operation) => seen.push(operation);
    const range = vi.spyOn(world.store, "range");
    const log = await world.open();
    expect(seen).toEqual(["makeDirectory", "syncDirectory"]);
    expect(range).not.toHaveBeenCalled();
    expect(world.store.writeCount).toBe(1);
    await log.close();
  });

  it("checkpoints every few seconds while it changes, and not otherwise", async () => {
    const world = new World();
    const log = await world.open();
    await settle();
    const before = world.store.writeCount;
    appendBatches(log, 1);
    await settle();
    world.time.advance(5000);
    await settle();
    expect(world.store.writeCount).toBe(before + 1);
    world.time.advance(60_000);
    await settle();
    expect(world.store.writeCount).toBe(before + 1);
    expect(log.isFailed).toBe(false);
  });

  it("leaves the index of the active segment for later in a routine checkpoint, not in another", async () => {
    const world = new World();
    const log = await world.open();
    appendBatches(log, 20);
    await settle();
    world.time.advance(5000);
    await settle();
    const indexes = () => world.names().filter((name) => name.endsWith("index"));
    expect(indexes()).toEqual([]);
    await log.checkpoint();
    expect(indexes()).toHaveLength(2);
  });

  it("tries a checkpoint again when the store refused it, without failing", async () => {
    const world = new World();
    const log = await world.open();
    appendBatches(log, 1);
    await settle();
    world.store.before = () => {
      throw failure("ENOSPC", "store");
    };
    world.time.advance(5000);
    await settle();
    world.store.before = undefined;
    expect(log.isFailed).toBe(false);
    world.time.advance(5000);
    await settle();
    world.crash((bound) => bound - 1);
    expect((await world.open()).recovery.recoveredFrom).toBe(1);
  });

  it("closes files and forgets indexes of full segments that nobody reads", async () => {
    const world = new World();
    const log = await world.open({ segmentBytesMax: 1000, tailBytesMax: 0 });
    const all = concat(appendBatches(log, 20));
    await settle();
    expect(isSame(await readAll(log), all)).toBe(true);
    for (let turn = 0; turn < 5; turn++) {
      world.time.advance(30_000);
      await settle();
    }
    // Nothing waits any more: what was open is closed.
    expect(world.time.timerCount).toBe(0);
    expect(isSame(await readAll(log), all)).toBe(true);
  });

  it("is removed with its files and all that is remembered of it", async () => {
    const world = new World();
    const log = await world.open({ segmentBytesMax: 1000 });
    appendBatches(log, 20);
    await log.close();
    const { ports } = world;
    await Log.remove(ports, "/data/topics/AAAAAAAAAAAAAAAAAAAAAA-0", "AAAAAAAAAAAAAAAAAAAAAA-0");
    expect(world.files.names("/data/topics")).toEqual([]);
    expect(world.store.keys()).toEqual([]);
  });

  it("says what is likely to be read, and reads from the cache what was written for readers", async () => {
    const world = new World();
    const log = await world.open({ tailBytesMax: 0 });
    const seen: unknown[] = [];
    for (const isExpected of [false, true]) {
      log.expectReaders(isExpected);
      appendBatches(log, 2, { valueBytes: 1_000 });
      await log.checkpoint();
      await log.read(log.logEndOffset - 1, 1, log.logEndOffset);
      seen.push([world.files.lastWrite?.isLikelyRead, world.files.lastRead?.isLikelyOnly]);
    }
    expect(seen).toEqual([
      [false, true],
      [true, false],
    ]);
    await log.close();
  });
});
