import { ProducerStates } from "@strandline/replication";
import { describe, expect, it } from "vitest";
import { encode, LogCheckpoints, type LogState } from "./log-checkpoints.js";
import { MemoryStore } from "./testing/memory-store.js";

const FACTS = {
  nextOffset: 10,
  sizeBytes: 1000,
  maxTimestampMs: 5,
  maxTimestampOffset: 3,
  firstAppendMs: 1,
  lastAppendMs: 2,
};

const STATE: LogState = {
  version: 1,
  logStartOffset: 2,
  highWatermark: 8,
  recoveryPoint: { offset: 10, baseOffset: 0, position: 1000 },
  epochs: [{ epoch: 0, startOffset: 0 }],
  active: FACTS,
  isClean: true,
  hasGaps: true,
  cleanedTo: 7,
};

async function put(store: MemoryStore, key: string, value: unknown): Promise<void> {
  const bytes = new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
  await store.write([{ kind: "put", key, value: bytes }], { sync: true });
}

describe(LogCheckpoints, () => {
  it("gives back what it stored, for its own log only", async () => {
    const store = new MemoryStore();
    const one = new LogCheckpoints(store, "t-1");
    const other = new LogCheckpoints(store, "t-10");
    const snapshot = new ProducerStates().snapshot();
    const operations = [
      one.putState(STATE),
      one.putSegment(20, FACTS),
      one.putProducers(7, encode(snapshot)),
      one.putProducers(30, encode(snapshot)),
      other.putSegment(5, FACTS),
    ];
    await one.write(operations, { sync: true });
    expect(await one.load()).toEqual({
      state: STATE,
      segments: new Map([[20, FACTS]]),
      swaps: [],
      producerOffsets: [7, 30],
    });
    expect(await one.producers(7)).toEqual(snapshot);
    expect(await one.producers(8)).toBeUndefined();
    await one.clear();
    expect(await one.load()).toEqual({
      state: undefined,
      segments: new Map(),
      producerOffsets: [],
      swaps: [],
    });
    expect((await other.load()).segments.size).toBe(1);
  });

  it("takes what is malformed for missing", async () => {
    const spoiled: unknown[] = [
      "",
      "{",
      "null",
      "[]",
      { ...STATE, version: 2 },
      { ...STATE, logStartOffset: -1 },
      { ...STATE, logStartOffset: 1.5 },
      { ...STATE, highWatermark: "8" },
      { ...STATE, recoveryPoint: { offset: 10, baseOffset: 0 } },
      { ...STATE, recoveryPoint: null },
      { ...STATE, epochs: [{ epoch: -1, startOffset: 0 }] },
      { ...STATE, epochs: {} },
      { ...STATE, active: { ...FACTS, sizeBytes: null } },
      { ...STATE, isClean: 1 },
    ];
    for (const value of spoiled) {
      const store = new MemoryStore();
      await put(store, "log/t-1/state", value);
      await put(store, "log/t-1/segment/00000000000000000020", { ...FACTS, nextOffset: -4 });
      await put(store, "log/t-1/producers/nonsense", {});
      await put(store, "log/t-1/producers/00000000000000000007", { version: 1, producers: [{}] });
      const checkpoints = new LogCheckpoints(store, "t-1");
      const loaded = await checkpoints.load();
      expect(loaded.state).toBeUndefined();
      expect(loaded.segments.size).toBe(0);
      expect(loaded.producerOffsets).toEqual([7]);
      expect(await checkpoints.producers(7)).toBeUndefined();
    }
  });
});
