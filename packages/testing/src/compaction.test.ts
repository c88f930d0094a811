import { setTimeout as sleep } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type TestCluster } from "./cluster.js";

const TOPIC = "compacted";
const KEYS = 20;
const ROUNDS = 36;

let cluster: TestCluster;

beforeAll(async () => {
  // Hardly any memory of recent batches: what is read is what is in the files.
  cluster = await startCluster({ broker: { cleanerCheckMs: 50, tailBytesMax: 1_000 } });
}, 60_000);

afterAll(async () => {
  await cluster.close();
});

/** The replica of the topic on each node. */
function logs() {
  return cluster.nodes.map((node) => {
    const all = [...(node.broker?.partitions.all() ?? [])];
    return all.find(({ settings }) => settings.isCompacted)?.log;
  });
}

async function until(isDone: () => boolean): Promise<void> {
  for (let step = 0; step < 400 && !isDone(); step++) await sleep(25);
  expect(isDone()).toBe(true);
}

/** Value of each key, as round `round` wrote it; a fifth of them are deleted. */
function latest(round: number): Map<string, string> {
  const values = new Map<string, string>();
  for (let key = 0; key < KEYS; key++) {
    if (key % 5 !== 0) values.set(`key ${key}`, `value ${round} of ${key}`.padEnd(100, "."));
  }
  return values;
}

/** By a producer of its own, whose last batch stays as a header when all of its records go. */
async function write(round: number): Promise<void> {
  const client = cluster.connect();
  await using producer = client.producer();
  const records = latest(round);
  await Promise.all(
    Array.from({ length: KEYS }, async (_, key) => {
      const value = records.get(`key ${key}`) ?? null;
      await producer.send({ topic: TOPIC, partition: 0, key: `key ${key}`, value });
    }),
  );
}

describe("a compacted topic on three brokers", () => {
  it("shrinks on every replica, and every client reads the last value of each key", async () => {
    const client = cluster.connect();
    await client.admin.createTopic({
      name: TOPIC,
      partitions: 1,
      replicationFactor: 3,
      configs: {
        "cleanup.policy": "compact",
        "segment.bytes": "16384",
        "min.cleanable.dirty.ratio": "0.01",
      },
    });
    await expect(
      (async () => {
        await using producer = client.producer();
        await producer.send({ topic: TOPIC, partition: 0, value: "without a key" });
      })(),
    ).rejects.toThrow("key");
    for (let round = 0; round < ROUNDS; round++) await write(round);
    await until(() => logs().every((log) => (log?.sizeBytes ?? 1e9) < 40_000));
    const expected = latest(ROUNDS - 1);
    expect(await readByClient()).toEqual(expected);
    expect(await readByKafkajs()).toEqual(expected);
  }, 60_000);

  /** A key whose last record is a tombstone is out. */
  function note(values: Map<string, string>, key: string, value: string | undefined): void {
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }

  async function readByClient(): Promise<Map<string, string>> {
    const values = new Map<string, string>();
    await using consumer = cluster.connect().consumer();
    await consumer.assign([{ topic: TOPIC, partition: 0, start: "earliest" }]);
    const end = KEYS * ROUNDS - 1;
    let count = 0;
    for await (const { offset, key, value } of consumer) {
      const text = (bytes: Uint8Array | null): string | undefined =>
        bytes === null ? undefined : Buffer.from(bytes).toString();
      note(values, text(key) ?? "", text(value));
      count += 1;
      if (offset === end) break;
    }
    expect(count).toBeLessThan(KEYS * ROUNDS);
    return values;
  }

  async function readByKafkajs(): Promise<Map<string, string>> {
    const values = new Map<string, string>();
    const kafka = new Kafka({
      brokers: [...cluster.kafkaBootstrap],
      logLevel: logLevel.NOTHING,
    });
    const consumer = kafka.consumer({ groupId: "readers", maxBytesPerPartition: 1_200 });
    await consumer.connect();
    await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
    let last = -1;
    await consumer.run({
      eachMessage: async ({ message: { offset, key, value } }) => {
        note(values, key?.toString() ?? "", value?.toString());
        last = Number(offset);
      },
    });
    try {
      await until(() => last === KEYS * ROUNDS - 1);
    } finally {
      await consumer.disconnect();
    }
    return values;
  }
});
