/** kafkajs against a cluster inside the process: the fast part of the report card. */
import { type Consumer, Kafka, type KafkaMessage, logLevel } from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type TestCluster } from "../cluster.js";

/** kafkajs waits for its last fetch when it disconnects. */
const WAIT_MS_MAX = 100;

let cluster: TestCluster;
let kafka: Kafka;

beforeAll(async () => {
  cluster = await startCluster();
  kafka = new Kafka({
    clientId: "test",
    brokers: [...cluster.kafkaBootstrap],
    logLevel: logLevel.NOTHING,
  });
}, 60_000);

afterAll(async () => {
  await cluster.close();
});

async function createTopic(topic: string, numPartitions = 1): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions }] });
  await admin.disconnect();
}

async function produce(topic: string, values: readonly string[], partition = 0): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ value, partition })) });
  await producer.disconnect();
}

interface Member {
  readonly consumer: Consumer;
  readonly messages: KafkaMessage[];
  /** Resolves once it has `count` messages. */
  until(count: number): Promise<void>;
}

async function member(
  groupId: string,
  topic: string,
  onAssigned: (partitions: number) => void = () => undefined,
): Promise<Member> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: WAIT_MS_MAX });
  const messages: KafkaMessage[] = [];
  const waiting: { count: number; resolve(): void }[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) =>
    onAssigned(payload.memberAssignment[topic]?.length ?? 0),
  );
  await consumer.run({
    eachMessage: async ({ message }) => {
      messages.push(message);
      for (const { count, resolve } of waiting) if (messages.length >= count) resolve();
    },
  });
  const until = async (count: number): Promise<void> => {
    if (messages.length >= count) return;
    await new Promise<void>((resolve) => {
      waiting.push({ count, resolve });
    });
  };
  return { consumer, messages, until };
}

function textOf(messages: readonly KafkaMessage[]): (string | undefined)[] {
  return messages.map(({ value }) => value?.toString());
}

describe("kafkajs", () => {
  it("gets back keys, values, null values, headers and timestamps", async () => {
    await createTopic("fields");
    const producer = kafka.producer({ idempotent: true });
    await producer.connect();
    await producer.send({
      topic: "fields",
      messages: [
        { key: "k", value: "v", headers: { one: "1" }, timestamp: "1700000000001" },
        { key: "gone", value: null, timestamp: "1700000000002" },
      ],
    });
    await producer.disconnect();
    const reader = await member("fields", "fields");
    await reader.until(2);
    await reader.consumer.disconnect();
    const [first, second] = reader.messages;
    expect(first?.key?.toString()).toBe("k");
    expect(first?.value?.toString()).toBe("v");
    expect(first?.headers?.["one"]?.toString()).toBe("1");
    expect(first?.timestamp).toBe("1700000000001");
    expect(second?.key?.toString()).toBe("gone");
    expect(second?.value).toBeNull();
  });

  it("goes on behind what its group has committed", async () => {
    await createTopic("resumed");
    await produce("resumed", ["1", "2", "3"]);
    const first = await member("resumed", "resumed");
    await first.until(3);
    await first.consumer.disconnect();
    await produce("resumed", ["4", "5"]);
    const second = await member("resumed", "resumed");
    await second.until(2);
    await second.consumer.disconnect();
    expect(textOf(second.messages)).toEqual(["4", "5"]);
  });

  it("shares the partitions of a topic between two members", async () => {
    await createTopic("shared", 4);
    const counts = new Map<string, number>();
    const join = async (name: string): Promise<Member> =>
      await member("shared", "shared", (partitions) => counts.set(name, partitions));
    const members = await Promise.all(["one", "two"].map(join));
    while (counts.get("one") !== 2 || counts.get("two") !== 2) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await Promise.all(members.map(async ({ consumer }) => await consumer.disconnect()));
  });

  it("administers topics, partitions, settings and offsets", async () => {
    const admin = kafka.admin();
    await admin.connect();
    const entry = { name: "retention.ms", value: "3600000" };
    const topics = [{ topic: "administered", numPartitions: 2, configEntries: [entry] }];
    expect(await admin.createTopics({ topics })).toBe(true);
    expect(await admin.listTopics()).toContain("administered");
    await admin.createPartitions({ topicPartitions: [{ topic: "administered", count: 3 }] });
    await produce("administered", ["1", "2"], 1);
    const offsets = await admin.fetchTopicOffsets("administered");
    expect(offsets.find(({ partition }) => partition === 1)).toMatchObject({ low: "0", high: "2" });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: "administered", configNames: ["retention.ms"] }],
    });
    expect(resources[0]?.configEntries[0]?.configValue).toBe("3600000");
    await admin.deleteTopics({ topics: ["administered"] });
    expect(await admin.listTopics()).not.toContain("administered");
    await admin.disconnect();
  });
});
