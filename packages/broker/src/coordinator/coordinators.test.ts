import type { MetadataImage } from "@strandline/metadata";
import { nodeId, type TopicId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import type { Partition } from "../partition/partition.js";
import type { Partitions } from "../partition/partitions.js";
import { Coordinators } from "./coordinators.js";
import {
  type Command,
  FakePartition,
  settle,
  shardWorld,
  TextShard,
} from "./testing/shard-world.js";

const SELF = nodeId(1);
const TOPIC = "topic" as TopicId;
const READ = { isWrite: false };
const WRITE = { isWrite: true };

/** Broker 1, which the image says leads partition 0 of the topic; broker 2 leads partition 1. */
function world() {
  const partition = new FakePartition();
  const led = partition as unknown as Partition;
  Object.assign(partition, { topicId: TOPIC, partition: 0 });
  Object.defineProperty(partition, "leader", {
    get: () => (partition.isLeader ? { epoch: partition.leaderEpoch } : undefined),
  });
  const image = {
    topicIds: new Map([["offsets", TOPIC]]),
    topics: new Map([[TOPIC, { partitions: [{ leader: SELF }, { leader: nodeId(2) }] }]]),
  } as unknown as MetadataImage;
  const { ports, time } = shardWorld(new FakePartition());
  const shards: TextShard[] = [];
  const coordinators = new Coordinators<Command, string>(ports, {
    topic: "offsets",
    partitions: { nodeId: SELF, get: () => led } as unknown as Partitions,
    image: () => image,
    newShard: () => {
      const shard = new TextShard();
      shards.push(shard);
      return shard;
    },
  });
  return { partition, led, coordinators, shards, time };
}

describe(Coordinators, () => {
  it("coordinates what is led here, once it is loaded", async () => {
    const { coordinators, led } = world();
    expect(coordinators.coordinated()).toEqual([0]);
    await expect(coordinators.submit(0, { get: "a" }, READ)).rejects.toMatchObject({
      code: "COORDINATOR_LOAD_IN_PROGRESS",
    });
    await expect(coordinators.submit(1, { get: "a" }, READ)).rejects.toMatchObject({
      code: "NOT_COORDINATOR",
    });
    coordinators.led(led);
    await settle();
    expect(await coordinators.submit(0, { get: "a" }, READ)).toBe("none");
  });

  it("begins anew with each leadership, and only then", async () => {
    const { coordinators, led, partition, shards } = world();
    coordinators.led(led);
    coordinators.led(led);
    await settle();
    expect(shards.length).toBe(1);
    partition.resign();
    partition.isLeader = true;
    partition.leaderEpoch = 4;
    coordinators.led(led);
    await settle();
    expect(shards.length).toBe(2);
    expect(await coordinators.submit(0, { get: "a" }, READ)).toBe("none");
  });

  it("loads again what was thrown away while this broker still leads, after a moment", async () => {
    const { coordinators, led, partition, shards, time } = world();
    coordinators.led(led);
    await settle();
    partition.refusal = "NOT_ENOUGH_REPLICAS";
    await expect(coordinators.submit(0, { set: "a", to: "1" }, WRITE)).rejects.toMatchObject({
      code: "COORDINATOR_NOT_AVAILABLE",
    });
    await expect(coordinators.submit(0, { get: "a" }, READ)).rejects.toMatchObject({
      code: "COORDINATOR_LOAD_IN_PROGRESS",
    });
    expect(shards.length).toBe(1);
    time.pass(1_000);
    await settle();
    expect(shards.length).toBe(2);
    expect(await coordinators.submit(0, { get: "a" }, READ)).toBe("none");
  });

  it("loads nothing any more once it is closed", async () => {
    const { coordinators, led, shards } = world();
    coordinators.led(led);
    await settle();
    const parked = coordinators.submit(0, { park: true }, READ);
    coordinators.close();
    await expect(parked).rejects.toMatchObject({ code: "NOT_COORDINATOR" });
    coordinators.led(led);
    expect(shards.length).toBe(1);
  });
});
