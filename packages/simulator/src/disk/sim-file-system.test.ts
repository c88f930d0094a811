import type { FileHandle } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import type { NodePorts } from "../node-ports.js";
import { World } from "../world.js";

/** Runs `act` as the process of a node named "a". */
async function onNode(
  world: World,
  act: (ports: NodePorts) => Promise<void>,
): Promise<{ isDone: () => boolean }> {
  let isDone = false;
  world.startNode("a", async (ports) => {
    await act(ports);
    isDone = true;
    return { close: async () => undefined };
  });
  await world.runUntil(() => isDone, { withinMs: 60_000 });
  return { isDone: () => isDone };
}

async function opened(ports: NodePorts): Promise<FileHandle> {
  await ports.fileSystem.makeDirectory("/data");
  await ports.fileSystem.syncDirectory("/");
  const handle = await ports.fileSystem.open("/data/log", { create: true });
  await ports.fileSystem.syncDirectory("/data");
  return handle;
}

const hello = Uint8Array.of(1, 2, 3, 4);

describe("a simulated file system", () => {
  it("reads back what was written, and every operation takes its time", async () => {
    const world = new World({ seed: 1 });
    const found = new Uint8Array(6);
    await onNode(world, async (ports) => {
      const handle = await opened(ports);
      await handle.write([hello, hello.subarray(0, 2)], 0);
      await handle.dataSync();
      expect(await handle.sizeBytes()).toBe(6);
      expect(await handle.read(found, 0)).toBe(6);
      await handle.truncate(1);
      expect(await handle.sizeBytes()).toBe(1);
      await handle.close();
      await expect(handle.read(found, 0)).rejects.toMatchObject({ code: "EBADF" });
    });
    expect(found).toEqual(Uint8Array.of(1, 2, 3, 4, 1, 2));
    expect(world.nowMs).toBeGreaterThan(0.3);
    expect(world.findings()).toEqual([]);
  });

  it("keeps what was written over a crash of the process alone", async () => {
    const world = new World({ seed: 1 });
    await onNode(world, async (ports) => {
      const handle = await opened(ports);
      await handle.write([hello], 0);
    });
    world.crash("a", { losesUnsynced: false });
    expect(world.machine("a").disk.open("/data/log", false).content()).toEqual(hello);
  });

  it("loses in some power cut what was written, and in none what was synced", async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const world = new World({ seed });
      await onNode(world, async (ports) => {
        const handle = await opened(ports);
        await handle.write([hello], 0);
        await handle.dataSync();
        await handle.write([hello], 4);
      });
      world.crash("a");
      const file = world.machine("a").disk.open("/data/log", false);
      lengths.add(file.lengthBytes);
      expect(file.content().subarray(0, 4)).toEqual(hello);
    }
    expect(lengths).toEqual(new Set([4, 8]));
  });

  it("tears in some power cut a durable write that was under way, and no earlier one", async () => {
    const found = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const world = new World({ seed, disk: { writeUs: [200, 300], syncUs: [5000, 6000] } });
      await onNode(world, async (ports) => {
        const handle = await opened(ports);
        await handle.writeDurably([hello], 0);
        handle.writeDurably([new Uint8Array(50_000).fill(5)], 4).catch(() => undefined);
        await new Promise<void>((resolve) => {
          ports.timers.after(2, resolve);
        });
      });
      world.crash("a");
      const content = world.machine("a").disk.open("/data/log", false).content();
      expect(content.subarray(0, 4)).toEqual(hello);
      found.add(content.filter((byte) => byte === 5).length);
      expect(world.findings()).toEqual([]);
    }
    expect(found.size).toBeGreaterThan(2);
  });

  it("fails a durable write when its write or its sync fails", async () => {
    const world = new World({ seed: 1 });
    await onNode(world, async (ports) => {
      for (const operation of ["write", "sync"] as const) {
        const handle = await ports.fileSystem.open(`/${operation}`, { create: true });
        world.machine("a").diskFaults.failNext(operation);
        await expect(handle.writeDurably([hello], 0)).rejects.toMatchObject({ code: "EIO" });
      }
    });
    expect(world.findings()).toEqual([]);
  });

  it("finds a caller that takes a durable write for one of the whole file", async () => {
    const world = new World({ seed: 1 });
    await onNode(world, async (ports) => {
      const handle = await opened(ports);
      await handle.write([hello], 0);
      await handle.writeDurably([hello], 4);
    });
    expect(world.findings()).toMatchObject([{ kind: "contract", node: "a" }]);
  });

  it("does not count on a sync for a write that was still in flight when it began", async () => {
    let lostCount = 0;
    for (let seed = 0; seed < 40; seed++) {
      const world = new World({ seed, disk: { writeUs: [200, 300], syncUs: [500, 600] } });
      await onNode(world, async (ports) => {
        const handle = await opened(ports);
        await Promise.all([handle.write([hello], 0), handle.dataSync()]);
      });
      world.crash("a");
      if (world.machine("a").disk.open("/data/log", false).lengthBytes === 0) lostCount++;
    }
    expect(lostCount).toBeGreaterThan(0);
  });

  it("fails when told to, and a failed sync does not save its bytes", async () => {
    const world = new World({ seed: 1 });
    await onNode(world, async (ports) => {
      const handle = await opened(ports);
      const faults = world.machine("a").diskFaults;
      faults.failNext("write");
      await expect(handle.write([hello], 0)).rejects.toMatchObject({ code: "EIO" });
      await handle.write([hello], 0);
      faults.failNext("sync", 2);
      await handle.dataSync();
      await expect(handle.dataSync()).rejects.toMatchObject({ code: "EIO" });
      faults.failNext("read");
      await expect(handle.read(new Uint8Array(1), 0)).rejects.toMatchObject({ code: "EIO" });
    });
    expect(world.findings()).toEqual([]);
  });

  it("is full at its capacity, after a part of the write that no longer fits", async () => {
    const world = new World({ seed: 1 });
    const { isDone } = await onNode(world, async (ports) => {
      const handle = await opened(ports);
      world.machine("a").diskFaults.capacityBytes = 6;
      expect(await ports.fileSystem.space("/data")).toEqual({ totalBytes: 6, freeBytes: 6 });
      await handle.write([hello], 0);
      await expect(handle.write([hello], 4)).rejects.toMatchObject({ code: "ENOSPC" });
      expect(await handle.sizeBytes()).toBe(6);
      await handle.write([hello], 0);
      world.machine("a").diskFaults.heal();
      expect(await ports.fileSystem.space("/data")).toBeUndefined();
    });
    expect(isDone()).toBe(true);
  });

  it("takes longer on a slow disk, but never so long that a heal would not help", async () => {
    const world = new World({ seed: 1, disk: { syncUs: [50_000, 50_000], slowFactor: 50 } });
    await onNode(world, async () => undefined);
    const { diskFaults } = world.machine("a");
    diskFaults.slowness = 500;
    world.crash("a");
    const startMs = world.nowMs;
    await onNode(world, async (ports) => await ports.fileSystem.syncDirectory("/"));
    expect(world.nowMs - startMs).toBeGreaterThan(4_900);
    expect(world.nowMs - startMs).toBeLessThan(5_100);
  });

  it("finds a caller that changes bytes while they are written", async () => {
    const world = new World({ seed: 1 });
    await onNode(world, async (ports) => {
      const handle = await opened(ports);
      const buffer = hello.slice();
      const written = handle.write([buffer], 0);
      buffer[0] = 99;
      await written;
    });
    expect(world.findings()).toMatchObject([{ kind: "contract", node: "a" }]);
  });

  it("finds a caller whose writes of one file overlap", async () => {
    const world = new World({ seed: 1 });
    await onNode(world, async (ports) => {
      const handle = await opened(ports);
      await Promise.all([handle.write([hello], 0), handle.write([hello], 4)]);
    });
    expect(world.findings()).toMatchObject([{ kind: "contract", node: "a" }]);
  });
});
