import { BrokerError } from "@strandline/model";
import { readBatchHeader } from "@strandline/record";
import { describe, expect, it } from "vitest";
import { ClientError } from "../errors.js";
import { FakeWorld } from "../testing/fake-world.js";
import { Producer } from "./producer.js";

/** Sequence numbers and producer ids of the requests that reached a broker. */
function stamps(world: FakeWorld): readonly string[] {
  return world.cluster.produced.map(({ request }) => {
    const header = readBatchHeader(request.batch, 0);
    return `${header.producerId}:${header.baseSequence}+${header.recordCount}`;
  });
}

function values(world: FakeWorld, topic: string, partition: number): readonly (string | null)[] {
  return world.cluster
    .partition(topic, partition)
    .texts()
    .map((record) => record.value);
}

describe(Producer, () => {
  it("sends records of one partition that come within the linger time as one batch", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world.client().producer({ lingerMs: 5 });
    const first = producer.send({ topic: "t", key: "k", value: "a", timestampMs: 7 });
    const second = producer.send({ topic: "t", value: "b" });
    await world.time.advance(4);
    expect(world.cluster.produced).toHaveLength(0);
    await world.time.advance(2);
    expect(await first).toEqual({ topic: "t", partition: 0, offset: 0, timestampMs: 7 });
    const { offset, timestampMs } = await second;
    expect([offset, timestampMs]).toEqual([1, 1_700_000_000_000]);
    expect(stamps(world)).toEqual(["1000:0+2"]);
    expect(world.cluster.partition("t", 0).texts()).toEqual([
      { offset: 0, key: "k", value: "a" },
      { offset: 1, key: null, value: "b" },
    ]);
  });

  it("sends at the end of the turn when it is told not to linger", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world.client().producer({ lingerMs: 0 });
    const sent = [
      producer.send({ topic: "t", value: "a" }),
      producer.send({ topic: "t", value: "b" }),
    ];
    await world.time.settle();
    expect((await Promise.all(sent)).map((each) => each.offset)).toEqual([0, 1]);
    expect(stamps(world)).toEqual(["1000:0+2"]);
  });

  it("sends a batch once it is full, and a record larger than a batch alone", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world.client().producer({ lingerMs: 1_000, batchBytesMax: 400 });
    await world.time.until(producer.send({ topic: "t", value: "first" }));
    for (let at = 0; at < 6; at++) producer.enqueue({ topic: "t", value: "x".repeat(100) });
    producer.enqueue({ topic: "t", value: "y".repeat(1_000) });
    producer.enqueue({ topic: "t", value: "z" });
    await world.time.settle();
    expect(stamps(world).slice(1)).toEqual(["1000:1+2", "1000:3+2", "1000:5+2", "1000:7+1"]);
    await world.time.until(producer.flush());
    expect(stamps(world).at(-1)).toBe("1000:8+1");
  });

  it("keeps at most five batches of a partition under way", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world.client().producer({ batchBytesMax: 200 });
    await world.time.until(producer.send({ topic: "t", value: "first" }));
    world.cluster.acksHeld = true;
    for (let at = 0; at < 12; at++) producer.enqueue({ topic: "t", value: "x".repeat(100) });
    await world.time.advance(100);
    expect(world.cluster.produced).toHaveLength(1 + 5);
    world.cluster.releaseAcks();
    await world.time.until(producer.flush());
    expect(world.cluster.produced).toHaveLength(1 + 12);
  });

  it("puts a key where Kafka's Java client puts it", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 10);
    const producer = world.client().producer();
    const keys = ["21", "foobar", "a-little-bit-long-string", "a-little-bit-longer-string"];
    const sent = keys.map((key) => producer.send({ topic: "t", key, value: "v" }));
    const partitions = (await world.time.until(Promise.all(sent))).map((each) => each.partition);
    // From the test vectors of murmur2 in Kafka: hash & 0x7fffffff, modulo 10.
    const hashes = [-973932308, -790332482, -985981536, -1486304829];
    expect(partitions).toEqual(hashes.map((hash) => (hash & 0x7fff_ffff) % 10));
  });

  it("keeps records without key together until their batch is sent, then moves on", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 6);
    const producer = world.client().producer();
    const rounds: number[][] = [];
    for (let round = 0; round < 20; round++) {
      const sent = [1, 2, 3].map((value) => producer.send({ topic: "t", value: `${value}` }));
      const results = await world.time.until(Promise.all(sent));
      rounds.push(results.map((each) => each.partition));
    }
    for (const round of rounds) expect(new Set(round).size).toBe(1);
    for (let at = 1; at < rounds.length; at++)
      expect(rounds[at]?.[0]).not.toBe(rounds[at - 1]?.[0]);
    expect(new Set(rounds.flat()).size).toBeGreaterThan(3);
  });

  it("leaves no small batch behind when a full one makes it move on", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 4);
    const producer = world.client().producer({ batchBytesMax: 1_000 });
    await world.time.until(producer.send({ topic: "t", value: "first" }));
    for (let at = 0; at < 64; at++) producer.enqueue({ topic: "t", value: "x".repeat(80) });
    await world.time.until(producer.flush());
    const sizes = world.cluster.produced.slice(1).map(({ request }) => {
      return readBatchHeader(request.batch, 0).recordCount;
    });
    expect(sizes).toEqual([10, 10, 10, 10, 10, 10, 4]);
  });

  it("waits for a topic that brokers learn of late, and keeps the order meanwhile", async () => {
    const world = new FakeWorld();
    const producer = world.client().producer({ lingerMs: 0 });
    const sent = ["a", "b", "c"].map((value) => producer.send({ topic: "late", value }));
    await world.time.advance(1_000);
    world.cluster.createTopic("late", 1);
    await world.time.until(Promise.all(sent));
    expect(values(world, "late", 0)).toEqual(["a", "b", "c"]);
  });

  it("gives up soon on an unknown topic, and on a missing partition", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 2);
    const producer = world.client({ topicWaitMs: 3_000 }).producer();
    const unknown = producer.send({ topic: "nope", value: "v" });
    await expect(world.time.until(unknown)).rejects.toMatchObject({
      code: "UNKNOWN_TOPIC_OR_PARTITION",
    });
    expect(world.time.monotonicMs()).toBeLessThan(3_500);
    const missing = producer.send({ topic: "t", partition: 2, value: "v" });
    await expect(world.time.until(missing)).rejects.toThrow(/only 2 partitions/);
    world.cluster.topics.get("t")?.partitions.push(...world.cluster.createTopic("x", 1).partitions);
    const added = producer.send({ topic: "t", partition: 2, value: "v" });
    expect(await world.time.until(added)).toMatchObject({ partition: 2, offset: 0 });
  });

  it("refuses what makes no sense", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world.client().producer();
    await expect(producer.send({ topic: "a b", value: "v" })).rejects.toBeInstanceOf(BrokerError);
    const negative = producer.send({ topic: "t", partition: -1, value: "v" });
    await expect(negative).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    const timeless = producer.send({ topic: "t", value: "v", timestampMs: 1.5 });
    await expect(timeless).rejects.toBeInstanceOf(ClientError);
    const wrong = { topic: "t", value: 7 as unknown as string };
    await expect(producer.send(wrong)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(() => world.client().producer({ acks: "none", idempotent: true })).toThrow(ClientError);
    expect(() => world.client().producer({ inFlightMax: 6, lingerMs: -1 })).toThrow(
      /lingerMs.*inFlightMax/,
    );
  });

  it("sends headers, text, bytes and nulls as they are", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world.client().producer();
    const sent = [
      producer.send({
        topic: "t",
        key: "schlüssel",
        value: new Uint8Array([1, 2]),
        headers: { h: "ä" },
      }),
      producer.send({ topic: "t", key: null, value: "", headers: [{ key: "n" }, { key: "n" }] }),
      producer.send({ topic: "t", value: "🎏".repeat(30_000) }),
    ];
    await world.time.until(Promise.all(sent));
    const texts = world.cluster.partition("t", 0).texts();
    expect(texts[0]?.key).toBe("schlüssel");
    expect(texts[1]).toEqual({ offset: 1, key: null, value: "" });
    expect(texts[2]?.value).toBe("🎏".repeat(30_000));
  });

  it("resolves many records at once, in order, and rejects with the first failure", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 3);
    const producer = world.client().producer({ bufferBytesMax: 4_096, batchBytesMax: 1_024 });
    const records = Array.from({ length: 300 }, (_, at) => ({
      topic: "t",
      key: `${at}`,
      value: "v",
    }));
    const results = await world.time.until(producer.sendMany(records));
    expect(results).toHaveLength(300);
    const total = [0, 1, 2].reduce((sum, at) => sum + values(world, "t", at).length, 0);
    expect(total).toBe(300);
    const bad = [
      { topic: "t", value: "ok" },
      { topic: "t", partition: -3, value: "no" },
    ];
    await expect(world.time.until(producer.sendMany(bad))).rejects.toThrow(/partition number/);
    expect(await world.time.until(producer.sendMany([]))).toEqual([]);
  });

  it("packs batches when asked to, and the broker can read them", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world.client().producer({ compression: "gzip" });
    await world.time.until(producer.send({ topic: "t", value: "x".repeat(5_000) }));
    const batch = world.cluster.partition("t", 0).batches[0] ?? new Uint8Array(0);
    expect(readBatchHeader(batch, 0).compression).toBe("gzip");
    expect(batch.length).toBeLessThan(200);
  });

  it("answers with the broker's time when the topic stamps records", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    world.cluster.logAppendTimeMs = 42;
    const producer = world.client().producer();
    const sent = producer.send({ topic: "t", value: "v", timestampMs: 7 });
    expect(await world.time.until(sent)).toMatchObject({ timestampMs: 42 });
  });

  it("counts nothing and resolves with offset -1 when nobody is to acknowledge", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world.client().producer({ acks: "none" });
    world.cluster.onProduce = () => ({ kind: "lose-answer" });
    const result = await world.time.until(producer.send({ topic: "t", value: "v" }));
    expect(result.offset).toBe(-1);
    expect(stamps(world)).toEqual(["-1:-1+1"]);
  });
});
