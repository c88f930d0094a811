import { describe, expect, it } from "vitest";
import { FakeWorld } from "../testing/fake-world.js";
import type { DeliveryReport } from "./producer-record.js";

const KILOBYTE = "x".repeat(1_000);

function count(world: FakeWorld, topic: string): number {
  const { partitions } = world.cluster.topics.get(topic) ?? { partitions: [] };
  return partitions.reduce((sum, partition) => sum + partition.endOffset, 0);
}

describe("a producer's buffer", () => {
  it("takes no more than it may hold, and has room again once records are stored", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world.client().producer({ bufferBytesMax: 10_000, batchBytesMax: 4_000 });
    world.cluster.acksHeld = true;
    let taken = 0;
    while (producer.enqueue({ topic: "t", value: KILOBYTE })) taken++;
    expect(taken).toBe(9);
    expect(producer.bufferedBytes).toBeLessThanOrEqual(10_000);
    const ready = producer.ready();
    let isReady = false;
    ready.then(
      () => {
        isReady = true;
      },
      () => undefined,
    );
    await world.time.advance(1_000);
    expect(isReady).toBe(false);
    world.cluster.releaseAcks();
    await world.time.until(ready);
    expect(producer.enqueue({ topic: "t", value: KILOBYTE })).toBe(true);
    await world.time.until(producer.flush());
    expect(producer.bufferedBytes).toBe(0);
    expect(count(world, "t")).toBe(10);
  });

  it("lets no batch linger while somebody needs its room", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 2);
    const producer = world
      .client()
      .producer({ bufferBytesMax: 4_000, batchBytesMax: 3_500, lingerMs: 60_000 });
    const records = Array.from({ length: 9 }, (_each, at) => ({
      topic: "t",
      partition: at % 2,
      value: KILOBYTE,
    }));
    const sent = producer.sendMany(records);
    await world.time.advance(1_000);
    expect(count(world, "t")).toBeGreaterThanOrEqual(6);
    await world.time.until(Promise.all([producer.flush(), sent]));
    expect(count(world, "t")).toBe(9);
  });

  it("lets senders wait for room in the order they came", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world.client().producer({ bufferBytesMax: 4_000, batchBytesMax: 1_500 });
    const sent = Array.from({ length: 6 }, (_, at) =>
      producer.send({ topic: "t", key: `${at}`, value: KILOBYTE }),
    );
    await world.time.until(Promise.all(sent));
    const keys = world.cluster
      .partition("t", 0)
      .texts()
      .map((record) => record.key);
    expect(keys).toEqual(["0", "1", "2", "3", "4", "5"]);
  });

  it("rejects who waited too long, and who comes when as much again waits", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world
      .client()
      .producer({ bufferBytesMax: 4_000, batchBytesMax: 1_500, maxBlockMs: 3_000 });
    world.cluster.acksHeld = true;
    const sent = Array.from({ length: 7 }, () => producer.send({ topic: "t", value: KILOBYTE }));
    const outcomes = Promise.allSettled(sent);
    await expect(sent[6]).rejects.toMatchObject({ code: "BUFFER_FULL" });
    await world.time.advance(2_900);
    world.cluster.releaseAcks();
    world.cluster.acksHeld = true;
    await world.time.advance(200);
    world.cluster.releaseAcks();
    const settled = await world.time.until(outcomes);
    const failed = settled.filter((outcome) => outcome.status === "rejected");
    expect(failed.length).toBeGreaterThanOrEqual(1);
    expect(count(world, "t")).toBe(7 - failed.length);
    await expect(producer.send({ topic: "t", value: "x".repeat(5_000) })).rejects.toMatchObject({
      code: "MESSAGE_TOO_LARGE",
    });
  });

  it("times out a wait for room, and lets go at once when the caller gives up", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world
      .client()
      .producer({ bufferBytesMax: 3_000, batchBytesMax: 1_500, maxBlockMs: 2_000 });
    world.cluster.acksHeld = true;
    while (producer.enqueue({ topic: "t", value: KILOBYTE }));
    const late = producer.send({ topic: "t", value: KILOBYTE });
    const tooLate = expect(late).rejects.toMatchObject({ code: "BUFFER_FULL" });
    await expect(world.time.until(producer.ready())).rejects.toMatchObject({ code: "BUFFER_FULL" });
    await tooLate;
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const waiting = producer.send({ topic: "t", value: KILOBYTE }, options);
    const alsoWaiting = producer.ready(options);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED", cause: new Error("enough") });
    await expect(alsoWaiting).rejects.toMatchObject({ code: "ABORTED" });
    const aborted = producer.send({ topic: "t", value: KILOBYTE }, options);
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    world.cluster.releaseAcks();
    await world.time.until(producer.flush());
    expect(count(world, "t")).toBe(2);
  });

  it("sends many more records than fit, at the pace of the cluster", async () => {
    const world = new FakeWorld();
    world.network.latencyMs = 2;
    world.cluster.createTopic("t", 4);
    const producer = world.client().producer({ bufferBytesMax: 20_000, batchBytesMax: 4_000 });
    const records = Array.from({ length: 500 }, () => ({ topic: "t", value: KILOBYTE }));
    const sent = producer.sendMany(records);
    let mostBytes = 0;
    const watch = world.ports.timers.after(1, function look() {
      mostBytes = Math.max(mostBytes, producer.bufferedBytes);
      if (count(world, "t") < 500) world.ports.timers.after(1, look);
    });
    expect(await world.time.until(sent)).toHaveLength(500);
    watch.cancel();
    expect(mostBytes).toBeLessThanOrEqual(20_000);
    expect(mostBytes).toBeGreaterThan(10_000);
  });
});

