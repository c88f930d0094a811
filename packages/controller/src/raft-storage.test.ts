import type { KeyValueOperation, KeyValueStore } from "@strandline/platform";
import type { Entry, Ready } from "@strandline/raft";
import { describe, expect, it } from "vitest";
import { RaftStorage } from "./raft-storage.js";

/** Keeps everything in memory, and counts the synced writes. */
class MemoryStore implements KeyValueStore {
  readonly entries = new Map<string, Uint8Array>();
  syncCount = 0;

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.entries.get(key);
  }

  async write(operations: readonly KeyValueOperation[], options: { sync: boolean }): Promise<void> {
    if (options.sync) this.syncCount += 1;
    for (const operation of operations) {
      if (operation.kind === "put") this.entries.set(operation.key, operation.value);
      else this.entries.delete(operation.key);
    }
  }

  async range(from: string, to: string): Promise<[string, Uint8Array][]> {
    return [...this.entries]
      .filter(([key]) => key >= from && key < to)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  async close(): Promise<void> {}
}

function entry(index: number, term: number): Entry {
  return { index, term, type: "data", data: Uint8Array.of(index) };
}

function ready(part: Partial<Ready>): Ready {
  return {
    entries: [],
    mustSync: true,
    messages: [],
    committed: [],
    readStates: [],
    leader: -1,
    role: "follower",
    ...part,
  };
}

const HARD_STATE = { term: 2, vote: 1, commit: 0 };

describe(RaftStorage, () => {
  it("has nothing to restore for a node that never took part", async () => {
    expect(await new RaftStorage(new MemoryStore()).restore()).toBeUndefined();
  });

  it("restores what it saved, in order past ten entries", async () => {
    const store = new MemoryStore();
    const entries = Array.from({ length: 12 }, (_, at) => entry(at + 1, 1));
    await new RaftStorage(store).save(ready({ hardState: HARD_STATE, entries }));
    expect(await new RaftStorage(store).restore()).toEqual({ hardState: HARD_STATE, entries });
    expect(store.syncCount).toBe(1);
  });

  it("deletes the entries that a new leader's replace", async () => {
    const store = new MemoryStore();
    const storage = new RaftStorage(store);
    await storage.save(
      ready({ hardState: HARD_STATE, entries: [entry(1, 1), entry(2, 1), entry(3, 1)] }),
    );
    await storage.save(ready({ entries: [entry(2, 2)] }));
    const restored = await new RaftStorage(store).restore();
    expect(restored?.entries.map(({ index, term }) => [index, term])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it("drops the log below a snapshot", async () => {
    const store = new MemoryStore();
    const storage = new RaftStorage(store);
    await storage.save(ready({ hardState: HARD_STATE, entries: [entry(1, 1), entry(2, 1)] }));
    const snapshot = { index: 1, term: 1, voters: [1, 2, 3], data: Uint8Array.of(9) };
    await storage.compact(snapshot);
    const restored = await new RaftStorage(store).restore();
    expect(restored?.snapshot).toEqual(snapshot);
    expect(restored?.entries.map(({ index }) => index)).toEqual([2]);
  });

  it("refuses a log with a hole: such a node must not vote", async () => {
    const store = new MemoryStore();
    await new RaftStorage(store).save(
      ready({ hardState: HARD_STATE, entries: [entry(1, 1), entry(2, 1)] }),
    );
    store.entries.delete("entry/0000000000000001");
    await expect(new RaftStorage(store).restore()).rejects.toThrow("damaged");
  });
});
