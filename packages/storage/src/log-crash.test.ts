import { describe, expect, it } from "vitest";
import type { Log } from "./log.js";
import { failure } from "./testing/memory-file-system.js";
import { batch, concat, isSame, readAll, seeded, settle, World } from "./testing/world.js";

const SMALL = { segmentBytesMax: 500, tailBytesMax: 0, fileDeleteDelayMs: 10 };

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

/** What a run had been promised when it ended. */
interface Promised {
  durableEnd: number;
  start: number;
  /** Cut off for good, if the truncation was answered. */
  truncatedTo: number | undefined;
}

/** Rolls twice, checkpoints, deletes the first segment, and truncates into the second. */
async function busyRun(world: World, promised: Promised): Promise<void> {
  const log = await world.open(SMALL);
  const append = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) log.append(batch(log.logEndOffset));
    await settle();
    promised.durableEnd = Math.max(promised.durableEnd, log.durableEndOffset);
  };
  try {
    await append(3);
    await append(4);
    world.time.advance(5000);
    await settle();
    await append(3);
    await log.deleteRecordsBefore(3);
    promised.start = 3;
    world.time.advance(10);
    await settle();
    await log.truncateTo(5);
    promised.truncatedTo = 5;
    promised.durableEnd = 5;
    for (let index = 0; index < 3; index++) log.append(batch(log.logEndOffset, { seed: 1 }));
    await settle();
    promised.durableEnd = log.durableEndOffset;
    await log.close();
  } catch (error) {
    expect(String(error)).toMatch(/ECRASHED|log has failed/);
    // What became durable before the end still counts, unless it was being cut.
    if (promised.truncatedTo === undefined) {
      promised.durableEnd = Math.max(Math.min(promised.durableEnd, 5), 0);
    }
  }
}

async function checkKept(log: Log, promised: Promised): Promise<void> {
  expect(log.recovery.damaged).toBeUndefined();
  expect(log.isFailed).toBe(false);
  expect(log.logEndOffset).toBeGreaterThanOrEqual(promised.durableEnd);
  expect(log.logStartOffset).toBeGreaterThanOrEqual(promised.start);
  expect([0, 3]).toContain(log.logStartOffset);
  const { logStartOffset: start, logEndOffset: end } = log;
  const first = Array.from({ length: 10 }, (_, offset) => batch(offset));
  const second = Array.from({ length: 3 }, (_, index) => batch(5 + index, { seed: 1 }));
  const before = concat(first.slice(start, end));
  const after = concat([...first.slice(start, 5), ...second.slice(0, Math.max(0, end - 5))]);
  const found = await readAll(log);
  if (promised.truncatedTo === undefined) {
    expect(isSame(found, before) || isSame(found, after)).toBe(true);
  } else {
    expect(isSame(found, after)).toBe(true);
  }
}

describe("a crash at every operation of disk and store", () => {
  it("loses nothing that was promised, through rolls, deletion and truncation", SLOW, async () => {
    const whole = new World();
    const done: Promised = { durableEnd: 0, start: 0, truncatedTo: undefined };
    let operations = 0;
    whole.files.before = (operation) => {
      if (operation !== "read" && operation !== "open") operations += 1;
    };
    whole.store.before = () => {
      operations += 1;
    };
    await busyRun(whole, done);
    expect(done).toEqual({ durableEnd: 8, start: 3, truncatedTo: 5 });
    expect(operations).toBeGreaterThan(60);
    for (let count = 0; count <= operations; count++) {
      for (let seed = 0; seed < 4; seed++) {
        const world = new World();
        const promised: Promised = { durableEnd: 0, start: 0, truncatedTo: undefined };
        allow(world, count);
        await busyRun(world, promised).catch((error: unknown) => {
          // Even the opening may be what fails.
          expect(String(error)).toContain("ECRASHED");
        });
        world.crash(seeded(seed));
        const log = await world.open(SMALL);
        await checkKept(log, promised);
        // And it goes on: a second crash finds what was appended after the first.
        log.append(batch(log.logEndOffset, { seed: 2, epoch: 1 }));
        await settle();
        const { logEndOffset } = log;
        expect(log.durableEndOffset).toBe(logEndOffset);
        world.crashHard();
        expect((await world.open(SMALL)).logEndOffset).toBe(logEndOffset);
      }
    }
  });

  it(
    "fails loudly at every failing operation, and calls nothing durable that is not",
    SLOW,
    async () => {
      for (const code of ["EIO", "ENOSPC"]) {
        for (let count = 1; count < 60; count++) {
          const world = new World();
          const log = await world.open(SMALL);
          let done = 0;
          world.files.before = (operation) => {
            if (operation === "read" || operation === "open") return;
            done += 1;
            if (done === count) throw failure(code, "disk");
          };
          let durable = 0;
          for (let index = 0; index < 12 && !log.isFailed; index++) {
            log.append(batch(log.logEndOffset));
            await settle();
            durable = Math.max(durable, log.durableEndOffset);
            if (index === 6 && !log.isFailed) await log.checkpoint().catch(() => undefined);
          }
          expect(world.failures.length).toBe(log.isFailed ? 1 : 0);
          world.files.before = undefined;
          await log.close().catch(() => undefined);
          world.crashHard();
          const again = await world.open(SMALL);
          expect(again.recovery.damaged).toBeUndefined();
          expect(again.logEndOffset).toBeGreaterThanOrEqual(durable);
          if (!log.isFailed) expect(again.logEndOffset).toBe(12);
          const due = Array.from({ length: again.logEndOffset }, (_, offset) => batch(offset));
          expect(isSame(await readAll(again), concat(due))).toBe(true);
        }
      }
    },
  );
});