describe("bulk records", () => {
  it("are reported batch by batch", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const reports: DeliveryReport[] = [];
    const producer = world.client().producer({ onDelivery: (report) => reports.push(report) });
    for (let at = 0; at < 5; at++) producer.enqueue({ topic: "t", value: "v" });
    await world.time.until(producer.flush());
    const error = undefined;
    expect(reports).toEqual([{ topic: "t", partition: 0, recordCount: 5, baseOffset: 0, error }]);
  });

  it("make the next flush reject when they fail and nobody is told", async () => {
    const world = new FakeWorld();
    const producer = world.client({ topicWaitMs: 100 }).producer();
    producer.enqueue({ topic: "nope", value: "v" });
    await expect(world.time.until(producer.flush())).rejects.toMatchObject({
      code: "UNKNOWN_TOPIC_OR_PARTITION",
    });
    await world.time.until(producer.flush());
  });

  it("survive a listener that throws", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world.client().producer({
      onDelivery: () => {
        throw new Error("the listener's mistake");
      },
    });
    await world.time.until(producer.send({ topic: "t", value: "1" }));
    await world.time.until(producer.send({ topic: "t", value: "2" }));
    expect(count(world, "t")).toBe(2);
  });

  it("may be sent again by their own listener", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    let again = 3;
    const producer = world.client().producer({
      lingerMs: 0,
      onDelivery: () => {
        if (again-- > 0) producer.enqueue({ topic: "t", value: "again" });
      },
    });
    await world.time.until(producer.send({ topic: "t", value: "1" }));
    await world.time.advance(100);
    expect(count(world, "t")).toBe(4);
  });
});

describe("closing a producer", () => {
  it("sends what is there at once, and leaves neither timers nor streams behind", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 3);
    const client = world.client();
    const producer = client.producer({ lingerMs: 60_000 });
    const sent = ["a", "b", "c"].map((key) => producer.send({ topic: "t", key, value: "v" }));
    await world.time.until(producer.close());
    expect(world.time.monotonicMs()).toBe(0);
    await Promise.all(sent);
    expect(count(world, "t")).toBe(3);
    expect(world.time.pendingCount).toBe(0);
    expect(world.network.links.size).toBe(0);
    await expect(producer.send({ topic: "t", value: "v" })).rejects.toMatchObject({
      code: "CLIENT_CLOSED",
    });
    expect(() => producer.enqueue({ topic: "t", value: "v" })).toThrow(/closed/);
    await producer.close();
    await client.close();
  });

  it("rejects what is left when its time is over", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const producer = world.client().producer();
    world.cluster.acksHeld = true;
    const sent = producer.send({ topic: "t", value: "v" });
    const outcome = expect(sent).rejects.toMatchObject({
      code: "CLIENT_CLOSED",
      mayBeStored: true,
    });
    await world.time.until(producer.close({ timeoutMs: 1_000 }));
    await outcome;
    expect(world.time.pendingCount).toBe(0);
  });

  it("ends waits for room and for topics", async () => {
    const world = new FakeWorld();
    const producer = world.client({ topicWaitMs: 60_000 }).producer();
    const outcome = expect(producer.send({ topic: "nope", value: "v" })).rejects.toMatchObject({
      code: "CLIENT_CLOSED",
    });
    await world.time.until(producer.close({ timeoutMs: 0 }));
    await outcome;
    await world.time.settle();
    expect(world.time.pendingCount).toBe(0);
  });

  it("happens with the client, and when it goes out of scope", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    const client = world.client();
    const producer = client.producer();
    const sent = producer.send({ topic: "t", value: "v" });
    await world.time.until(client.close());
    expect(await sent).toMatchObject({ offset: 0 });
    expect(() => client.producer()).toThrow(/closed/);
    expect(world.time.pendingCount).toBe(0);
    const other = world.client();
    const disposed = other.producer();
    await world.time.until(disposed[Symbol.asyncDispose]());
    await expect(disposed.ready()).rejects.toMatchObject({ code: "CLIENT_CLOSED" });
  });
});
