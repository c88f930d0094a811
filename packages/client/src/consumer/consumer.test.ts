import { describe, expect, it } from "vitest";
import { madeBatch } from "../testing/batches.js";
import { FakeWorld } from "../testing/fake-world.js";
import { Consumer } from "./consumer.js";
import type { ConsumerOptions } from "./consumer-options.js";
import type { ConsumerRecord } from "./consumer-record.js";

/** A topic "t" of one partition, led by broker 1, that holds one record per batch: "0", "1", … */
function worldWith(recordCount: number, partitionCount = 1): FakeWorld {
  const world = new FakeWorld();
  world.cluster.createTopic("t", partitionCount);
  for (let partition = 0; partition < partitionCount; partition++) {
    fill(world, partition, recordCount);
  }
  return world;
}

function fill(world: FakeWorld, partition: number, recordCount: number): void {
  const log = world.cluster.partition("t", partition);
  for (let at = 0; at < recordCount; at++) {
    const baseOffset = log.endOffset;
    log.put(madeBatch({ baseOffset, values: [`${baseOffset}`] }), baseOffset + 1);
  }
}

async function assigned(world: FakeWorld, options: ConsumerOptions = {}): Promise<Consumer> {
  const consumer = world.client().consumer(options);
  const { partitions = [] } = world.cluster.topics.get("t") ?? {};
  const all = partitions.map((_each, partition) => ({
    topic: "t",
    partition,
    start: "earliest" as const,
  }));
  await world.time.until(consumer.assign(all));
  return consumer;
}

const text = (record: ConsumerRecord): string =>
  new TextDecoder().decode(record.value ?? undefined);

/** The next `count` values. */
async function take(world: FakeWorld, consumer: Consumer, count: number): Promise<string[]> {
  const read = async (): Promise<string[]> => {
    const values: string[] = [];
    if (count === 0) return values;
    for await (const record of consumer) {
      values.push(text(record));
      if (values.length === count) break;
    }
    return values;
  };
  return await world.time.until(read());
}

async function takeAll(world: FakeWorld, consumer: Consumer): Promise<string[]> {
  return await take(world, consumer, Number.POSITIVE_INFINITY);
}

const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_each, at) => `${from + at}`);

