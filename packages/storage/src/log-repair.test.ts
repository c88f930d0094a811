import { baseOffset, batchBytes, lastOffset } from "@strandline/record";
import { describe, expect, it } from "vitest";
import type { Log } from "./log.js";
import { appendKeyed, COMPACTION, compacted, seenBatches } from "./testing/keyed.js";
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

/** Twenty batches, five to a segment; then `spoil` got at the second segment's file. */
async function spoiled(
  spoil: (bytes: Uint8Array) => Uint8Array | undefined,
): Promise<{ world: World; log: Log; batches: Uint8Array[] }> {
  const world = new World();
  const log = await world.open(SMALL);
  const batches = appendBatches(log, 20);
  await log.close();
  const path = world.path("00000000000000000005.log");
  const bytes = spoil(world.files.bytes(path).slice());
  if (bytes === undefined) world.files.drop(path);
  else world.files.put(path, bytes);
  return { world, log: await world.open(SMALL), batches };
}

function flipped(bytes: Uint8Array, position: number): Uint8Array {
  bytes[position] = (bytes[position] as number) ^ 1;
  return bytes;
}

describe("repair of a damaged range (class 32)", () => {
  it("puts one batch back, and everything reads again, after a restart too", async () => {
    const { world, log, batches } = await spoiled((bytes) => flipped(bytes, 250));
    await expect(log.read(6, 10, 20)).rejects.toMatchObject({ code: "KAFKA_STORAGE_ERROR" });
    expect(log.recovery.damaged).toEqual({ fromOffset: 6, toOffset: 7 });
    await log.replaceRange(batches[6] as Uint8Array);
    expect(log.recovery.damaged).toBeUndefined();
    expect(isSame(await readAll(log), concat(batches))).toBe(true);
    world.crashHard();
    const again = await world.open(SMALL);
    expect(isSame(await readAll(again), concat(batches))).toBe(true);
    expect(again.recovery.damaged).toBeUndefined();
  });

  it("fills a segment that is missing or short, in parts", async () => {
    for (const keep of [undefined, 450, 0]) {
      const { world, log, batches } = await spoiled((bytes) =>
        keep === undefined ? undefined : bytes.slice(0, keep),
      );
      const from = log.recovery.damaged?.fromOffset ?? -1;
      expect(from).toBe(keep === 450 ? 7 : 5);
      for (let offset = from; offset < 10; offset++) {
        expect(log.recovery.damaged).toEqual({ fromOffset: offset, toOffset: 10 });
        await log.replaceRange(batches[offset] as Uint8Array);
      }
      expect(log.recovery.damaged).toBeUndefined();
      expect(isSame(await readAll(log), concat(batches))).toBe(true);
      world.crashHard();
      const again = await world.open(SMALL);
      expect(again.recovery.damaged).toBeUndefined();
      expect(isSame(await readAll(again), concat(batches))).toBe(true);
    }
  });

  it("fills records of which neither file nor checkpoint is left", async () => {
    const world = new World();
    const log = await world.open(SMALL);
    const batches = appendBatches(log, 20);
    await log.close();
    world.files.drop(world.path("00000000000000000005.log"));
    const key = world.store.keys().find((one) => one.endsWith("segment/00000000000000000005"));
    await world.store.write([{ kind: "delete", key: key ?? "" }], { sync: true });
    const again = await world.open(SMALL);
    expect(again.recovery.damaged).toEqual({ fromOffset: 5, toOffset: 10 });
    await again.replaceRange(concat(batches.slice(5, 8)));
    expect(endOf(concat(await again.read(5, 10_000, 20)))).toBe(8);
    expect(again.recovery.damaged).toEqual({ fromOffset: 8, toOffset: 10 });
    await again.replaceRange(concat(batches.slice(8, 10)));
    expect(isSame(await readAll(again), concat(batches))).toBe(true);
    world.crashHard();
    expect(await readAll(await world.open(SMALL))).toEqual(concat(batches));
  });

  it("finds two damages, and repairs one after the other", async () => {
    const { log, batches } = await spoiled((bytes) => flipped(flipped(bytes, 250), 600));
    await expect(log.read(6, 10, 20)).rejects.toThrow("damaged");
    expect(log.recovery.damaged).toEqual({ fromOffset: 6, toOffset: 7 });
    await log.replaceRange(batches[6] as Uint8Array);
    expect(log.recovery.damaged).toEqual({ fromOffset: 8, toOffset: 9 });
    await log.replaceRange(batches[8] as Uint8Array);
    expect(isSame(await readAll(log), concat(batches))).toBe(true);
  });

  it("refuses what does not fit, and stays as it was", async () => {
    const { log, batches } = await spoiled((bytes) => flipped(bytes, 250));
    await expect(log.read(6, 10, 20)).rejects.toThrow("damaged");
    const wrong = [
      batches[5] as Uint8Array,
      batches[7] as Uint8Array,
      concat(batches.slice(6, 8)),
      batch(6, { valueBytes: 99 }),
      flipped((batches[6] as Uint8Array).slice(), 100),
      new Uint8Array(0),
    ];
    for (const bytes of wrong) {
      await expect(log.replaceRange(bytes)).rejects.toMatchObject({ code: "CORRUPT_MESSAGE" });
    }
    expect(log.recovery.damaged).toEqual({ fromOffset: 6, toOffset: 7 });
    expect(log.isFailed).toBe(false);
  });

  it("refuses when nothing is damaged", async () => {
    const world = new World();
    const log = await world.open();
    appendBatches(log, 1);
    await settle();
    await expect(log.replaceRange(batch(0))).rejects.toMatchObject({ code: "CORRUPT_MESSAGE" });
  });

  it("forgets damage that retention deletes or a truncation cuts off", async () => {
    for (const cut of ["delete", "truncate"] as const) {
      const { log } = await spoiled(() => undefined);
      if (cut === "delete") await log.deleteRecordsBefore(10);
      else await log.truncateTo(5);
      expect(log.recovery.damaged).toBeUndefined();
      expect((await readAll(log)).length).toBeGreaterThan(0);
    }
  });
});

