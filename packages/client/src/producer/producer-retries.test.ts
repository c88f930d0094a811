import { BrokerError } from "@strandline/model";
import { readBatchHeader } from "@strandline/record";
import { describe, expect, it } from "vitest";
import type { ClientOptions } from "../client-options.js";
import type { ProduceFault } from "../testing/fake-cluster.js";
import { FakeWorld } from "../testing/fake-world.js";
import type { Producer } from "./producer.js";
import type { ProducerOptions } from "./producer-options.js";

interface Scene {
  readonly world: FakeWorld;
  readonly producer: Producer;
}

/** A producer that has sent one record, "0", to the only partition of "t", led by broker 1. */
async function warmScene(
  options: ProducerOptions = {},
  client: Partial<ClientOptions> = {},
): Promise<Scene> {
  const world = new FakeWorld();
  world.cluster.createTopic("t", 1);
  const producer = world.client(client).producer({ lingerMs: 0, ...options });
  await world.time.until(producer.send({ topic: "t", value: "0" }));
  world.cluster.produced.length = 0;
  world.network.latencyMs = 1;
  return { world, producer };
}

/** Sends each value as a batch of its own, all under way at once. */
async function sendApart({ world, producer }: Scene, values: readonly string[]) {
  const sent = [];
  for (const value of values) {
    const promise = producer.send({ topic: "t", value });
    promise.catch(() => undefined);
    sent.push(promise);
    // The turn ends, and with it the batch; nothing arrives before time moves on.
    await world.time.settle();
  }
  return sent;
}

function stored(world: FakeWorld): readonly (string | null)[] {
  return world.cluster
    .partition("t", 0)
    .texts()
    .map((record) => record.value);
}

/** "<producer id>:<base sequence>" of the requests that arrived; an epoch after the id, from 1 on. */
function stamps(world: FakeWorld): readonly string[] {
  return world.cluster.produced.map(({ request }) => {
    const header = readBatchHeader(request.batch, 0);
    const epoch = header.producerEpoch <= 0 ? "" : `.${header.producerEpoch}`;
    return `${header.producerId}${epoch}:${header.baseSequence}`;
  });
}

/** Applies the faults to the next requests, one each; undefined lets one through. */
function faults(world: FakeWorld, list: readonly (ProduceFault | undefined)[]): void {
  const left = [...list];
  world.cluster.onProduce = () => left.shift();
}

const refuse = (code: BrokerError["code"]): ProduceFault => ({
  kind: "refuse",
  error: new BrokerError(code, "says the test"),
});

