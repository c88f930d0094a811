import type { KeyValueStore } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import type { NodePorts } from "../node-ports.js";
import { World } from "../world.js";
import { compareKeys } from "./sim-key-value-store.js";

async function runOn(world: World, act: (ports: NodePorts) => Promise<void>): Promise<void> {
  let isDone = false;
  world.startNode("a", async (ports) => {
    await act(ports);
    isDone = true;
    return { close: async () => undefined };
  });
  await world.runUntil(() => isDone, { withinMs: 60_000 });
  expect(world.findings()).toEqual([]);
  expect(isDone).toBe(true);
}

const put = (key: string, ...value: number[]) => {
  return { kind: "put", key, value: Uint8Array.from(value) } as const;
};

async function keysOf(store: KeyValueStore): Promise<string> {
  return (await store.range("", "~")).map(([key]) => key).join(" ");
}

describe("a simulated key-value store", () => {
  it("applies batches in order and lists keys by their bytes", async () => {
    const world = new World({ seed: 1 });
    await runOn(world, async (ports) => {
      const store = await ports.openKeyValueStore("/data/raft");
      const first = store.write([put("b", 1), put("a", 1), put("c", 1)], { sync: false });
      const second = store.write([put("a", 2), { kind: "delete", key: "c" }], { sync: true });
      await Promise.all([first, second]);
      expect(await store.get("a")).toEqual(Uint8Array.of(2));
      expect(await store.get("c")).toBeUndefined();
      expect(await store.range("a", "b")).toEqual([["a", Uint8Array.of(2)]]);
      expect(await keysOf(store)).toBe("a b");
    });
  });

  it("shares no bytes with its callers", async () => {
    const world = new World({ seed: 1 });
    await runOn(world, async (ports) => {
      const store = await ports.openKeyValueStore("/data/raft");
      const value = Uint8Array.of(1);
      const written = store.write([{ kind: "put", key: "a", value }], { sync: true });
      value[0] = 9;
      await written;
      const read = await store.get("a");
      read?.fill(7);
      expect(await store.get("a")).toEqual(Uint8Array.of(1));
    });
  });

  it("loses in a power cut a suffix of the batches after the last sync, each as a whole", async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const world = new World({ seed });
      await runOn(world, async (ports) => {
        const store = await ports.openKeyValueStore("/data/raft");
        await store.write([put("a")], { sync: true });
        await store.write([put("b"), put("c")], { sync: false });
        await store.write([put("d")], { sync: false });
      });
      world.crash("a");
      await runOn(world, async (ports) => {
        seen.add(await keysOf(await ports.openKeyValueStore("/data/raft")));
      });
    }
    expect(seen).toEqual(new Set(["a", "a b c", "a b c d"]));
  });

  it("keeps every finished batch over a crash of the process alone", async () => {
    const world = new World({ seed: 1 });
    await runOn(world, async (ports) => {
      const store = await ports.openKeyValueStore("/data/raft");
      await store.write([put("a")], { sync: false });
    });
    world.crash("a", { losesUnsynced: false });
    await runOn(world, async (ports) => {
      expect(await keysOf(await ports.openKeyValueStore("/data/raft"))).toBe("a");
    });
  });

  it("has one holder at a time, and is free once the holder closed it or died", async () => {
    const world = new World({ seed: 1 });
    await runOn(world, async (ports) => {
      const store = await ports.openKeyValueStore("/data/raft");
      await expect(ports.openKeyValueStore("/data/raft")).rejects.toThrow(/in use by another/);
      await store.close();
      await store.close();
      await expect(store.get("a")).rejects.toThrow(/closed/);
      await ports.openKeyValueStore("/data/raft");
    });
    world.crash("a");
    await runOn(world, async (ports) => {
      await ports.openKeyValueStore("/data/raft");
    });
  });

  it("refuses every write after one that failed, until it is opened anew", async () => {
    const world = new World({ seed: 1 });
    await runOn(world, async (ports) => {
      const store = await ports.openKeyValueStore("/data/raft");
      world.machine("a").diskFaults.failNext("sync");
      await expect(store.write([put("a")], { sync: true })).rejects.toMatchObject({ code: "EIO" });
      await expect(store.write([put("b")], { sync: true })).rejects.toMatchObject({ code: "EIO" });
      await store.close();
      const again = await ports.openKeyValueStore("/data/raft");
      await again.write([put("c")], { sync: true });
      expect(await again.get("c")).toBeDefined();
    });
  });

  it("compares keys as their UTF-8 bytes compare", () => {
    const keys = ["", "a", "ab", "b", "\u00e9", "\uff5e", "\u{1f600}", "\u{1f600}a"];
    for (const [one, key] of keys.entries()) {
      for (const [other, otherKey] of keys.entries()) {
        const expected = Buffer.compare(Buffer.from(key), Buffer.from(otherKey));
        expect(Math.sign(compareKeys(key, otherKey))).toBe(expected);
        expect(Math.sign(expected)).toBe(Math.sign(one - other));
      }
    }
  });
});
