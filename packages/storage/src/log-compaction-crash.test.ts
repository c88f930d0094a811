import { describe, expect, it } from "vitest";
import type { Log } from "./log.js";
import { appendKeyed, COMPACTION, compacted, type Keyed, seenRecords } from "./testing/keyed.js";
import { failure } from "./testing/memory-file-system.js";
import { seeded, settle, World } from "./testing/world.js";

const SMALL = {
  segmentBytesMax: 400,
  tailBytesMax: 0,
  fileDeleteDelayMs: 10,
  compaction: COMPACTION,
};

/** Hundreds of crashes: far more than a test's usual time on a busy machine. */
const SLOW = { timeout: 120_000 };

/** Lets `count` operations of disk and store happen, and then none ever again. */
function allow(world: World, count: number): void {
  let done = 0;
  const step = (): void => {
    done += 1;
    if (done > count) throw failure("ECRASHED", "");
  };
  world.files.before = (operation) => {
    if (operation !== "read" && operation !== "open") step();
  };
  world.store.before = step;
}

function countOperations(world: World): () => number {
  let operations = 0;
  world.files.before = (operation) => {
    if (operation !== "read" && operation !== "open") operations += 1;
  };
  world.store.before = () => {
    operations += 1;
  };
  return () => operations;
}

/** Three keys over and over, with a tombstone now and then. */
const WRITTEN: readonly Keyed[] = Array.from({ length: 16 }, (_, number) => [
  "abc"[number % 3] as string,
  number % 5 === 4 ? null : `${number}`.padEnd(40, "."),
]);

/** A log of five segments, of which two rounds of compaction each make something else. */
async function prepared(world: World): Promise<Log> {
  const log = await world.open(SMALL);
  for (const record of WRITTEN) {
    appendKeyed(log, [record], { producerId: 5, baseSequence: log.logEndOffset });
    await settle();
  }
  await log.checkpoint();
  return log;
}

/** Two rounds, the second after the tombstones have had their time, and records in between. */
async function busyRun(world: World, log: Log): Promise<number> {
  let acknowledged = log.durableEndOffset;
  await compacted(log, world.time);
  appendKeyed(log, [["a", "z".repeat(300)]]);
  appendKeyed(log, [["d", "z".repeat(300)]]);
  await settle();
  acknowledged = log.durableEndOffset;
  await log.checkpoint();
  world.time.advance(2000);
  await compacted(log, world.time);
  await log.close();
  return acknowledged;
}

/** The last record of each key, by reading from the start; a key whose last is a tombstone is out. */
async function latest(log: Log): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const text of Object.values(await seenRecords(log))) {
    const [key, value] = text.split("=") as [string, string | undefined];
    if (value === undefined) delete values[key];
    else values[key] = value;
  }
  return values;
}

describe("a crash at every operation of a compaction", () => {
  it("leaves the old segments or the new, and every last value", SLOW, async () => {
    const whole = new World();
    const ready = await prepared(whole);
    expect(ready.segmentCount).toBe(5);
    const written = await seenRecords(ready);
    const operations = countOperations(whole);
    await busyRun(whole, ready);
    expect(operations()).toBeGreaterThan(40);
    for (let count = 0; count <= operations(); count++) {
      for (const isKilled of [count % 2 === 0, false]) {
        const world = new World();
        const log = await prepared(world);
        allow(world, count);
        await busyRun(world, log).catch((error: unknown) => {
          expect(String(error)).toMatch(/ECRASHED|log has failed/);
        });
        if (isKilled) world.kill();
        else world.crash(seeded(count));
        const again = await world.open(SMALL);
        expect(again.recovery.damaged).toBeUndefined();
        expect(again.logStartOffset).toBe(0);
        expect(again.logEndOffset).toBeGreaterThanOrEqual(WRITTEN.length);
        const seen = await seenRecords(again);
        for (const [offset, text] of Object.entries(seen)) {
          if (Number(offset) < WRITTEN.length) expect(text).toBe(written[Number(offset)]);
        }
        const values = await latest(again);
        expect(values["b"]).toBe(`${13}`.padEnd(40, "."));
        expect(values["c"]).toBeUndefined();
        const a = again.logEndOffset > WRITTEN.length ? "z".repeat(300) : `${15}`.padEnd(40, ".");
        expect(values["a"]).toBe(a);
        expect(again.producers.snapshot().producers[0]?.batches.at(-1)).toMatchObject({
          lastSequence: WRITTEN.length - 1,
        });
        // And it goes on: another round, and another crash, lose nothing either.
        await compacted(again, world.time);
        expect(await latest(again)).toEqual(values);
        world.crashHard();
        const last = await world.open(SMALL);
        expect(last.recovery.damaged).toBeUndefined();
        expect(await latest(last)).toEqual(values);
        expect(world.names().filter((name) => name.endsWith(".cleaned"))).toEqual([]);
      }
    }
  });

  it(
    "fails the log at a failure half way through a swap, and no round loses anything",
    SLOW,
    async () => {
      for (const code of ["EIO", "ENOSPC"]) {
        for (let count = 1; count < 60; count++) {
          const world = new World();
          const log = await prepared(world);
          const values = await latest(log);
          let done = 0;
          world.files.before = (operation) => {
            if (operation === "read" || operation === "open") return;
            done += 1;
            if (done === count) throw failure(code, "disk");
          };
          await compacted(log, world.time).catch((error: unknown) => {
            expect(String(error)).toContain(code);
          });
          world.files.before = undefined;
          if (!log.isFailed) expect(await latest(log)).toEqual(values);
          await log.close().catch(() => undefined);
          world.crashHard();
          const again = await world.open(SMALL);
          expect(again.recovery.damaged).toBeUndefined();
          expect(await latest(again)).toEqual(values);
          expect(again.logEndOffset).toBe(WRITTEN.length);
        }
      }
    },
  );
});