describe("a producer whose requests get lost", () => {
  it("sends a batch whose answer was lost again under its number, stored once", async () => {
    const scene = await warmScene();
    faults(scene.world, [{ kind: "lose-answer" }]);
    const [sent] = await sendApart(scene, ["1"]);
    expect(await scene.world.time.until(sent!)).toMatchObject({ offset: 1 });
    expect(stamps(scene.world)).toEqual(["1000:1", "1000:1"]);
    expect(stored(scene.world)).toEqual(["0", "1"]);
  });

  it("keeps the order of batches that were under way when the first was lost", async () => {
    const scene = await warmScene();
    faults(scene.world, [{ kind: "lose-request" }]);
    const sent = await sendApart(scene, ["1", "2", "3", "4"]);
    const results = await scene.world.time.until(Promise.all(sent));
    expect(results.map((each) => each.offset)).toEqual([1, 2, 3, 4]);
    expect(stored(scene.world)).toEqual(["0", "1", "2", "3", "4"]);
  });

  it("sends nothing new past a refused batch, and all of them again in order", async () => {
    const scene = await warmScene();
    faults(scene.world, [refuse("NOT_ENOUGH_REPLICAS")]);
    const sent = await sendApart(scene, ["1", "2", "3"]);
    await scene.world.time.advance(10);
    const late = await sendApart(scene, ["4"]);
    await scene.world.time.until(Promise.all([...sent, ...late]));
    expect(stamps(scene.world)).toEqual([
      "1000:1",
      "1000:2",
      "1000:3",
      "1000:1",
      "1000:2",
      "1000:3",
      "1000:4",
    ]);
    expect(stored(scene.world)).toEqual(["0", "1", "2", "3", "4"]);
  });

  it("follows the leader when the old one refuses", async () => {
    const scene = await warmScene();
    const sent = await sendApart(scene, ["1"]);
    scene.world.cluster.moveLeader("t", 0, 3);
    expect(await scene.world.time.until(sent[0]!)).toMatchObject({ offset: 1 });
    expect(scene.world.cluster.produced.map((each) => each.brokerId)).toEqual([1, 3]);
    // The refusal named the new leader: no back-off was needed.
    expect(scene.world.time.monotonicMs()).toBeLessThan(50);
  });

  it("follows the leader when the old one is gone", async () => {
    const scene = await warmScene();
    const { world } = scene;
    world.network.down(world.cluster.address(1));
    world.cluster.moveLeader("t", 0, 2);
    const sent = await sendApart(scene, ["1", "2"]);
    const results = await world.time.until(Promise.all(sent));
    expect(results.map((each) => each.offset)).toEqual([1, 2]);
    expect(stored(world)).toEqual(["0", "1", "2"]);
  });

  it("goes through another broker while the leader's address does not answer", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    world.cluster.forwards = true;
    // What the cluster says of broker 1 leads nowhere from here; one other broker is reachable.
    world.cluster.brokers.set(1, "hidden:9000");
    const client = world.client({ bootstrap: ["broker-2:9000"] });
    world.network.down("broker-3:9000");
    const producer = client.producer();
    const sent = ["a", "b", "c"].map((value) => producer.send({ topic: "t", value }));
    await world.time.until(Promise.all(sent));
    expect(new Set(world.cluster.produced.map((each) => each.brokerId))).toEqual(new Set([2]));
    // Once it answers, the detour ends.
    const host = world.network.hosts.get("broker-1:9000");
    if (host !== undefined) world.network.hosts.set("hidden:9000", host);
    for (let round = 0; round < 20; round++) {
      await world.time.until(producer.send({ topic: "t", value: "d" }));
      await world.time.advance(1_000);
    }
    expect(world.cluster.produced.at(-1)?.brokerId).toBe(1);
  });

  it("waits for a leader while there is none", async () => {
    const scene = await warmScene();
    const { world } = scene;
    world.cluster.moveLeader("t", 0, -1);
    const sent = await sendApart(scene, ["1"]);
    await world.time.advance(3_000);
    expect(stored(world)).toEqual(["0"]);
    world.cluster.moveLeader("t", 0, 2);
    await world.time.until(sent[0]!);
    expect(stored(world)).toEqual(["0", "1"]);
  });

  it("leaves a broker that hangs as soon as another leads in its place", async () => {
    const scene = await warmScene();
    const { world } = scene;
    const host = world.network.hosts.get(world.cluster.address(1));
    if (host !== undefined) host.isSilent = true;
    const sent = await sendApart(scene, ["1", "2"]);
    await world.time.advance(4_000);
    world.cluster.moveLeader("t", 0, 2);
    await world.time.until(Promise.all(sent));
    expect(stored(world)).toEqual(["0", "1", "2"]);
    expect(world.time.monotonicMs()).toBeLessThan(11_000);
  });

  it("gives up a connection that is up and says nothing", async () => {
    const scene = await warmScene({ requestTimeoutMs: 2_000 });
    const { world } = scene;
    const host = world.network.hosts.get(world.cluster.address(1));
    if (host !== undefined) host.isSilent = true;
    const sent = await sendApart(scene, ["1", "2"]);
    await world.time.advance(5_000);
    world.cluster.moveLeader("t", 0, 2);
    await world.time.until(Promise.all(sent));
    expect(stored(world)).toEqual(["0", "1", "2"]);
    expect(world.time.monotonicMs()).toBeLessThan(20_000);
  });
});