describe(Consumer, () => {
  it("reads what is there, and then what comes", async () => {
    const world = worldWith(5);
    const consumer = await assigned(world);
    expect(await take(world, consumer, 5)).toEqual(range(0, 5));
    const next = take(world, consumer, 2);
    fill(world, 0, 2);
    expect(await next).toEqual(["5", "6"]);
    expect(consumer.position("t", 0)).toBe(7);
    expect(consumer.highWatermark("t", 0)).toBe(7);
  });

  it("ends where the partitions ended when it was told to stop there", async () => {
    const world = worldWith(4, 3);
    const consumer = await assigned(world, { stopAtEnd: true });
    fill(world, 0, 10);
    expect((await takeAll(world, consumer)).sort()).toEqual(
      ["0", "0", "0", "1", "1", "1", "2", "2", "2", "3", "3", "3"].sort(),
    );
    const empty = world.client().consumer({ stopAtEnd: true });
    await world.time.until(empty.assign([{ topic: "t", partition: 1, start: "latest" }]));
    expect(await takeAll(world, empty)).toEqual([]);
  });

  it("begins where it is told to, even if that is in the middle of a batch", async () => {
    const world = new FakeWorld();
    const log = world.cluster.createTopic("t", 1).partitions[0]!;
    log.put(madeBatch({ baseOffset: 0, values: range(0, 10) }), 10);
    const consumer = world.client().consumer();
    const from = async (start: { offset: number } | { timestampMs: number } | "latest") => {
      await world.time.until(consumer.assign([{ topic: "t", partition: 0, start }]));
      return consumer.position("t", 0);
    };
    await from({ offset: 7 });
    expect(await take(world, consumer, 3)).toEqual(["7", "8", "9"]);
    expect(await from("latest")).toBe(10);
    // No record is that late.
    expect(await from({ timestampMs: 5_000 })).toBe(10);
  });

  it("steps over control batches and gaps, and unpacks what is packed", async () => {
    const world = new FakeWorld();
    const log = world.cluster.createTopic("t", 1).partitions[0]!;
    log.put(madeBatch({ baseOffset: 0, values: ["a", "b"], compression: "gzip" }), 2);
    log.put(madeBatch({ baseOffset: 2, values: ["commit"], isControl: true }), 3);
    log.put(madeBatch({ baseOffset: 8, values: ["c".repeat(500)], compression: "snappy" }), 9);
    log.put(madeBatch({ baseOffset: 9, values: ["abort"], isControl: true }), 10);
    const consumer = await assigned(world, { stopAtEnd: true });
    expect(await takeAll(world, consumer)).toEqual(["a", "b", "c".repeat(500)]);
    expect(consumer.position("t", 0)).toBe(10);
  });

  it("hands out batches, and after a few single records the rest of their batch", async () => {
    const world = new FakeWorld();
    const log = world.cluster.createTopic("t", 1).partitions[0]!;
    log.put(madeBatch({ baseOffset: 0, values: range(0, 4) }), 4);
    log.put(madeBatch({ baseOffset: 4, values: range(4, 6) }), 6);
    const consumer = await assigned(world);
    expect(await take(world, consumer, 1)).toEqual(["0"]);
    expect(consumer.position("t", 0)).toBe(1);
    const batches = consumer.batches();
    const first = await world.time.until(batches.next());
    expect(first.value?.records.map(text)).toEqual(["1", "2", "3"]);
    expect(first.value).toMatchObject({
      topic: "t",
      partition: 0,
      nextOffset: 4,
      highWatermark: 6,
    });
    expect(consumer.position("t", 0)).toBe(4);
    expect((await batches.next()).value?.records.map(text)).toEqual(["4", "5"]);
  });

  it("takes turns among partitions", async () => {
    const world = worldWith(3, 3);
    const consumer = await assigned(world, { fetchBytesMax: 100 });
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      for await (const record of consumer) {
        seen.push(record.partition);
        if (seen.length === 9) break;
      }
    };
    await world.time.until(read());
    expect(new Set(seen.slice(0, 3)).size).toBe(3);
  });

  it("seeks backwards and forwards, also away from records that it has read ahead", async () => {
    const world = worldWith(20);
    const consumer = await assigned(world);
    expect(await take(world, consumer, 3)).toEqual(["0", "1", "2"]);
    await consumer.seek("t", 0, { offset: 15 });
    expect(consumer.position("t", 0)).toBe(15);
    expect(await take(world, consumer, 2)).toEqual(["15", "16"]);
    await world.time.until(consumer.seek("t", 0, "earliest"));
    expect(await take(world, consumer, 2)).toEqual(["0", "1"]);
    await world.time.until(consumer.seek("t", 0, "latest"));
    expect(consumer.position("t", 0)).toBe(20);
    await expect(consumer.seek("t", 0, { offset: -1 })).rejects.toThrow(/no offset/);
    await expect(consumer.seek("t", 1, "latest")).rejects.toThrow(/not assigned/);
  });

  it("hands out nothing from paused partitions, and loses nothing by it", async () => {
    const world = worldWith(6, 2);
    const consumer = await assigned(world);
    await take(world, consumer, 4);
    const positions = [0, 1].map((partition) => consumer.position("t", partition));
    consumer.pause([{ topic: "t", partition: 0 }]);
    expect(consumer.paused()).toEqual([{ topic: "t", partition: 0 }]);
    const rest = 6 - (positions[1] ?? 0);
    expect(await take(world, consumer, rest)).toEqual(range(positions[1] ?? 0, 6));
    consumer.resume();
    expect(await take(world, consumer, 6 - (positions[0] ?? 0))).toEqual(
      range(positions[0] ?? 0, 6),
    );
  });

  it("reads ahead no further than it may, and goes on when there is room", async () => {
    const world = new FakeWorld();
    const log = world.cluster.createTopic("t", 1).partitions[0]!;
    for (let at = 0; at < 200; at++) {
      log.put(madeBatch({ baseOffset: at, values: ["x".repeat(1_000)] }), at + 1);
    }
    const consumer = await assigned(world, { prefetchBytesMax: 20_000, fetchBytesMax: 5_000 });
    await world.time.advance(1_000);
    expect(consumer.bufferedBytes).toBeGreaterThanOrEqual(20_000);
    expect(consumer.bufferedBytes).toBeLessThanOrEqual(26_000);
    // It is paused, not dead: silence is no reason to begin again.
    await world.time.advance(120_000);
    expect(world.cluster.consumeStreams).toBe(1);
    expect(await take(world, consumer, 200)).toHaveLength(200);
    expect(consumer.bufferedBytes).toBeLessThan(5_000);
  });

  it("replaces its assignment, and keeps the old one when the new cannot be had", async () => {
    const world = worldWith(3, 2);
    const consumer = world.client({ topicWaitMs: 500 }).consumer();
    await world.time.until(consumer.assign([{ topic: "t", partition: 0, start: "earliest" }]));
    expect(await take(world, consumer, 1)).toEqual(["0"]);
    const nope = consumer.assign([{ topic: "nope", partition: 0, start: "earliest" }]);
    await expect(world.time.until(nope)).rejects.toMatchObject({
      code: "UNKNOWN_TOPIC_OR_PARTITION",
    });
    expect(await take(world, consumer, 2)).toEqual(["1", "2"]);
    const twice = { topic: "t", partition: 1, start: { offset: 1 } };
    await expect(consumer.assign([twice, twice])).rejects.toThrow(/twice/);
    const senseless = { topic: "t", partition: 1, start: { offset: -5 } };
    await expect(consumer.assign([senseless])).rejects.toThrow(/no place/);
    await world.time.until(consumer.assign([twice]));
    expect(consumer.assignment()).toEqual([{ topic: "t", partition: 1 }]);
    expect(await take(world, consumer, 2)).toEqual(["1", "2"]);
  });
});

