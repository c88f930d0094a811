/** The log on real files and a real store: what the doubles of the other tests stand for. */
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  crc32c,
  nodeClock,
  nodeCompressors,
  nodeFileSystem,
  nodeTimers,
  nullLogger,
} from "@strandline/platform";
import { BatchEncoder, compressionOf, stampBatch } from "@strandline/record";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLevelStore } from "./level-store.js";
import { Log } from "./log.js";
import type { LogConfig, LogPorts } from "./log-options.js";
import { batch, CONFIG, concat, endOf, isSame, readAll } from "./testing/world.js";

let root = "";
let ports: LogPorts;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "strandline-log-"));
  ports = {
    fileSystem: nodeFileSystem,
    clock: nodeClock,
    timers: nodeTimers,
    crc32c,
    checkpoints: await openLevelStore(join(root, "checkpoints")),
    logger: nullLogger,
    compressors: nodeCompressors,
  };
});

afterEach(async () => {
  await ports.checkpoints.close();
  await rm(root, { recursive: true, force: true });
});

async function openLog(config: Partial<LogConfig> = {}): Promise<Log> {
  return await Log.open(ports, {
    directory: join(root, "topics", "t-0"),
    key: "t-0",
    config: { ...CONFIG, segmentBytesMax: 20_000, tailBytesMax: 0, ...config },
    observer: { onDurable: () => undefined, onFailed: () => undefined },
  });
}

describe("a log on the disk", () => {
  it("keeps its records over restarts, cuts, deletions and repair", async () => {
    const batches = Array.from({ length: 300 }, (_, offset) => batch(offset, { valueBytes: 300 }));
    let log = await openLog();
    for (const one of batches) log.append(one.slice());
    await log.close();
    log = await openLog();
    expect(log.recovery).toEqual({ cutBytes: 0, recoveredFrom: 300, damaged: undefined });
    expect(isSame(await readAll(log), concat(batches))).toBe(true);
    await log.truncateTo(250);
    await log.deleteRecordsBefore(120);
    await log.close();
    log = await openLog();
    expect(isSame(await readAll(log), concat(batches.slice(120, 250)))).toBe(true);
    await log.close();

    const base = `${"0".repeat(17)}${String(Math.floor(180 / 54) * 54).padStart(3, "0")}`;
    const file = await open(join(root, "topics", "t-0", `${base}.log`), "r+");
    await file.write(new Uint8Array([0xff, 0xff]), 0, 2, 400);
    await file.close();
    log = await openLog();
    const from = Number(base);
    await expect(log.read(from + 1, 10, 250)).rejects.toMatchObject({
      code: "KAFKA_STORAGE_ERROR",
    });
    expect(log.recovery.damaged).toEqual({ fromOffset: from + 1, toOffset: from + 2 });
    await log.replaceRange((batches[from + 1] as Uint8Array).slice());
    expect(isSame(await readAll(log), concat(batches.slice(120, 250)))).toBe(true);
    await log.close();
  });

  it("makes files that only their owner can read", async () => {
    const log = await openLog();
    log.append(batch(0));
    await log.close();
    const directory = join(root, "topics", "t-0");
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const path = join(directory, "00000000000000000000.log");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("finds a time inside of compressed batches", async () => {
    const { compressor } = compressionOf(nodeCompressors);
    for (const name of ["gzip", "snappy", "lz4"] as const) {
      const log = await openLog();
      await log.restartAt(0);
      for (let index = 0; index < 20; index++) {
        const encoder = new BatchEncoder();
        for (let record = 0; record < 10; record++) {
          const timestampMs = index * 100 + record * 10;
          encoder.append({ key: null, value: new Uint8Array(50).fill(7), timestampMs });
        }
        const bytes = encoder.finish({ crc32c, compression: compressor(name) }).slice();
        stampBatch(bytes, 0, index * 10, 0);
        log.append(bytes);
      }
      const found = await log.offsetForTimestamp(1234, 200);
      expect(found).toEqual({ offset: 124, timestampMs: 1240, leaderEpoch: 0 });
      await log.close();
    }
  });

  it("serves readers while it appends, rolls, retains and cuts", { timeout: 60_000 }, async () => {
    const log = await openLog({ retentionBytes: 100_000, tailBytesMax: 5000 });
    let isDone = false;
    const appending = (async () => {
      for (let round = 0; round < 60; round++) {
        for (let index = 0; index < 20; index++) {
          log.append(batch(log.logEndOffset, { valueBytes: 500, seed: round }));
        }
        await log.checkpoint();
        if (round % 7 === 3) await log.applyRetention(log.durableEndOffset);
        if (round % 10 === 9) await log.truncateTo(log.logEndOffset - 5);
      }
      isDone = true;
    })();
    let checked = 0;
    while (!isDone) {
      // Reads from memory alone would leave the disk no turn.
      await new Promise((resolve) => setImmediate(resolve));
      const from = log.logStartOffset + Math.floor((log.logEndOffset - log.logStartOffset) / 2);
      try {
        const found = concat(await log.read(from, 50_000, log.durableEndOffset));
        if (found.length > 0) expect(endOf(found)).toBeGreaterThan(from);
        checked += found.length;
      } catch (error) {
        expect(error).toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
      }
    }
    await appending;
    expect(checked).toBeGreaterThan(0);
    expect(log.recovery.damaged).toBeUndefined();
    await log.close();
    const again = await openLog();
    expect(again.recovery).toMatchObject({ cutBytes: 0, damaged: undefined });
    expect(endOf(await readAll(again))).toBe(again.logEndOffset);
    await again.close();
  });
});
