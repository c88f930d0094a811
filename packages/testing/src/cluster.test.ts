import { setTimeout as sleep } from "node:timers/promises";
import type { Consumer, ConsumerRecord, StrandlineClient } from "@strandline/client";
import { BrokerError } from "@strandline/model";
import { crc32c, nullLogger } from "@strandline/platform";
import { BatchEncoder } from "@strandline/record";
import { GrpcTransport, logMethods, type ProduceRequest } from "@strandline/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type TestCluster } from "./cluster.js";

let cluster: TestCluster;
let client: StrandlineClient;

beforeAll(async () => {
  cluster = await startCluster();
  client = cluster.connect();
}, 60_000);

afterAll(async () => {
  await cluster.close();
});

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}

/** Reads `count` records of one partition from its beginning. */
async function read(topic: string, partition: number, count: number): Promise<ConsumerRecord[]> {
  await using consumer: Consumer = client.consumer();
  await consumer.assign([{ topic, partition, start: "earliest" }]);
  const records: ConsumerRecord[] = [];
  for await (const record of consumer) {
    records.push(record);
    if (records.length === count) break;
  }
  return records;
}

function request(part: Partial<ProduceRequest>): ProduceRequest {
  return {
    correlationId: 0,
    topic: "",
    acks: "ACKS_ALL",
    timeoutMs: 5_000,
    records: [],
    batch: new Uint8Array(0),
    forwarded: false,
    ...part,
  };
}

/** Calls the gRPC API without the client, as any other language would. */
async function produceRaw(part: Partial<ProduceRequest>, broker = 0) {
  const transport = new GrpcTransport({ logger: nullLogger });
  try {
    const address = cluster.bootstrap[broker] as string;
    return await transport.call(address, logMethods.produce, request(part), { timeoutMs: 10_000 });
  } finally {
    await transport.close();
  }
}

describe("a cluster of three", () => {
  it("keeps everything a record has", async () => {
    await client.admin.createTopic({ name: "whole", partitions: 1 });
    await using producer = client.producer();
    const sent = await producer.send({
      topic: "whole",
      key: "k",
      value: "v",
      headers: [{ key: "h", value: Buffer.from([0, 255]) }],
      timestampMs: 1_700_000_000_000,
    });
    await producer.send({ topic: "whole", key: null, value: "no key" });
    await producer.send({ topic: "whole", key: "k", value: null });
    const records = await read("whole", 0, 3);
    expect(sent).toMatchObject({ partition: 0, offset: 0 });
    expect(records.map(({ key, value }) => [text(key), text(value)])).toEqual([
      ["k", "v"],
      [null, "no key"],
      ["k", null],
    ]);
    expect(records[0]?.timestampMs).toBe(1_700_000_000_000);
    expect([...(records[0]?.headers[0]?.value ?? [])]).toEqual([0, 255]);
  });

  it("passes batches of every codec through, and opens them for plain readers", async () => {
    await client.admin.createTopic({ name: "codecs", partitions: 1 });
    const value = "compressible ".repeat(200);
    for (const compression of ["gzip", "snappy", "lz4", "zstd"] as const) {
      await using producer = client.producer({ compression });
      await producer.send({ topic: "codecs", key: compression, value });
    }
    const records = await read("codecs", 0, 4);
    expect(records.map(({ key }) => text(key))).toEqual(["gzip", "snappy", "lz4", "zstd"]);
    expect(records.every((record) => text(record.value) === value)).toBe(true);
  });

  it("serves any partition through any broker", async () => {
    await client.admin.createTopic({ name: "any", partitions: 3 });
    const transport = new GrpcTransport({ logger: nullLogger });
    for (const [broker, address] of cluster.bootstrap.entries()) {
      for (let partition = 0; partition < 3; partition += 1) {
        const value = Buffer.from(`${broker}`);
        await produceRaw(
          { topic: "any", partition, records: [{ offset: 0, value, headers: [] }] },
          broker,
        );
        const fetched = await transport.call(
          address,
          logMethods.fetch,
          {
            topic: "any",
            partition,
            offset: broker,
            bytesMax: 0,
            bytesMin: 1,
            waitMsMax: 5_000,
            format: "RECORD_FORMAT_RECORDS",
            forwarded: false,
          },
          { timeoutMs: 10_000 },
        );
        expect(fetched.records.map((record) => text(record.value ?? null))).toEqual([`${broker}`]);
      }
    }
    await transport.close();
  });

  it("answers a stream that it passes on with the caller's own correlation ids", async () => {
    await client.admin.createTopic({ name: "passed-on", partitions: 3 });
    const transport = new GrpcTransport({ logger: nullLogger });
    const answers = new Map<number, number>();
    await new Promise<void>((resolve) => {
      const address = cluster.bootstrap[0] as string;
      const stream = transport.open(address, logMethods.produceStream, {
        onMessage: (answer) => answers.set(answer.correlationId, answer.partition),
        onEnd: () => resolve(),
      });
      // Whichever broker is asked, it leads one of the three at most: the others are passed on.
      for (const partition of [0, 1, 2]) {
        const records = [{ offset: 0, value: Buffer.from("v"), headers: [] }];
        stream.send(
          request({ topic: "passed-on", partition, correlationId: 70 + partition, records }),
        );
      }
      stream.end();
    });
    await transport.close();
    expect([...answers].sort(([a], [b]) => a - b)).toEqual([
      [70, 0],
      [71, 1],
      [72, 2],
    ]);
  });

  it("lets keys choose partitions when a request names none", async () => {
    await client.admin.createTopic({ name: "keys", partitions: 4 });
    const records = ["a", "b", "c", "a", "d"].map((key) => ({
      offset: 0,
      key: Buffer.from(key),
      value: Buffer.from("v"),
      headers: [],
    }));
    const answer = await produceRaw({ topic: "keys", records });
    expect(answer.positions).toHaveLength(5);
    expect(answer.positions[0]?.partition).toBe(answer.positions[3]?.partition);
    const sum = await client.admin.listOffsets({ topic: "keys", position: "latest" });
    expect(sum.reduce((total, { offset }) => total + offset, 0)).toBe(5);
  });

  it("finds offsets by time", async () => {
    await client.admin.createTopic({ name: "times", partitions: 1 });
    await using producer = client.producer({ lingerMs: 0 });
    for (const timestampMs of [1_000, 2_000, 3_000]) {
      await producer.send({ topic: "times", value: "v", timestampMs });
    }
    const at = async (timestampMs: number) =>
      (await client.admin.listOffsets({ topic: "times", position: { timestampMs } }))[0]?.offset;
    expect(await at(1_500)).toBe(1);
    expect(await at(3_000)).toBe(2);
    expect(await at(9_000)).toBe(-1);
  });

  it("deletes records, and says where the log begins now", async () => {
    await client.admin.createTopic({ name: "shrink", partitions: 1 });
    await using producer = client.producer({ lingerMs: 0 });
    for (let at = 0; at < 5; at += 1) await producer.send({ topic: "shrink", value: `${at}` });
    await client.admin.deleteRecords({ topic: "shrink", targets: [{ partition: 0, before: 3 }] });
    expect((await read("shrink", 0, 2)).map(({ offset }) => offset)).toEqual([3, 4]);
  });

  it("adds partitions and changes settings while in use", async () => {
    await client.admin.createTopic({ name: "grow", partitions: 1 });
    await client.admin.createPartitions({ topic: "grow", totalCount: 3 });
    await client.admin.alterConfigs({ topic: "grow", set: { "max.message.bytes": "2000" } });
    await using producer = client.producer();
    await producer.send({ topic: "grow", partition: 2, value: "v" });
    await expect(
      producer.send({ topic: "grow", partition: 2, value: "x".repeat(3_000) }),
    ).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
    const described = await client.admin.describeTopic("grow");
    expect(described.partitions).toHaveLength(3);
  });
});

