import {
  diffImages,
  emptyImage,
  type MetadataImage,
  type Partition,
  replay,
} from "@strandline/metadata";
import { BrokerError, type NodeId, nodeId, type TopicId } from "@strandline/model";
import { nullLogger } from "@strandline/platform";
import { Log } from "@strandline/storage";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { BrokerConfig } from "../broker-config.js";
import type { BrokerPorts } from "../ports.js";
import { Partitions } from "./partitions.js";

const SELF = nodeId(1);
const OTHER = nodeId(2);
const TOPIC = "topic" as TopicId;
const EPOCH = 5 as never;

/** Broker 1 is registered, and keeps two partitions of a topic that `leader` leads. */
function image(leader: NodeId | -1, count = 2): MetadataImage {
  const replicas = leader === -1 ? [SELF] : [leader];
  const partition = {
    replicas,
    isr: replicas,
    adding: [],
    removing: [],
    elr: [],
    leader,
    leaderEpoch: 0,
    partitionEpoch: 0,
  };
  const node = { id: SELF, brokerEpoch: EPOCH, isFenced: false, isStopping: false };
  return {
    ...replay(emptyImage(), [], 7).image,
    nodes: new Map([[SELF, node]]),
    topics: new Map([[TOPIC, { id: TOPIC, name: "t", partitions: Array(count).fill(partition) }]]),
    topicIds: new Map([["t", TOPIC]]),
  } as unknown as MetadataImage;
}

/** The partitions of broker 1; the logs are empty, and close as told. */
async function opened(
  leader: NodeId | -1,
  closeLog: (key: string) => Promise<void> = async () => undefined,
) {
  const closed: string[] = [];
  vi.spyOn(Log, "open").mockImplementation(async (_ports, { key }) => {
    return {
      recovery: {},
      highWatermark: 0,
      logStartOffset: 0,
      logEndOffset: 0,
      durableEndOffset: 0,
      expectReaders: () => undefined,
      close: async () => {
        await closeLog(key);
        closed.push(key);
      },
    } as unknown as Log;
  });
  const removed: string[] = [];
  vi.spyOn(Log, "remove").mockImplementation(async (_ports, _directory, key) => {
    // A log that is still open must not lose its files.
    expect(closed).toContain(key);
    removed.push(key);
  });
  const failures: Error[] = [];
  const ports = {
    clock: { monotonicMs: () => 0, wallMs: () => 0 },
    timers: { after: () => ({ cancel: () => undefined }) },
    fileSystem: { list: async () => [] },
    logger: nullLogger,
  } as unknown as BrokerPorts;
  let onApplied = (): void => undefined;
  const applied = new Promise<void>((resolve) => {
    onApplied = resolve;
  });
  const config = { nodeId: SELF, topicsDirectory: "topics", tailBytesMax: 1, replicaLagMsMax: 1 };
  const partitions = new Partitions(ports, config as BrokerConfig, {
    brokerEpoch: () => EPOCH,
    isServing: () => true,
    proposeIsr: () => undefined,
    onLogFailed: (error) => failures.push(error),
    onLeads: () => undefined,
    onApplied: () => onApplied(),
  });
  const now = image(leader);
  partitions.apply(now, { partitions: [], topics: [], nodes: [], configs: [] });
  await applied;
  /** Partition 0 gets other replicas. */
  const move = (replicas: readonly NodeId[]): void => {
    const before = current.topics.get(TOPIC)?.partitions[0] as Partition;
    const after = { ...before, replicas, partitionEpoch: (before.partitionEpoch + 1) as never };
    const rest = current.topics.get(TOPIC)?.partitions.slice(1) ?? [];
    const topic = { id: TOPIC, name: "t", partitions: [after, ...rest] };
    current = { ...current, topics: new Map([[TOPIC, topic]]) };
    const change = { topicId: TOPIC, partition: 0, before, after };
    partitions.apply(current, { partitions: [change], topics: [], nodes: [], configs: [] });
  };
  let current = now;
  return { partitions, closed, failures, removed, move };
}

/** Lets everything that is queued run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe(Partitions, () => {
  it("ticks a partition that waits for nothing once, and no more", async () => {
    const { partitions } = await opened(SELF);
    expect(await partitions.untilLeading(TOPIC, 1_000)).toBe(true);
    const all = [...partitions.all()];
    const ticks = all.map((partition) => vi.spyOn(partition, "tick"));
    expect(all.map((partition) => partition.isAwake)).toEqual([true, true]);
    for (let count = 0; count < 3; count += 1) partitions.tick();
    expect(ticks.map((tick) => tick.mock.calls.length)).toEqual([1, 1]);
    // Whatever happens to it next wakes it.
    all[0]?.eligibleChanged();
    partitions.tick();
    expect(ticks.map((tick) => tick.mock.calls.length)).toEqual([2, 1]);
  });

  it("removes a log once its replica has moved elsewhere, and opens it when it is back", async () => {
    const { partitions, closed, removed, move } = await opened(-1);
    move([OTHER]);
    expect(partitions.get(TOPIC, 0)).toBeUndefined();
    await settled();
    expect(closed).toEqual(["topic-0"]);
    expect(removed).toEqual(["topic-0"]);
    move([OTHER, SELF]);
    await settled();
    expect(partitions.get(TOPIC, 0)).toBeDefined();
    expect(removed).toEqual(["topic-0"]);
  });

  it("keeps a log whose replica is back before it was removed", async () => {
    const { partitions, closed, removed, move } = await opened(-1);
    move([OTHER]);
    move([OTHER, SELF]);
    await settled();
    expect(closed).toEqual(["topic-0"]);
    expect(removed).toEqual([]);
    expect(partitions.get(TOPIC, 0)).toBeDefined();
  });

  it("opens nothing that is gone again", async () => {
    const { partitions, removed, move } = await opened(-1);
    move([OTHER]);
    move([OTHER, SELF]);
    move([OTHER]);
    await settled();
    expect(removed).toContain("topic-0");
    expect(partitions.get(TOPIC, 0)).toBeUndefined();
  });

  it("closes while partitions still wait to be opened", async () => {
    let openLogs = (): void => undefined;
    const mayOpen = new Promise<void>((resolve) => {
      openLogs = resolve;
    });
    const { partitions, failures } = await opened(SELF);
    let openCount = 0;
    vi.spyOn(Log, "open").mockImplementation(async () => {
      openCount += 1;
      await mayOpen;
      throw new BrokerError("KAFKA_STORAGE_ERROR", "this test opens nothing");
    });
    const more = image(SELF, 100);
    partitions.apply(more, diffImages(image(SELF), more));
    const closing = partitions.close();
    openLogs();
    await closing;
    expect(openCount).toBeLessThan(20);
    expect(failures).toEqual([]);
  });

  it("closes every log, also when one of them cannot be closed, and says so", async () => {
    const { partitions, closed, failures } = await opened(-1, async (key) => {
      if (key === "topic-0") throw new Error("disk is gone");
    });
    await partitions.close();
    expect(closed).toEqual(["topic-1"]);
    expect(failures.map((error) => error.message)).toEqual(["disk is gone"]);
  });
});
