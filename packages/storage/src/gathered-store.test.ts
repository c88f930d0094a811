import type { KeyValueOperation } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import { GatheredStore } from "./gathered-store.js";
import { failure } from "./testing/memory-file-system.js";
import { MemoryStore } from "./testing/memory-store.js";

const put = (key: string, bytes = 1): KeyValueOperation => {
  return { kind: "put", key, value: new Uint8Array(bytes) };
};

describe(GatheredStore, () => {
  it("writes at once what comes while nothing is written, and the rest together", async () => {
    const inner = new MemoryStore();
    const store = new GatheredStore(inner);
    const keys = Array.from({ length: 1000 }, (_, index) => `k${index}`);
    await Promise.all(keys.map(async (key) => await store.write([put(key)], { sync: true })));
    expect(inner.writeCount).toBe(2);
    expect(inner.keys()).toHaveLength(1000);
    expect(await store.get("k7")).toEqual(new Uint8Array(1));
    expect(await store.range("k1", "k10")).toHaveLength(1);
  });

  it("applies writes in the order they came", async () => {
    const inner = new MemoryStore();
    const store = new GatheredStore(inner);
    const writes = [store.write([put("other")], { sync: false })];
    writes.push(store.write([put("a"), put("b")], { sync: false }));
    writes.push(store.write([{ kind: "delete", key: "a" }], { sync: false }));
    await Promise.all(writes);
    expect(inner.keys()).toEqual(["b", "other"]);
  });

  it("syncs what asked for it, whatever it goes out with", async () => {
    const inner = new MemoryStore();
    const store = new GatheredStore(inner);
    const first = store.write([put("first")], { sync: false });
    const synced = store.write([put("synced")], { sync: true });
    const later = store.write([put("later")], { sync: false });
    await Promise.all([first, synced, later]);
    await store.write([put("last")], { sync: false });
    expect(inner.crash(() => 0).keys()).toEqual(["first", "later", "synced"]);
  });

  it("fails all that went out together, and goes on with what comes after", async () => {
    const inner = new MemoryStore();
    const store = new GatheredStore(inner);
    inner.before = () => {
      if (inner.writeCount === 2) throw failure("EIO", "disk");
    };
    const writes = ["a", "b", "c"].map((key) => store.write([put(key)], { sync: true }));
    const settled = await Promise.allSettled(writes);
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    await store.write([put("d")], { sync: true });
    expect(inner.keys()).toEqual(["a", "d"]);
  });

  it("splits what would be too large for one write", async () => {
    const inner = new MemoryStore();
    const store = new GatheredStore(inner);
    const writes = Array.from({ length: 21 }, async (_, index) => {
      await store.write([put(`k${index}`, 100_000)], { sync: false });
    });
    await Promise.all(writes);
    expect(inner.writeCount).toBe(3);
  });

  it("closes behind the writes it was given", async () => {
    const inner = new MemoryStore();
    const store = new GatheredStore(inner);
    const writes = ["a", "b"].map((key) => store.write([put(key)], { sync: false }));
    await store.close();
    await Promise.all(writes);
    expect(inner.keys()).toEqual(["a", "b"]);
  });
});
