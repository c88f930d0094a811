import type { TopicId } from "@strandline/model";
import { crc32c, nullLogger, type Transport } from "@strandline/platform";
import { BatchEncoder, stampBatch } from "@strandline/record";
import type { Log } from "@strandline/storage";
import { describe, expect, it } from "vitest";
import { type RepairPorts, repairLog } from "./log-repair.js";

/** One batch of one record at `offset`. */
function batch(offset: number): Uint8Array {
  const encoder = new BatchEncoder();
  encoder.append({ key: null, value: Uint8Array.of(offset), timestampMs: 1 });
  const bytes = encoder.finish({ crc32c });
  stampBatch(bytes, 0, offset, 1);
  return bytes;
}

/** A log whose offsets [from, to) are damaged, and that is repaired batch by batch. */
function damagedLog(from: number, to: number) {
  const state = { from, repaired: [] as number[] };
  const log = {
    get recovery() {
      const isDamaged = state.from < to;
      const damaged = { fromOffset: state.from, toOffset: to };
      return { cutBytes: 0, recoveredFrom: 0, ...(isDamaged ? { damaged } : {}) };
    },
    replaceRange: async (batches: Uint8Array): Promise<void> => {
      const count = batches.length / batch(0).length;
      for (let at = 0; at < count; at += 1) state.repaired.push(state.from + at);
      state.from += count;
    },
  };
  return { log: log as unknown as Log, state };
}

/** Time that passes as soon as somebody waits, and peers that answer `answers` in turn. */
function ports(answers: (Uint8Array | Error)[]): RepairPorts {
  let nowMs = 0;
  const transport = {
    call: async () => {
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("no peer");
      return { batches: answer, highWatermark: 100 };
    },
  } as unknown as Transport;
  return {
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
    timers: {
      after: (delayMs, callback) => {
        nowMs += delayMs;
        queueMicrotask(callback);
        return { cancel: () => undefined };
      },
    },
    transport,
    logger: nullLogger,
  };
}

const TARGET = {
  key: "topic-0",
  topicId: "topic" as TopicId,
  partition: 0,
  peers: () => ["peer:1"],
  isOver: () => false,
};

describe(repairLog, () => {
  it("has nothing to do for a whole log", async () => {
    expect(await repairLog(ports([]), damagedLog(5, 5).log, TARGET, 1_000)).toBe(true);
  });

  it("takes only what lies within the damaged range", async () => {
    const { log, state } = damagedLog(3, 5);
    const three = new Uint8Array([...batch(3), ...batch(4), ...batch(5)]);
    expect(await repairLog(ports([three]), log, TARGET, 1_000)).toBe(true);
    expect(state.repaired).toEqual([3, 4]);
  });

  it("asks again until a peer answers", async () => {
    const { log, state } = damagedLog(3, 5);
    const answers = [new Error("down"), batch(3), new Error("down"), batch(4)];
    expect(await repairLog(ports(answers), log, TARGET, 60_000)).toBe(true);
    expect(state.repaired).toEqual([3, 4]);
  });

  it("says how far a compacted peer covers the range", async () => {
    const calls: unknown[] = [];
    const state = { isDamaged: true };
    const log = {
      get recovery() {
        return state.isDamaged ? { damaged: { fromOffset: 3, toOffset: 9 } } : {};
      },
      replaceRange: async (batches: Uint8Array, coveredTo?: number): Promise<void> => {
        calls.push([batches.length, coveredTo]);
        state.isDamaged = coveredTo === undefined;
      },
    };
    const one = batch(0).length;
    const answers = [batch(3), new Uint8Array([...batch(5), ...batch(11)])];
    await repairLog(ports(answers), log as unknown as Log, TARGET, 60_000);
    expect(calls).toEqual([
      [one, undefined],
      [one, 9],
    ]);
  });

  it("gives up in time when nobody has the records", async () => {
    expect(await repairLog(ports([]), damagedLog(3, 5).log, TARGET, 2_000)).toBe(false);
  });
});
