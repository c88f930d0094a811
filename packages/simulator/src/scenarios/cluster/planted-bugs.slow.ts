/**
 * Is the simulator worth its time? Known mistakes, each planted by this file alone, must be found
 * within a stated number of seeds. Run by `npm run sim:planted`; too long for the unit run.
 */
import type { MetadataCommand, MetadataImage } from "@strandline/metadata";
import type { FileSystem, KeyValueStore } from "@strandline/platform";
import { Isr, ReplicaProgress } from "@strandline/replication";
import { Log } from "@strandline/storage";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { NodePorts } from "../../node-ports.js";
import type { Sabotage } from "./cluster-node.js";
import { clusterScenario } from "./cluster-scenario.js";

const planted = vi.hoisted(() => ({ resumesLeadership: false }));

vi.mock("@strandline/metadata", async (original) => {
  const metadata = await original<typeof import("@strandline/metadata")>();
  const decide = (image: MetadataImage, command: MetadataCommand) => {
    const decision = metadata.decide(image, command);
    const isRestart = command.kind === "register-node" && image.nodes.has(command.nodeId);
    if (!planted.resumesLeadership || !isRestart || decision.kind === "refused") return decision;
    // The new process is taken for the old one: what it led, it leads, in the same epoch.
    const records = decision.records.flatMap((record) =>
      record.type === "node-registered"
        ? [{ ...record, node: { ...record.node, isFenced: false } }]
        : [],
    );
    return { ...decision, records };
  };
  return { ...metadata, decide };
});

/** Runs seeds from 1 on; returns the first that finds something, and what. */
async function firstFinding(
  seedsMax: number,
  sabotage?: Sabotage,
): Promise<{ seed: number; message: string } | undefined> {
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const { findings } = await clusterScenario({ ...(sabotage ? { sabotage } : {}) }).run({ seed });
    // A crash by itself would prove nothing: a promise must have been seen to break.
    const message = findings.find((finding) => finding.kind === "invariant")?.message;
    if (message !== undefined) {
      console.log(`found by seed ${seed}: ${message.slice(0, 150)}`);
      return { seed, message };
    }
  }
  return undefined;
}

/** A disk that says "synced" and has done nothing. */
function withoutSync(ports: NodePorts): NodePorts {
  const { fileSystem } = ports;
  const lying: FileSystem = {
    open: async (path, options) => {
      const handle = await fileSystem.open(path, options);
      return {
        read: async (target, position) => await handle.read(target, position),
        write: async (chunks, position) => await handle.write(chunks, position),
        writeDurably: async (chunks, position) => await handle.write(chunks, position),
        dataSync: async () => undefined,
        truncate: async (lengthBytes) => await handle.truncate(lengthBytes),
        sizeBytes: async () => await handle.sizeBytes(),
        close: async () => await handle.close(),
      };
    },
    makeDirectory: async (path) => await fileSystem.makeDirectory(path),
    list: async (path) => await fileSystem.list(path),
    exists: async (path) => await fileSystem.exists(path),
    rename: async (from, to) => await fileSystem.rename(from, to),
    remove: async (path) => await fileSystem.remove(path),
    removeDirectory: async (path) => await fileSystem.removeDirectory(path),
    syncDirectory: async (path) => await fileSystem.syncDirectory(path),
    space: async (path) => await fileSystem.space(path),
  };
  return { ...ports, fileSystem: lying };
}

function withoutSyncedWrites(store: KeyValueStore): KeyValueStore {
  return {
    get: async (key) => await store.get(key),
    write: async (operations) => await store.write(operations, { sync: false }),
    range: async (from, to) => await store.range(from, to),
    close: async () => await store.close(),
  };
}

afterEach(() => {
  vi.restoreAllMocks();
  planted.resumesLeadership = false;
});

describe("the simulator finds", { timeout: 900_000 }, () => {
  it("an acknowledgement before the replicas are durable, within 20 seeds", async () => {
    expect(await firstFinding(20, { ports: withoutSync })).toBeDefined();
  });

  it("a truncation to the high watermark at a restart, within 60 seeds", async () => {
    const open = Log.open.bind(Log);
    vi.spyOn(Log, "open").mockImplementation(async (ports, options) => {
      const log = await open(ports, options);
      if (log.highWatermark < log.logEndOffset) await log.truncateTo(log.highWatermark);
      return log;
    });
    expect(await firstFinding(60)).toBeDefined();
  });

  it("a vote that was not synced, within 100 seeds", async () => {
    expect(await firstFinding(100, { raftStore: withoutSyncedWrites })).toBeDefined();
  });

  it("an ISR counted without those it was asked to grow by, within 100 seeds", async () => {
    vi.spyOn(Isr.prototype, "maximal", "get").mockImplementation(function (this: Isr) {
      return this.committed;
    });
    // Waiting for a replica that is about to join counts most of them by accident, for another reason.
    vi.spyOn(ReplicaProgress.prototype, "isClosingIn").mockReturnValue(false);
    expect(await firstFinding(100)).toBeDefined();
  });

  it("producers forgotten in a failover, within 20 seeds", async () => {
    const becameLeader: Sabotage["becameLeader"] = (broker, key) => {
      for (const partition of broker.partitions.all()) {
        if (partition.key === key) partition.log.producers.clear();
      }
    };
    expect(await firstFinding(20, { becameLeader })).toBeDefined();
  });

  it("a restarted leader that goes on in its old epoch, within 100 seeds", async () => {
    planted.resumesLeadership = true;
    expect(await firstFinding(100)).toBeDefined();
  });
});
