/** @platformatic/kafka against a cluster inside the process: the fast part of the report card. */
import {
  Admin,
  Consumer,
  type Message,
  MessagesStreamModes,
  ProduceAcks,
  Producer,
  stringDeserializers,
  stringSerializers,
} from "@platformatic/kafka";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type TestCluster } from "../cluster.js";

type Text = Message<string, string, string, string>;

let cluster: TestCluster;
let base: { clientId: string; bootstrapBrokers: string[] };

beforeAll(async () => {
  cluster = await startCluster();
  base = { clientId: "test", bootstrapBrokers: [...cluster.kafkaBootstrap] };
}, 60_000);

afterAll(async () => {
  await cluster.close();
});

async function createTopic(topic: string, partitions = 1): Promise<void> {
  const admin = new Admin(base);
  await admin.createTopics({ topics: [topic], partitions, replicas: 3 });
  await admin.close();
}

async function produce(
  topic: string,
  values: readonly string[],
  compression: "none" | "gzip" | "snappy" | "lz4" = "none",
): Promise<void> {
  const producer = new Producer({ ...base, serializers: stringSerializers });
  await producer.send({
    acks: ProduceAcks.ALL,
    compression,
    messages: values.map((value, at) => ({ topic, partition: 0, key: `key-${at}`, value })),
  });
  await producer.close();
}

/** Joins the group, reads `count` messages of one partition, commits the last, and leaves. */
async function readAsGroup(groupId: string, topic: string, count: number): Promise<Text[]> {
  const consumer = new Consumer({ ...base, groupId, deserializers: stringDeserializers });
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.COMMITTED,
    fallbackMode: "earliest",
    autocommit: false,
    maxWaitTime: 100,
  });
  const messages: Text[] = [];
  for await (const message of stream) {
    messages.push(message);
    if (messages.length < count) continue;
    await message.commit();
    break;
  }
  await consumer.close();
  return messages;
}

describe("@platformatic/kafka", () => {
  it.each(["none", "gzip", "snappy", "lz4"] as const)("reads what it wrote: %s", async (codec) => {
    const topic = `codec-${codec}`;
    await createTopic(topic);
    const values = Array.from({ length: 50 }, (_, at) => `value ${at}`.repeat(5));
    await produce(topic, values, codec);
    const messages = await readAsGroup(topic, topic, values.length);
    expect(messages.map(({ value }) => value)).toEqual(values);
    expect(messages.at(-1)?.offset).toBe(49n);
  });

  it("goes on behind what its group has committed", async () => {
    await createTopic("resumed");
    await produce("resumed", ["1", "2", "3"]);
    await readAsGroup("resumed", "resumed", 3);
    await produce("resumed", ["4", "5"]);
    const messages = await readAsGroup("resumed", "resumed", 2);
    expect(messages.map(({ value }) => value)).toEqual(["4", "5"]);
  });

  it("stores each batch of an idempotent producer once, in order", async () => {
    await createTopic("idempotent");
    const producer = new Producer({ ...base, serializers: stringSerializers, idempotent: true });
    for (let number = 0; number < 20; number += 1) {
      const messages = [{ topic: "idempotent", partition: 0, value: `${number}` }];
      const { offsets } = await producer.send({ messages });
      expect(offsets?.[0]?.offset).toBe(BigInt(number));
    }
    await producer.close();
  });

  it("administers topics, settings, records and groups", async () => {
    const admin = new Admin(base);
    await createTopic("administered", 2);
    expect(await admin.listTopics()).toContain("administered");
    await produce("administered", ["1", "2", "3"]);
    const resource = { resourceType: 2, resourceName: "administered" } as const;
    await admin.incrementalAlterConfigs({
      resources: [
        { ...resource, configs: [{ name: "retention.ms", configOperation: 0, value: "3600000" }] },
      ],
    });
    const [described] = await admin.describeConfigs({
      resources: [{ ...resource, configurationKeys: ["retention.ms"] }],
    });
    expect(described?.configs[0]?.value).toBe("3600000");
    const partitions = [{ partition: 0, offset: 2n }];
    const [deleted] = await admin.deleteRecords({ topics: [{ name: "administered", partitions }] });
    expect(deleted?.partitions[0]?.lowWatermark).toBe(2n);
    await readAsGroup("administered", "administered", 1);
    expect((await admin.listGroups()).has("administered")).toBe(true);
    await admin.deleteGroups({ groups: ["administered"] });
    await admin.deleteTopics({ topics: ["administered"] });
    expect(await admin.listTopics()).not.toContain("administered");
    await admin.close();
  });
});