describe("repair of a log that is compacted", () => {
  const COMPACTED = { ...SMALL, segmentBytesMax: 600, compaction: COMPACTION };

  /** Thirty records of five keys, one each batch, in full segments of five or six. */
  async function replica(isCompacted: boolean): Promise<{ world: World; log: Log }> {
    const world = new World();
    const log = await world.open(COMPACTED);
    for (let number = 0; number < 30; number++) {
      const key = number % 7 === 0 ? `only ${number}` : `key ${number % 5}`;
      appendKeyed(log, [[key, `${number}`.padEnd(30, ".")]]);
    }
    await log.checkpoint();
    if (isCompacted) await compacted(log, world.time);
    return { world, log };
  }

  /** Flips a byte in the batch at `offset`, and lets a read find it. */
  async function spoil(world: World, log: Log, offset: number): Promise<Log> {
    await log.close();
    const names = world.names().filter((name) => name.endsWith(".log"));
    const name = names.findLast((one) => Number.parseInt(one, 10) <= offset) as string;
    const bytes = world.files.bytes(world.path(name)).slice();
    for (let at = 0; at < bytes.length; at += batchBytes(bytes, at)) {
      if (lastOffset(bytes, at) >= offset) {
        flipped(bytes, at + 70);
        break;
      }
    }
    world.files.put(world.path(name), bytes);
    const again = await world.open(COMPACTED);
    await expect(readAll(again)).rejects.toThrow("damaged");
    return again;
  }

  /** As a broker does it: asks the other replica until nothing is damaged. */
  async function repair(log: Log, other: Log, bytesMax = 10_000): Promise<number> {
    let calls = 0;
    for (let damaged = log.recovery.damaged; damaged !== undefined; calls++) {
      const { fromOffset, toOffset } = damaged;
      const bytes = concat(await other.read(fromOffset, bytesMax, other.logEndOffset));
      let at = 0;
      while (at < bytes.length && lastOffset(bytes, at) < toOffset) at += batchBytes(bytes, at);
      const isBehind = at < bytes.length && baseOffset(bytes, at) >= toOffset;
      await log.replaceRange(bytes.subarray(0, at), isBehind ? toOffset : undefined);
      damaged = log.recovery.damaged;
    }
    return calls;
  }

  async function expectSame(world: World, log: Log, expected: unknown): Promise<void> {
    expect(await seenBatches(log)).toEqual(expected);
    world.crashHard();
    const again = await world.open(COMPACTED);
    expect(again.recovery.damaged).toBeUndefined();
    expect(await seenBatches(again)).toEqual(expected);
    expect(again.logEndOffset).toBe(30);
  }

  it("takes what another replica has left of the range", async () => {
    const { log: other } = await replica(true);
    const left = await seenBatches(other);
    for (const offset of [0, 3, 7, 11, 29]) {
      const { world, log } = await replica(false);
      const before = await seenBatches(log);
      const spoiledLog = await spoil(world, log, offset);
      expect(spoiledLog.recovery.damaged).toEqual({ fromOffset: offset, toOffset: offset + 1 });
      await repair(spoiledLog, other);
      const kept = left.some(({ baseOffset: base }) => base === offset);
      await expectSame(
        world,
        spoiledLog,
        before.filter(({ baseOffset: base }) => base !== offset || kept),
      );
    }
  });

  it("takes the batches that this replica had no more", async () => {
    const { log: other } = await replica(false);
    const { world, log } = await replica(true);
    const before = await seenBatches(log);
    const all = await seenBatches(other);
    const spoiledLog = await spoil(world, log, 14);
    const damaged = spoiledLog.recovery.damaged ?? { fromOffset: -1, toOffset: -1 };
    expect(damaged.toOffset).toBeGreaterThan(14);
    await repair(spoiledLog, other, 10);
    const isDamaged = (offset: number): boolean =>
      offset >= damaged.fromOffset && offset < damaged.toOffset;
    const expected = [
      ...all.filter(({ baseOffset: base }) => isDamaged(base)),
      ...before.filter(({ baseOffset: base }) => !isDamaged(base)),
    ].sort((one, two) => one.baseOffset - two.baseOffset);
    await expectSame(world, spoiledLog, expected);
  });

  it("repairs a segment that is lost, and two damages in one", async () => {
    const { log: other } = await replica(true);
    const { world, log } = await replica(false);
    await log.close();
    const [first] = world.names().filter((name) => name.endsWith(".log")) as [string];
    world.files.drop(world.path(first));
    const again = await world.open(COMPACTED);
    expect(again.recovery.damaged?.fromOffset).toBe(0);
    await repair(again, other, 10);
    expect(again.recovery.damaged).toBeUndefined();
    const two = await spoil(world, again, 7);
    const three = await spoil(world, two, 9).catch(() => two);
    await repair(three, other);
    world.crashHard();
    const last = await world.open(COMPACTED);
    expect(last.recovery.damaged).toBeUndefined();
    const seen = await seenBatches(last);
    for (const { baseOffset: base } of await seenBatches(other)) {
      expect(seen.map((one) => one.baseOffset)).toContain(base);
    }
  });
});
