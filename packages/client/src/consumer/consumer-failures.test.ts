import { describe, expect, it } from "vitest";
import { madeBatch } from "../testing/batches.js";
import { FakeWorld } from "../testing/fake-world.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { Weather } from "../testing/weather.js";
import type { Consumer } from "./consumer.js";
import type { ConsumerOptions } from "./consumer-options.js";

const SEEDS = Number(process.env["STRANDLINE_CLIENT_SEEDS"] ?? 40);
const FIRST_SEED = Number(process.env["STRANDLINE_CLIENT_FIRST_SEED"] ?? 1);

function fill(world: FakeWorld, partition: number, recordCount: number): void {
  const log = world.cluster.partition("t", partition);
  for (let at = 0; at < recordCount; at++) {
    const baseOffset = log.endOffset;
    log.put(madeBatch({ baseOffset, values: [`${baseOffset}`] }), baseOffset + 1);
  }
}

function worldWith(recordCount: number): FakeWorld {
  const world = new FakeWorld();
  world.cluster.createTopic("t", 1);
  fill(world, 0, recordCount);
  return world;
}

async function consumerAt(
  world: FakeWorld,
  offset: number,
  options: ConsumerOptions = {},
): Promise<Consumer> {
  const consumer = world.client().consumer(options);
  await world.time.until(consumer.assign([{ topic: "t", partition: 0, start: { offset } }]));
  return consumer;
}

async function take(world: FakeWorld, consumer: Consumer, count: number): Promise<number[]> {
  const read = async (): Promise<number[]> => {
    const offsets: number[] = [];
    for await (const record of consumer) {
      offsets.push(record.offset);
      if (offsets.length === count) break;
    }
    return offsets;
  };
  return await world.time.until(read());
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_each, at) => from + at);

