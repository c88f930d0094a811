import { BufferPool, Lease } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import { ReadAhead } from "./read-ahead.js";
import {
  appendBatches,
  concat,
  endOf,
  isSame,
  ManualTime,
  readAll,
  World,
} from "./testing/world.js";

const KIB = 1024;

function world(bytesMax: number) {
  const time = new ManualTime();
  const buffers = new BufferPool({ bytesMin: 8 });
  return { time, buffers, ahead: new ReadAhead({ clock: time, buffers }, bytesMax) };
}

function filled(value: number) {
  return async (target: Uint8Array): Promise<number> => target.fill(value).length;
}

describe(ReadAhead, () => {
  const owner = {};
  const place = { owner, offset: 7, position: 100, length: 10 };

  it("gives a piece to whom it was begun for, once", async () => {
    const { ahead } = world(KIB);
    ahead.begin(place, filled(3));
    const lease = new Lease();
    expect(await ahead.take({}, 7, lease)).toBeUndefined();
    expect(await ahead.take(owner, 8, lease)).toBeUndefined();
    const found = await ahead.take(owner, 7, lease);
    expect(found).toEqual({ position: 100, bytes: new Uint8Array(10).fill(3) });
    expect(await ahead.take(owner, 7, lease)).toBeUndefined();
    expect(ahead.sizeBytes).toBe(0);
  });

  it("leaves the memory of a piece to the lease of who took it", async () => {
    const { ahead, buffers } = world(KIB);
    ahead.begin(place, filled(3));
    const lease = new Lease();
    await ahead.take(owner, 7, lease);
    expect(buffers.freeBytes).toBe(0);
    lease.release();
    expect(buffers.freeBytes).toBeGreaterThan(0);
  });

  it.each([
    ["failed", () => Promise.reject(new Error("EIO"))],
    ["ended early", async () => 9],
  ])("gives nothing where the read %s", async (_what, read) => {
    const { ahead } = world(KIB);
    ahead.begin(place, read);
    expect(await ahead.take(owner, 7, new Lease())).toBeUndefined();
  });

  it("reads no more ahead than it has room for", async () => {
    const { ahead } = world(25);
    for (const offset of [1, 2, 3]) ahead.begin({ ...place, offset }, filled(offset));
    expect(ahead.sizeBytes).toBe(20);
    expect(await ahead.take(owner, 3, new Lease())).toBeUndefined();
    expect(await ahead.take(owner, 1, new Lease())).toBeDefined();
  });

  it("drops what nobody came for in time, when its room is wanted", async () => {
    const { ahead, buffers, time } = world(25);
    for (const offset of [1, 2]) ahead.begin({ ...place, offset }, filled(offset));
    time.advance(2_000);
    ahead.begin({ ...place, offset: 3 }, filled(3));
    expect(ahead.sizeBytes).toBe(20);
    expect(await ahead.take(owner, 1, new Lease())).toBeUndefined();
    expect(await ahead.take(owner, 3, new Lease())).toBeDefined();
    expect(buffers.freeBytes).toBeGreaterThan(0);
  });
});

describe("reads of a log that go on", () => {
  const batches = { valueBytes: 60 * KIB };

  async function written(count: number) {
    const log = new World();
    const buffers = new BufferPool({ bytesMin: 8, overwrites: true });
    const readAhead = new ReadAhead({ clock: log.time, buffers }, 16 * KIB * KIB);
    const config = { tailBytesMax: 0, segmentBytesMax: 64 * KIB * KIB };
    const opened = await log.open(config, { readAhead });
    const appended = appendBatches(opened, count, batches);
    await opened.checkpoint();
    return { world: log, log: opened, readAhead, buffers, appended };
  }

  async function next({ log, buffers }: Awaited<ReturnType<typeof written>>, from: number) {
    const lease = new Lease(buffers);
    const chunks = await log.read(from, 256 * KIB, log.logEndOffset, lease);
    return { chunks, end: endOf(chunks.at(-1) as Uint8Array), lease };
  }

  it("find the next piece read, and get the same bytes", async () => {
    const state = await written(40);
    const found: Uint8Array[] = [];
    let aheadCount = 0;
    for (let offset = 0; offset < state.log.logEndOffset; ) {
      const { chunks, end, lease } = await next(state, offset);
      found.push(...chunks.map((chunk) => chunk.slice()));
      lease.release();
      if (state.readAhead.sizeBytes > 0) aheadCount += 1;
      offset = end;
    }
    expect(isSame(concat(found), concat(state.appended))).toBe(true);
    expect(aheadCount).toBeGreaterThan(3);
    await state.log.close();
  });

  it("do not get what was read ahead before the end of the log was cut", async () => {
    const state = await written(20);
    const first = await next(state, 0);
    const second = await next(state, first.end);
    expect(state.readAhead.sizeBytes).toBeGreaterThan(0);
    await state.log.truncateTo(second.end);
    const other = appendBatches(state.log, 12, { ...batches, seed: 1 });
    await state.log.checkpoint();
    const third = await next(state, second.end);
    expect(isSame(concat(third.chunks), concat(other.slice(0, third.end - second.end)))).toBe(true);
    await state.log.close();
  });

  it("begin nothing for a reader that comes once", async () => {
    const state = await written(20);
    await next(state, 0);
    await readAll(state.log, 5, 256 * KIB);
    expect(state.readAhead.sizeBytes).toBe(0);
    await state.log.close();
  });
});