describe("a producer whose batch fails for good", () => {
  it("rejects a refused batch, and takes another identity for those after it", async () => {
    const scene = await warmScene();
    faults(scene.world, [refuse("MESSAGE_TOO_LARGE")]);
    const [bad, ...good] = await sendApart(scene, ["1", "2", "3"]);
    await expect(scene.world.time.until(bad!)).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
    await scene.world.time.until(Promise.all(good));
    expect(stored(scene.world)).toEqual(["0", "2", "3"]);
    expect(stamps(scene.world)).toEqual(["1000:1", "1000:2", "1000:3", "1000.1:0", "1000.1:1"]);
  });

  it("sends a batch that is too large for its topic again in halves, in order", async () => {
    for (const compression of ["none", "gzip"] as const) {
      for (const idempotent of [true, false]) {
        const scene = await warmScene({ batchBytesMax: 50_000, compression, idempotent });
        const { world, producer } = scene;
        world.cluster.onProduce = (request) => {
          const { recordCount } = readBatchHeader(request.batch, 0);
          return recordCount > 30 ? refuse("MESSAGE_TOO_LARGE") : undefined;
        };
        const values = Array.from({ length: 200 }, (_each, at) => `${1 + at}`.padEnd(100, "."));
        const sent = values.map((value) => producer.send({ topic: "t", value }));
        const flushed = producer.flush();
        const results = await world.time.until(Promise.all(sent));
        await world.time.until(flushed);
        expect(results.map((each) => each.offset)).toEqual(values.map((_each, at) => 1 + at));
        expect(stored(world)).toEqual(["0", ...values]);
        expect(producer.bufferedBytes).toBe(0);
        // What comes later is gathered in batches that fit.
        const before = world.cluster.produced.length;
        await world.time.until(producer.sendMany(values.map((value) => ({ topic: "t", value }))));
        expect(world.cluster.produced.length - before).toBeLessThan(30);
      }
    }
  });

  it("begins again when the producer's epoch is refused", async () => {
    const scene = await warmScene();
    faults(scene.world, [refuse("INVALID_PRODUCER_EPOCH")]);
    const [bad] = await sendApart(scene, ["1"]);
    await expect(scene.world.time.until(bad!)).rejects.toMatchObject({
      code: "INVALID_PRODUCER_EPOCH",
    });
    const [good] = await sendApart(scene, ["2"]);
    await scene.world.time.until(good!);
    expect(stamps(scene.world)).toEqual(["1000:1", "1000.1:0"]);
  });

  it("renumbers what is surely not stored when the broker lost the past", async () => {
    const scene = await warmScene({ acks: "leader" });
    const { world } = scene;
    await world.time.until(scene.producer.send({ topic: "t", value: "1" }));
    world.cluster.partition("t", 0).lose(1);
    const sent = await sendApart(scene, ["2", "3"]);
    await world.time.until(Promise.all(sent));
    expect(stored(world)).toEqual(["0", "2", "3"]);
    expect(stamps(world).at(-1)).toBe("1000.1:1");
  });

  it("rejects what may be stored when its time is over, and uses no number twice", async () => {
    const scene = await warmScene({ deliveryTimeoutMs: 10_000 });
    const { world } = scene;
    // Appended, but nobody says so until the time is over.
    world.cluster.onProduce = () => ({ kind: "lose-answer" });
    const [lost] = await sendApart(scene, ["1"]);
    await expect(world.time.until(lost!)).rejects.toMatchObject({
      code: "DELIVERY_TIMED_OUT",
      mayBeStored: true,
    });
    expect(world.time.monotonicMs()).toBeLessThan(10_100);
    world.cluster.onProduce = undefined;
    const next = await sendApart(scene, ["2"]);
    expect(await world.time.until(next[0]!)).toMatchObject({ offset: 2 });
    expect(stored(world)).toEqual(["0", "1", "2"]);
    expect(stamps(world).at(-1)).toBe("1000.1:0");
  });

  it("leaves no place behind later records for what it has given up", async () => {
    const scene = await warmScene({ deliveryTimeoutMs: 5_000, requestTimeoutMs: 2_000 });
    const { world } = scene;
    // The first attempt sleeps in a buffer somewhere; those after it are never heard of.
    faults(world, [
      { kind: "haunt", delayMs: 20_000 },
      ...Array.from({ length: 20 }, () => ({ kind: "lose-request" }) as const),
    ]);
    const [lost] = await sendApart(scene, ["1"]);
    await expect(world.time.until(lost!)).rejects.toMatchObject({
      code: "DELIVERY_TIMED_OUT",
      mayBeStored: true,
    });
    world.cluster.onProduce = undefined;
    const [next] = await sendApart(scene, ["2"]);
    await world.time.until(next!);
    await world.time.advance(30_000);
    expect(stored(world)).toEqual(["0", "2"]);
  });

  it("says that a batch that was never sent is not stored, and keeps its identity", async () => {
    const world = new FakeWorld();
    world.cluster.createTopic("t", 1);
    world.cluster.moveLeader("t", 0, -1);
    const producer = world.client().producer({ deliveryTimeoutMs: 5_000 });
    const sent = producer.send({ topic: "t", value: "1" });
    await expect(world.time.until(sent)).rejects.toMatchObject({
      code: "DELIVERY_TIMED_OUT",
      mayBeStored: false,
    });
    world.cluster.moveLeader("t", 0, 2);
    await world.time.until(producer.send({ topic: "t", value: "2" }));
    expect(stamps(world)).toEqual(["1000:0"]);
  });

  it("tells those behind a lost batch that their fate is unknown, and goes on", async () => {
    const scene = await warmScene({ deliveryTimeoutMs: 8_000, requestTimeoutMs: 2_000 });
    const { world } = scene;
    const host = world.network.hosts.get(world.cluster.address(1));
    if (host !== undefined) host.isSilent = true;
    const first = await sendApart(scene, ["1"]);
    await world.time.advance(1_000);
    const second = await sendApart(scene, ["2"]);
    await expect(world.time.until(first[0]!)).rejects.toMatchObject({ code: "DELIVERY_TIMED_OUT" });
    await expect(world.time.until(second[0]!)).rejects.toMatchObject({ mayBeStored: true });
    world.cluster.moveLeader("t", 0, 2);
    const third = await sendApart(scene, ["3"]);
    await world.time.until(third[0]!);
    expect(stored(world)).toEqual(["0", "3"]);
    expect(stamps(world).at(-1)).toMatch(/^1000\.[1-9]:0$/);
  });

  it("fails the batches of a topic that was deleted", async () => {
    const scene = await warmScene({}, { topicWaitMs: 2_000 });
    scene.world.cluster.topics.delete("t");
    const [sent] = await sendApart(scene, ["1"]);
    await expect(scene.world.time.until(sent!)).rejects.toMatchObject({
      code: "UNKNOWN_TOPIC_OR_PARTITION",
    });
    expect(scene.world.time.monotonicMs()).toBeLessThan(5_000);
  });
});

describe("a producer without idempotence", () => {
  it("keeps one batch under way, so that order holds over retries", async () => {
    const scene = await warmScene({ idempotent: false });
    faults(scene.world, [refuse("NOT_ENOUGH_REPLICAS")]);
    const sent = await sendApart(scene, ["1", "2", "3"]);
    await scene.world.time.until(Promise.all(sent));
    expect(stored(scene.world)).toEqual(["0", "1", "2", "3"]);
    expect(stamps(scene.world).every((stamp) => stamp === "-1:-1")).toBe(true);
  });
});