describe("a refusal", () => {
  it("names the topic that does not exist", async () => {
    const records = [{ offset: 0, value: Buffer.from("v"), headers: [] }];
    await expect(produceRaw({ topic: "nowhere", partition: 0, records })).rejects.toMatchObject({
      code: "UNKNOWN_TOPIC_OR_PARTITION",
      retriable: true,
    });
  });

  it("comes before a byte of a broken batch is stored", async () => {
    await client.admin.createTopic({ name: "clean", partitions: 1 });
    const encoder = new BatchEncoder();
    encoder.append({ key: null, value: Buffer.from("value"), timestampMs: 1 });
    const batch = encoder.finish({ crc32c });
    batch[batch.length - 2] = (batch[batch.length - 2] ?? 0) ^ 1;
    await expect(produceRaw({ topic: "clean", partition: 0, batch })).rejects.toBeInstanceOf(
      BrokerError,
    );
    await expect(
      produceRaw({ topic: "clean", partition: 0, batch: Uint8Array.of(1, 2, 3) }),
    ).rejects.toMatchObject({ code: "CORRUPT_MESSAGE" });
    const [end] = await client.admin.listOffsets({ topic: "clean", position: "latest" });
    expect(end?.offset).toBe(0);
  });

  it("keeps a weak promise from being made by accident", async () => {
    const configs = { "min.insync.replicas": "1" };
    await expect(client.admin.createTopic({ name: "weak", configs })).rejects.toBeInstanceOf(
      BrokerError,
    );
    await client.admin.createTopic({ name: "weak", configs, allowWeakDurability: true });
  });
});

describe("a broker that stops", () => {
  it("hands over, comes back, and nothing is lost or repeated", async () => {
    await client.admin.createTopic({ name: "steady", partitions: 3 });
    await using producer = client.producer({ lingerMs: 0 });
    const sent: Promise<unknown>[] = [];
    const send = async (count: number): Promise<void> => {
      for (let at = 0; at < count; at += 1) {
        const value = `${sent.length}`;
        sent.push(producer.send({ topic: "steady", key: value, value }));
        if (at % 20 === 0) await sleep(1);
      }
    };
    await send(200);
    const stopping = cluster.stop(0, { handOver: true });
    await send(400);
    await stopping;
    await send(200);
    await cluster.restart(0);
    await send(200);
    await Promise.all(sent);
    const ends = await client.admin.listOffsets({ topic: "steady", position: "latest" });
    const values: string[] = [];
    for (const { partition, offset } of ends) {
      const records = offset === 0 ? [] : await read("steady", partition, offset);
      const own = records.map((record) => Number(text(record.value)));
      expect(own).toEqual([...own].sort((a, b) => a - b));
      values.push(...records.map((record) => text(record.value) ?? ""));
    }
    expect(new Set(values).size).toBe(sent.length);
    expect(values).toHaveLength(sent.length);
  }, 60_000);
});
