import { describe, expect, it } from "vitest";
import { FaultInjector } from "./fault-injector.js";
import { calmPlan, type FaultPlan } from "./faults.js";
import type { NodePorts } from "./node-ports.js";
import { World } from "./world.js";

const SERVERS = ["a", "b", "c"];

/** A world of three servers that write and sync all the time, and a client, under `plan`. */
function stormOf(plan: Partial<FaultPlan>, seed = 1) {
  const faults: string[] = [];
  const world = new World({
    seed,
    restartAfterExitMs: 200,
    onFault: (_atMs, what) => faults.push(what),
  });
  let syncCount = 0;
  const write = async (ports: NodePorts): Promise<void> => {
    const handle = await ports.fileSystem.open("/log", { create: true });
    for (let position = 0; ; position += 100) {
      await handle.write([new Uint8Array(100)], position);
      await handle.dataSync();
      syncCount++;
      await new Promise<void>((resolve) => {
        ports.timers.after(20, resolve);
      });
    }
  };
  for (const id of [...SERVERS, "client"]) {
    world.startNode(id, async (ports) => {
      if (id !== "client") write(ports).catch((error) => ports.exit(error));
      return { close: async () => undefined };
    });
  }
  const targets = { servers: SERVERS, clients: ["client"] };
  const injector = new FaultInjector(world, { ...calmPlan(), ...plan }, targets);
  return { world, faults, injector, syncs: () => syncCount };
}

const often = { everyMs: 300, lastsMs: [10, 2_000] } as const;
const crash = {
  ...often,
  allChance: 0.3,
  powerCutChance: 0.5,
  silentChance: 0.5,
  atSyncChance: 0,
  orderlyChance: 0.2,
};

const PLANS: readonly (readonly [string, Partial<FaultPlan>, RegExp])[] = [
  ["crashes", { crash }, /^crash a, power cut, silent$/],
  ["crashes in the middle of a sync", { crash: { ...crash, atSyncChance: 1 } }, /sync of b hangs/],
  ["pauses", { pause: often }, /^pause b$/],
  ["partitions", { partition: { ...often, oneWayChance: 0.5 } }, /^cut \w+ > \w+$/],
  ["slow disks", { slowDisk: { ...often, factorMax: 100 } }, /disk of c \d+ times as slow/],
  ["disk errors", { ioError: often }, /EIO: i\/o error/],
  ["full disks", { fullDisk: often }, /ENOSPC: no space left/],
  ["clocks that jump", { clock: { ...often, jumpMsMax: 5_000 } }, /clock of a jumps/],
];

describe(FaultInjector, () => {
  it.each(PLANS)("makes %s, and ends with all nodes at work", async (_what, plan, expected) => {
    const { world, faults, injector, syncs } = stormOf(plan);
    injector.start();
    await world.run({ untilMs: 30_000 });
    injector.heal();
    await world.run({ untilMs: 31_000 });
    expect(faults.filter((what) => expected.test(what)).length).toBeGreaterThan(0);
    const count = syncs();
    faults.length = 0;
    await world.run({ untilMs: 60_000 });
    expect(world.nodeIds.map((id) => world.stateOf(id))).toEqual(Array(4).fill("running"));
    // Three servers, a sync about every 22 ms: nothing is slow any more.
    expect(syncs() - count).toBeGreaterThan(3_000);
    expect(faults).toEqual([]);
    expect(world.findings()).toEqual([]);
  });

  it("heals a network that was cut", async () => {
    const { world, injector } = stormOf({ partition: { ...often, oneWayChance: 0 } });
    injector.start();
    await world.runUntil(() => world.network.isBlocked("a", "b"), { withinMs: 60_000 });
    injector.heal();
    expect(world.network.isBlocked("a", "b")).toBe(false);
  });

  it("does the same for the same seed", async () => {
    const everything = Object.assign({}, ...PLANS.map(([, plan]) => plan));
    const faultsOf = async (seed: number): Promise<string[]> => {
      const { world, faults, injector } = stormOf(everything, seed);
      injector.start();
      await world.run({ untilMs: 20_000 });
      return [...faults, world.traceHash];
    };
    expect(await faultsOf(5)).toEqual(await faultsOf(5));
    expect(await faultsOf(5)).not.toEqual(await faultsOf(6));
  });
});