describe("a consumer whose broker changes", () => {
  it("goes on at the next offset when the stream breaks", async () => {
    const world = worldWith(5);
    const consumer = await consumerAt(world, 0);
    expect(await take(world, consumer, 5)).toEqual(range(0, 5));
    for (const link of world.network.links) link.cut();
    fill(world, 0, 3);
    expect(await take(world, consumer, 3)).toEqual(range(5, 8));
  });

  it("follows the leader, whether the old one refuses, forwards, or is gone", async () => {
    const world = worldWith(2);
    const consumer = await consumerAt(world, 0);
    expect(await take(world, consumer, 2)).toEqual([0, 1]);
    world.cluster.moveLeader("t", 0, 2);
    fill(world, 0, 2);
    expect(await take(world, consumer, 2)).toEqual([2, 3]);
    world.network.down("broker-2:9000");
    world.cluster.moveLeader("t", 0, 3);
    fill(world, 0, 2);
    expect(await take(world, consumer, 2)).toEqual([4, 5]);
    world.cluster.forwards = true;
    world.cluster.moveLeader("t", 0, 1);
    await world.time.advance(61_000);
    expect([...world.network.links].map((link) => link.address)).toEqual(["broker-1:9000"]);
  });

  it("reads through another broker while the leader's address does not answer", async () => {
    const world = worldWith(3);
    world.cluster.forwards = true;
    world.cluster.brokers.set(1, "hidden:9000");
    const consumer = await consumerAt(world, 0);
    expect(await take(world, consumer, 3)).toEqual([0, 1, 2]);
    const streams = world.cluster.consumeStreams;
    await world.time.advance(20_000);
    // One detour is as good as another: it does not hop about.
    expect(world.cluster.consumeStreams).toBe(streams);
  });

  it("leaves a broker that hangs as soon as another leads in its place", async () => {
    const world = worldWith(1);
    const consumer = await consumerAt(world, 0);
    expect(await take(world, consumer, 1)).toEqual([0]);
    const host = world.network.hosts.get("broker-1:9000");
    if (host !== undefined) host.isSilent = true;
    await world.time.advance(2_000);
    world.cluster.moveLeader("t", 0, 3);
    fill(world, 0, 1);
    expect(await take(world, consumer, 1)).toEqual([1]);
    expect(world.time.monotonicMs()).toBeLessThan(15_000);
  });

  it("opens a stream anew that says nothing for long", async () => {
    const world = worldWith(1);
    const consumer = await consumerAt(world, 0, { silenceMsMax: 10_000 });
    expect(await take(world, consumer, 1)).toEqual([0]);
    const host = world.network.hosts.get("broker-1:9000");
    if (host !== undefined) host.isSilent = true;
    await world.time.advance(5_000);
    world.cluster.moveLeader("t", 0, 3);
    fill(world, 0, 1);
    expect(await take(world, consumer, 1)).toEqual([1]);
    expect(world.time.monotonicMs()).toBeLessThan(30_000);
  });

  it("says so when a partition cannot be read for long, and goes on when it can", async () => {
    const world = worldWith(1);
    const consumer = await consumerAt(world, 0, { unavailableMsMax: 20_000 });
    expect(await take(world, consumer, 1)).toEqual([0]);
    world.cluster.moveLeader("t", 0, -1);
    await expect(take(world, consumer, 1)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    world.cluster.moveLeader("t", 0, 2);
    fill(world, 0, 1);
    expect(await take(world, consumer, 1)).toEqual([1]);
  });
});

describe("a consumer of a topic that was deleted", () => {
  it("is not one whose brokers were away for long and do not know the topic at first", async () => {
    const world = worldWith(1);
    const consumer = world.client({ topicWaitMs: 3_000 }).consumer();
    const start = { offset: 0 };
    await world.time.until(consumer.assign([{ topic: "t", partition: 0, start }]));
    expect(await take(world, consumer, 1)).toEqual([0]);
    world.cluster.moveLeader("t", 0, -1);
    for (const link of world.network.links) link.cut();
    await world.time.advance(10_000);
    const topic = world.cluster.topics.get("t");
    world.cluster.topics.delete("t");
    await world.time.advance(2_000);
    if (topic !== undefined) world.cluster.topics.set("t", topic);
    world.cluster.moveLeader("t", 0, 2);
    fill(world, 0, 1);
    expect(await take(world, consumer, 1)).toEqual([1]);
  });

  it("says so, and still reads the others", async () => {
    const world = worldWith(1);
    world.cluster.createTopic("u", 1);
    const consumer = world.client({ topicWaitMs: 3_000 }).consumer();
    const assignment = ["t", "u"].map((topic) => ({ topic, partition: 0, start: { offset: 0 } }));
    await world.time.until(consumer.assign(assignment));
    expect(await take(world, consumer, 1)).toEqual([0]);
    world.cluster.topics.delete("u");
    for (const link of world.network.links) link.cut();
    const reading = take(world, consumer, 1);
    await expect(reading).rejects.toMatchObject({ code: "UNKNOWN_TOPIC_OR_PARTITION" });
    fill(world, 0, 1);
    expect(await take(world, consumer, 1)).toEqual([1]);
  });
});

describe("a consumer at an offset that is not there", () => {
  it("throws, tells where, and goes on after a seek", async () => {
    const world = worldWith(5);
    world.cluster.partition("t", 0).logStartOffset = 3;
    const consumer = await consumerAt(world, 0);
    await expect(take(world, consumer, 1)).rejects.toMatchObject({
      code: "OFFSET_OUT_OF_RANGE",
      message: expect.stringContaining("t-0 at offset 0"),
    });
    await consumer.seek("t", 0, { offset: 3 });
    expect(await take(world, consumer, 2)).toEqual([3, 4]);
  });

  it("goes to the end that it was told, after what it had read", async () => {
    const world = worldWith(5);
    const consumer = await consumerAt(world, 2, { resetTo: "earliest" });
    await world.time.advance(100);
    // Read ahead to 5; then 5 to 7 are deleted before they could be read.
    for (const link of world.network.links) link.cut();
    fill(world, 0, 4);
    world.cluster.partition("t", 0).logStartOffset = 7;
    expect(await take(world, consumer, 5)).toEqual([2, 3, 4, 7, 8]);
    const beyond = await consumerAt(world, 100, { resetTo: "latest" });
    const next = take(world, beyond, 1);
    await world.time.advance(1_000);
    fill(world, 0, 1);
    expect(await next).toEqual([9]);
  });

  it("does not read damaged bytes", async () => {
    const world = worldWith(3);
    const log = world.cluster.partition("t", 0);
    const damaged = log.batches[1]!.slice();
    damaged[damaged.length - 1]! ^= 1;
    const whole = log.batches[1]!;
    log.batches[1] = damaged;
    const consumer = await consumerAt(world, 0);
    const offsets: number[] = [];
    const read = async (): Promise<void> => {
      for await (const record of consumer) offsets.push(record.offset);
    };
    await expect(world.time.until(read())).rejects.toMatchObject({ code: "CORRUPT_MESSAGE" });
    expect(offsets).toEqual([0]);
    log.batches[1] = whole;
    expect(await take(world, consumer, 2)).toEqual([1, 2]);
  });
});

describe("a consumer in bad weather", () => {
  it("reads every record once and in order", async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const world = new FakeWorld({ seed });
      world.cluster.createTopic("t", 3);
      const random = new SeededRandom(seed * 104_729);
      const weather = new Weather(world, seed);
      const consumer = world.client({ topicWaitMs: 60_000, requestTimeoutMs: 120_000 }).consumer({
        prefetchBytesMax: 500 + random.below(5_000),
        fetchBytesMax: 200 + random.below(500),
        silenceMsMax: 5_000,
        unavailableMsMax: 0,
      });
      const next = [0, 0, 0];
      const assignment = next.map((_each, partition) => ({
        topic: "t",
        partition,
        start: "earliest" as const,
      }));
      await world.time.until(consumer.assign(assignment));
      let read = 0;
      const reading = (async () => {
        for await (const { partition, offset } of consumer) {
          expect(offset, `seed ${seed}`).toBe(next[partition]);
          next[partition] = offset + 1;
          read++;
          if (random.chance(0.02)) consumer.pause([{ topic: "t", partition }]);
          if (random.chance(0.05)) consumer.resume();
          if (read === 600) return;
        }
      })();
      for (let at = 0; at < 60; at++) {
        fill(world, random.below(3), 10);
        if (random.chance(0.3)) consumer.resume();
        await world.time.advance(random.below(300));
      }
      weather.clear();
      consumer.resume();
      const nudge = (): void => {
        consumer.resume();
        if (read < 600) world.time.after(100, nudge);
      };
      nudge();
      await world.time.until(reading);
      await consumer.close();
      expect(next.reduce((sum, each) => sum + each, 0)).toBe(600);
    }
  }, 600_000);
});