describe("ending an iteration", () => {
  it("throws when the caller's signal fires, and a later one goes on", async () => {
    const world = worldWith(2);
    const consumer = await assigned(world);
    const controller = new AbortController();
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      for await (const record of consumer.records({ signal: controller.signal })) {
        seen.push(text(record));
      }
    };
    const outcome = expect(read()).rejects.toMatchObject({ code: "ABORTED" });
    await world.time.advance(100);
    controller.abort();
    await outcome;
    expect(seen).toEqual(["0", "1"]);
    fill(world, 0, 1);
    expect(await take(world, consumer, 1)).toEqual(["2"]);
    const aborted = consumer.batches({ signal: controller.signal }).next();
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("ends quietly when the consumer is closed, and nothing is left behind", async () => {
    const world = worldWith(2);
    const client = world.client();
    const consumer = client.consumer();
    await world.time.until(consumer.assign([{ topic: "t", partition: 0, start: "earliest" }]));
    const all = takeAll(world, consumer);
    await world.time.advance(100);
    await consumer.close();
    expect(await all).toEqual(["0", "1"]);
    expect(world.time.pendingCount).toBe(0);
    expect(world.network.links.size).toBe(0);
    await expect(consumer.assign([])).rejects.toMatchObject({ code: "CLIENT_CLOSED" });
    await client.close();
    const other = world.client();
    const disposed = other.consumer();
    await disposed[Symbol.asyncDispose]();
    await other.close();
    expect(world.time.pendingCount).toBe(0);
  });

  it("closes with its client in the middle of a wait", async () => {
    const world = worldWith(0);
    const client = world.client();
    const consumer = client.consumer();
    await world.time.until(consumer.assign([{ topic: "t", partition: 0, start: "earliest" }]));
    const next = consumer.records().next();
    await client.close();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(world.time.pendingCount).toBe(0);
  });
});
