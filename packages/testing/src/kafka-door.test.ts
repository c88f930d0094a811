import { ZERO_UUID } from "@strandline/kafka-protocol";
import { errorNumber } from "@strandline/model";
import { crc32c, nodeCompressors } from "@strandline/platform";
import { BatchEncoder, baseOffset, compressionOf, computeCrc } from "@strandline/record";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type TestCluster } from "./cluster.js";
import { RawKafka } from "./testdata/raw-kafka.js";

let cluster: TestCluster;
const dialed: RawKafka[] = [];

beforeAll(async () => {
  cluster = await startCluster();
}, 60_000);

afterAll(async () => {
  await cluster.close();
});

afterEach(() => {
  for (const raw of dialed.splice(0)) raw.close();
});

async function dial(broker = 0): Promise<RawKafka> {
  const raw = await RawKafka.dial(cluster.kafkaBootstrap[broker] as string);
  dialed.push(raw);
  return raw;
}

interface TestTopic {
  readonly name: string;
  readonly id: string;
  /** By partition: where its leader is. */
  readonly leaders: readonly number[];
}

let topics = 0;

async function newTopic(
  partitions = 1,
  configs: readonly { name: string; value: string }[] = [],
): Promise<TestTopic> {
  topics += 1;
  const name = `topic-${topics}`;
  const raw = await dial();
  const topic = { name, numPartitions: partitions, replicationFactor: 3 };
  const created = await raw.call("CreateTopics", 7, {
    topics: [{ ...topic, assignments: [], configs }],
  });
  expect(created.topics[0]).toMatchObject({ name, errorCode: 0, numPartitions: partitions });
  const { topics: described } = await raw.call("Metadata", 12, { topics: [{ name }] } as never);
  return {
    name,
    id: described[0]?.topicId ?? "",
    leaders: described[0]?.partitions.map(({ leaderId }) => leaderId - 1) ?? [],
  };
}

interface BatchOptions {
  readonly values?: readonly string[];
  readonly timestampMs?: number;
  readonly codec?: "gzip" | "zstd";
  readonly producerId?: number;
  readonly baseSequence?: number;
}

function batch(options: BatchOptions = {}): Uint8Array {
  const encoder = new BatchEncoder();
  const { timestampMs = Date.now(), codec } = options;
  // Where compressing saves nothing, a batch stays as it is.
  const { values = [codec === undefined ? "v" : "v".repeat(1_000)] } = options;
  for (const value of values) {
    encoder.append({ key: null, value: Buffer.from(value), timestampMs, headers: [] });
  }
  const { compress } = compressionOf(nodeCompressors);
  const producer =
    options.producerId === undefined
      ? {}
      : {
          producerId: options.producerId,
          producerEpoch: 0,
          baseSequence: options.baseSequence ?? 0,
        };
  return encoder
    .finish({
      crc32c,
      ...producer,
      ...(codec === undefined
        ? {}
        : { compression: { name: codec, compress: (bytes) => compress(codec, bytes) } }),
    })
    .slice();
}

async function produce(
  raw: RawKafka,
  topic: string,
  records: Uint8Array | null,
  options: { version?: number; acks?: number; partition?: number; id?: string } = {},
) {
  const { version = 9, acks = -1, partition = 0, id = null } = options;
  const { responses, nodeEndpoints } = await raw.call("Produce", version, {
    transactionalId: id,
    acks,
    timeoutMs: 10_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
  });
  const answer = responses[0]?.partitionResponses[0];
  if (answer === undefined) throw new Error("no answer for the partition");
  return { ...answer, nodeEndpoints };
}

describe("Metadata at the Kafka door", () => {
  it("tells a client of each broker an address that it can reach", async () => {
    for (const broker of [0, 1, 2]) {
      const raw = await dial(broker);
      const { brokers, clusterId, controllerId } = await raw.call("Metadata", 9, { topics: [] });
      const addresses = new Map(
        brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]),
      );
      expect(addresses).toEqual(new Map(cluster.kafkaBootstrap.map((one, at) => [at + 1, one])));
      expect(clusterId).toBe(cluster.nodes[0]?.clusterId);
      expect([1, 2, 3]).toContain(controllerId);
    }
  });

  it("takes an empty list for all topics only from the oldest clients", async () => {
    const { name } = await newTopic();
    const raw = await dial();
    const names = async (version: number, asked: null | []) => {
      const response = await raw.call("Metadata", version, { topics: asked });
      return response.topics.map((topic) => topic.name);
    };
    expect(await names(0, [])).toContain(name);
    expect(await names(1, [])).toEqual([]);
    expect(await names(1, null)).toContain(name);
    expect(await names(12, null)).toContain(name);
  });

  it("describes partitions, by name and by id", async () => {
    const { name, id } = await newTopic(2);
    const raw = await dial();
    for (const asked of [{ name }, { name: null, topicId: id }]) {
      const { topics: described } = await raw.call("Metadata", 12, { topics: [asked] });
      expect(described).toMatchObject([{ errorCode: 0, name, topicId: id, isInternal: false }]);
      const { partitions } = described[0] as (typeof described)[0];
      expect(partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([0, 1]);
      for (const one of partitions) {
        expect(one).toMatchObject({ errorCode: 0, offlineReplicas: [] });
        expect(new Set(one.isrNodes)).toEqual(new Set([1, 2, 3]));
        expect(one.replicaNodes[0]).toBe(one.leaderId);
      }
    }
  });

  it("creates a topic for who names it and allows that, once", async () => {
    const raw = await dial();
    const ask = async (name: string, allowAutoTopicCreation: boolean) => {
      const { topics: described } = await raw.call("Metadata", 9, {
        topics: [{ name }, { name }],
        allowAutoTopicCreation,
      });
      return described.map(({ errorCode, partitions }) => [errorCode, partitions.length]);
    };
    expect(await ask("made", false)).toEqual([[3, 0]]);
    expect(await ask("made", true)).toEqual([[0, 1]]);
    expect(await ask("made", false)).toEqual([[0, 1]]);
    expect(await ask("no good name", true)).toEqual([[17, 0]]);
  });

  it("refuses an id that there is not, and one where there were none yet", async () => {
    const raw = await dial();
    const unknown = "AAAAAAAAAAAAAAAAAAAAAQ";
    const newer = await raw.call("Metadata", 12, { topics: [{ name: null, topicId: unknown }] });
    expect(newer.topics).toMatchObject([{ errorCode: 100, name: null, topicId: unknown }]);
    const older = await raw.call("Metadata", 10, { topics: [{ name: "x", topicId: unknown }] });
    expect(older.topics).toMatchObject([{ errorCode: 42, name: "x" }]);
  });
});

describe("Produce at the Kafka door", () => {
  it("appends batches whatever their compression, and says where they are", async () => {
    const { name, leaders } = await newTopic();
    const raw = await dial(leaders[0]);
    expect(await produce(raw, name, batch({ values: ["a", "b"] }))).toMatchObject({
      errorCode: 0,
      baseOffset: 0,
      logStartOffset: 0,
      logAppendTimeMs: -1,
    });
    expect(await produce(raw, name, batch({ codec: "gzip" }), { acks: 1 })).toMatchObject({
      errorCode: 0,
      baseOffset: 2,
    });
    expect(await produce(raw, name, batch({ codec: "zstd" }))).toMatchObject({ baseOffset: 3 });
  });

  it("stores a retry of an idempotent producer once", async () => {
    const { name, leaders } = await newTopic();
    const raw = await dial(leaders[0]);
    const { producerId, producerEpoch } = await raw.call("InitProducerId", 4, {
      transactionalId: null,
      transactionTimeoutMs: 0,
    });
    expect([producerId >= 0, producerEpoch]).toEqual([true, 0]);
    const first = batch({ producerId });
    expect(await produce(raw, name, first)).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(await produce(raw, name, first)).toMatchObject({ errorCode: 0, baseOffset: 0 });
    // As kafkajs does, which encodes the records again, with another time.
    const again = batch({ producerId, timestampMs: Date.now() - 5 });
    expect(await produce(raw, name, again)).toMatchObject({ errorCode: 0, baseOffset: 0 });
    const later = batch({ producerId, baseSequence: 5 });
    expect(await produce(raw, name, later)).toMatchObject({ errorCode: 45, baseOffset: -1 });
  });

  it("refuses what it cannot take, by the numbers that clients know", async () => {
    const { name, leaders } = await newTopic();
    const raw = await dial(leaders[0]);
    const good = batch();
    const changed = (at: number, value: number): Uint8Array => {
      const bytes = good.slice();
      bytes[at] = value;
      return bytes;
    };
    const resealed = (at: number, value: number): Uint8Array => {
      const bytes = changed(at, value);
      new DataView(bytes.buffer).setUint32(17, computeCrc(bytes, 0, crc32c));
      return bytes;
    };
    const cases: [what: string, code: number, Uint8Array | null, object?][] = [
      ["no batch", 87, null],
      ["an empty batch", 87, new Uint8Array(0)],
      ["bytes too few for a batch", 2, new Uint8Array(10)],
      ["an old format", 87, changed(16, 1)],
      ["a wrong checksum", 2, changed(20, (good[20] as number) ^ 1)],
      ["two batches", 87, Buffer.concat([good, good])],
      ["a base offset", 87, changed(7, 1)],
      ["a control batch", 87, resealed(22, 0x20)],
      ["a time that only brokers set", 32, resealed(22, 0x08)],
      ["a compression that there is not", 76, resealed(22, 0x05)],
      ["a time far ahead", 32, batch({ timestampMs: Date.now() + 7_200_000 })],
      ["zstd where it is not known", 76, batch({ codec: "zstd" }), { version: 6 }],
      ["acks that there are not", 21, good, { acks: 2 }],
      ["a transaction", 35, good, { id: "tx" }],
      ["a partition that there is not", 3, good, { partition: 1 }],
      ["a negative partition", 3, good, { partition: -1 }],
    ];
    for (const [what, code, records, options] of cases) {
      const answer = await produce(raw, name, records, options);
      expect([what, answer.errorCode, answer.baseOffset]).toEqual([what, code, -1]);
    }
    expect(await produce(raw, "nowhere", good)).toMatchObject({ errorCode: 3 });
    expect(await produce(raw, "__consumer_offsets", good)).toMatchObject({
      errorCode: expect.toBeOneOf([3, 17]),
    });
    expect(await produce(raw, name, good)).toMatchObject({ errorCode: 0, baseOffset: 0 });
  });

  it("refuses a batch above the topic's bound", async () => {
    const { name, leaders } = await newTopic();
    const raw = await dial(leaders[0]);
    const large = batch({ values: ["x".repeat(1_100_000)] });
    expect(await produce(raw, name, large)).toMatchObject({ errorCode: 10 });
  });

  it("names each record without a key to who writes to a compacted topic", async () => {
    const { name, leaders } = await newTopic(1, [{ name: "cleanup.policy", value: "compact" }]);
    const raw = await dial(leaders[0]);
    const { errorCode, recordErrors } = await produce(raw, name, batch({ values: ["a", "b"] }));
    expect(errorCode).toBe(87);
    expect(recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 1]);
  });

  it("tells who came to the wrong broker where the leader is", async () => {
    const { name, leaders } = await newTopic();
    const leader = leaders[0] as number;
    const raw = await dial((leader + 1) % 3);
    const answer = await produce(raw, name, batch(), { version: 10 });
    expect(answer).toMatchObject({ errorCode: 6, currentLeader: { leaderId: leader + 1 } });
    const [endpoint] = answer.nodeEndpoints;
    expect(`${endpoint?.host}:${endpoint?.port}`).toBe(cluster.kafkaBootstrap[leader]);
    expect(await produce(raw, name, batch(), { version: 9 })).toMatchObject({ errorCode: 6 });
  });

  it("says nothing without acks, unless there is something to refuse", async () => {
    const { name, leaders } = await newTopic();
    const raw = await dial(leaders[0]);
    const data = (topic: string) => [
      { name: topic, partitionData: [{ index: 0, records: batch() }] },
    ];
    raw.send("Produce", 9, { acks: 0, timeoutMs: 1_000, topicData: data(name) });
    expect(await produce(raw, name, batch())).toMatchObject({ baseOffset: 1 });
    raw.send("Produce", 9, { acks: 0, timeoutMs: 1_000, topicData: data("nowhere") });
    await raw.untilClosed();
  });
});

interface Wanted {
  readonly topic?: string;
  readonly topicId?: string;
  readonly partition?: number;
  readonly fetchOffset?: number;
  readonly currentLeaderEpoch?: number;
  readonly lastFetchedEpoch?: number;
  readonly partitionMaxBytes?: number;
}

interface FetchOptions {
  readonly version?: number;
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly sessionId?: number;
  readonly sessionEpoch?: number;
  readonly isolationLevel?: number;
}

function fetchRequest(wanted: readonly Wanted[], options: FetchOptions) {
  const { version: _version, ...rest } = options;
  return {
    maxWaitMs: 0,
    minBytes: 1,
    ...rest,
    topics: wanted.map(({ topic = "", topicId = ZERO_UUID, ...one }) => ({
      topic,
      topicId,
      partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_048_576, ...one }],
    })),
    rackId: "",
  };
}

async function fetch(raw: RawKafka, wanted: readonly Wanted[], options: FetchOptions = {}) {
  const response = await raw.call("Fetch", options.version ?? 12, fetchRequest(wanted, options));
  const partitions = response.responses.flatMap((topic) =>
    topic.partitions.map((one) => ({ ...one, bytes: one.records?.length ?? 0 })),
  );
  return { ...response, partitions };
}

describe("Fetch at the Kafka door", () => {
  it("gives whole batches as they were sent, with the ends of the partition", async () => {
    const { name, id, leaders } = await newTopic();
    const raw = await dial(leaders[0]);
    await produce(raw, name, batch({ values: ["a", "b"] }));
    const last = batch({ codec: "gzip" });
    await produce(raw, name, last);
    for (const [version, wanted] of [
      [4, { topic: name, fetchOffset: 2 }],
      [12, { topic: name, fetchOffset: 2 }],
      [17, { topicId: id, fetchOffset: 2 }],
    ] as const) {
      const { partitions } = await fetch(raw, [wanted], { version });
      expect(partitions).toMatchObject([{ errorCode: 0, highWatermark: 3, lastStableOffset: 3 }]);
      const records = partitions[0]?.records as Uint8Array;
      expect(baseOffset(records, 0)).toBe(2);
      // Offset and epoch are the broker's; everything from the checksum on is the producer's.
      expect(Buffer.from(records.subarray(16))).toEqual(Buffer.from(last.subarray(16)));
    }
    // From inside of a batch, all of it.
    const { partitions } = await fetch(raw, [{ topic: name, fetchOffset: 1 }]);
    expect(baseOffset(partitions[0]?.records as Uint8Array, 0)).toBe(0);
  });

  it("answers when a record comes, and when the time is over", async () => {
    const { name, leaders } = await newTopic();
    const raw = await dial(leaders[0]);
    const other = await dial(leaders[0]);
    const request = fetchRequest([{ topic: name }], { maxWaitMs: 30_000 });
    const id = raw.send("Fetch", 12, request);
    await produce(other, name, batch());
    const { responses } = await raw.answer("Fetch", 12, id);
    expect(responses[0]?.partitions[0]?.highWatermark).toBe(1);
    const late = await fetch(raw, [{ topic: name, fetchOffset: 1 }], { maxWaitMs: 20 });
    expect(late.partitions).toMatchObject([{ errorCode: 0, bytes: 0, highWatermark: 1 }]);
  });

  it("waits until the partitions together have enough", async () => {
    const { name, leaders } = await newTopic();
    const raw = await dial(leaders[0]);
    const other = await dial(leaders[0]);
    const one = batch({ values: ["x".repeat(500)] });
    const request = fetchRequest([{ topic: name }], { maxWaitMs: 30_000, minBytes: 900 });
    const id = raw.send("Fetch", 12, request);
    await produce(other, name, one);
    await produce(other, name, one);
    const { responses } = await raw.answer("Fetch", 12, id);
    expect(responses[0]?.partitions[0]?.records?.length).toBe(2 * one.length);
  });

  it("gives the first batch whatever the bounds say, and no other past them", async () => {
    const { name, leaders } = await newTopic(6);
    const leader = leaders[0] as number;
    const partitions = leaders.flatMap((broker, at) => (broker === leader ? [at] : []));
    expect(partitions.length).toBeGreaterThan(1);
    const raw = await dial(leader);
    const one = batch({ values: ["x".repeat(1_000)] });
    for (const partition of partitions) {
      await produce(raw, name, one, { partition });
      await produce(raw, name, one, { partition });
    }
    const wanted = partitions.map((partition) => ({
      topic: name,
      partition,
      partitionMaxBytes: 10,
    }));
    const sizes = async (options: FetchOptions) =>
      (await fetch(raw, wanted, options)).partitions.map(({ bytes }) => bytes);
    const [first, ...others] = await sizes({ maxBytes: 10 });
    expect(first).toBe(one.length);
    expect(others.every((size) => size === 0)).toBe(true);
    expect((await sizes({ maxBytes: 10_000_000 })).every((size) => size === one.length)).toBe(true);
  });

  it("refuses by partition, and at once", async () => {
    const { name, leaders } = await newTopic();
    const leader = leaders[0] as number;
    const raw = await dial(leader);
    await produce(raw, name, batch());
    const cases: [what: string, code: number, Wanted, FetchOptions?][] = [
      ["an offset above the end", 1, { topic: name, fetchOffset: 2 }],
      ["a negative offset", 1, { topic: name, fetchOffset: -1 }],
      ["a topic that there is not", 3, { topic: "nowhere" }],
      ["a partition that there is not", 3, { topic: name, partition: 9 }],
      ["an id that there is not", 100, { topicId: "AAAAAAAAAAAAAAAAAAAAAQ" }, { version: 13 }],
      ["an epoch that is to come", 75, { topic: name, currentLeaderEpoch: 999 }],
      ["an epoch that has not been", 1, { topic: name, lastFetchedEpoch: 999 }],
    ];
    for (const [what, code, wanted, options] of cases) {
      const { partitions } = await fetch(raw, [wanted], { maxWaitMs: 30_000, ...options });
      expect([what, partitions[0]?.errorCode, partitions[0]?.bytes]).toEqual([what, code, 0]);
    }
    const elsewhere = await dial((leader + 1) % 3);
    const { partitions } = await fetch(elsewhere, [{ topic: name }], { maxWaitMs: 30_000 });
    expect(partitions).toMatchObject([
      { errorCode: 6, currentLeader: { leaderId: leader + 1, leaderEpoch: 0 } },
    ]);
  });

  it("names aborted transactions to who asks for committed records: there are none", async () => {
    const { name, leaders } = await newTopic();
    const raw = await dial(leaders[0]);
    const aborted = async (isolationLevel: number) =>
      (await fetch(raw, [{ topic: name }], { isolationLevel })).partitions[0]?.abortedTransactions;
    expect(await aborted(0)).toBeNull();
    expect(await aborted(1)).toEqual([]);
  });

  it("keeps a session, in which only what is new is said", async () => {
    const { name, leaders } = await newTopic();
    const raw = await dial(leaders[0]);
    const begun = await fetch(raw, [{ topic: name }], { sessionEpoch: 0 });
    const { sessionId } = begun;
    expect(sessionId).toBeGreaterThan(0);
    expect(begun.partitions).toHaveLength(1);
    const quiet = await fetch(raw, [], { sessionId, sessionEpoch: 1 });
    expect([quiet.errorCode, quiet.sessionId, quiet.partitions]).toEqual([0, sessionId, []]);
    await produce(raw, name, batch());
    const news = await fetch(raw, [], { sessionId, sessionEpoch: 2 });
    expect(news.partitions).toMatchObject([{ highWatermark: 1 }]);
    expect(news.partitions[0]?.bytes).toBeGreaterThan(0);
    const lost = await fetch(raw, [], { sessionId, sessionEpoch: 9 });
    expect([lost.errorCode, lost.sessionId, lost.partitions]).toEqual([71, 0, []]);
    const unknown = await fetch(raw, [], { sessionId: 1, sessionEpoch: 1 });
    expect(unknown.errorCode).toBe(70);
  });
});

describe("offsets at the Kafka door", () => {
  it("finds ends, times, and the latest time", async () => {
    const { name, leaders } = await newTopic();
    const raw = await dial(leaders[0]);
    await produce(raw, name, batch({ timestampMs: 1_000 }));
    await produce(raw, name, batch({ timestampMs: 3_000 }));
    await produce(raw, name, batch({ timestampMs: 2_000 }));
    const find = async (timestamp: number, version = 9, partitions = [0]) => {
      const { topics: found } = await raw.call("ListOffsets", version, {
        replicaId: -1,
        topics: [
          {
            name,
            partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp })),
          },
        ],
      });
      const [one] = found[0]?.partitions ?? [];
      return [one?.errorCode, one?.offset, one?.timestamp];
    };
    expect(await find(-1)).toEqual([0, 3, -1]);
    expect(await find(-1, 1)).toEqual([0, 3, -1]);
    expect(await find(-2)).toEqual([0, 0, -1]);
    expect(await find(-3)).toEqual([0, 1, 3_000]);
    expect(await find(-4)).toEqual([0, 0, -1]);
    expect(await find(-5)).toEqual([0, -1, -1]);
    expect(await find(1_500)).toEqual([0, 1, 3_000]);
    expect(await find(4_000)).toEqual([0, -1, -1]);
    expect(await find(-3, 6)).toEqual([35, -1, -1]);
    expect(await find(-1, 9, [0, 0])).toEqual([42, -1, -1]);
    expect(await find(-1, 9, [7])).toEqual([3, -1, -1]);
  });

  it("tells where a leadership ended", async () => {
    const { name, leaders } = await newTopic();
    const raw = await dial(leaders[0]);
    await produce(raw, name, batch());
    const end = async (leaderEpoch: number, currentLeaderEpoch = -1) => {
      const partitions = [{ partition: 0, leaderEpoch, currentLeaderEpoch }];
      const { topics: found } = await raw.call("OffsetForLeaderEpoch", 4, {
        topics: [{ topic: name, partitions }],
      });
      const [one] = found[0]?.partitions ?? [];
      return [one?.errorCode, one?.leaderEpoch, one?.endOffset];
    };
    expect(await end(0)).toEqual([0, 0, 1]);
    expect(await end(5)).toEqual([0, -1, -1]);
    expect(await end(-1)).toEqual([0, -1, -1]);
    expect(await end(0, 5)).toEqual([75, -1, -1]);
  });

  it("gives no id to a producer with transactions", async () => {
    const raw = await dial();
    const init = async (transactionalId: string | null) => {
      const body = { transactionalId, transactionTimeoutMs: 1_000 };
      const { errorCode, producerId } = await raw.call("InitProducerId", 4, body);
      return [errorCode, producerId >= 0];
    };
    expect(await init(null)).toEqual([0, true]);
    expect(await init("")).toEqual([42, false]);
    expect(await init("tx")).toEqual([35, false]);
  });
});

describe("topics at the Kafka door", () => {
  const plain = { numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] };

  it("creates, with a refusal for each topic by itself", async () => {
    const raw = await dial();
    const assigned = (indexes: readonly number[]) =>
      indexes.map((partitionIndex) => ({ partitionIndex, brokerIds: [1, 2] }));
    const asked = [
      { ...plain, name: "made-1" },
      {
        ...plain,
        name: "made-2",
        numPartitions: -1,
        configs: [{ name: "retention.ms", value: "7" }],
      },
      { ...plain, name: "made-3", numPartitions: -1, assignments: assigned([1, 0]) },
      { ...plain, name: "not good" },
      { ...plain, name: "none", numPartitions: 0 },
      { ...plain, name: "many", replicationFactor: 9 },
      { ...plain, name: "zero", replicationFactor: 0 },
      { ...plain, name: "gap", numPartitions: -1, assignments: assigned([0, 2]) },
      { ...plain, name: "both", assignments: assigned([0]) },
      { ...plain, name: "config", configs: [{ name: "no.such", value: "1" }] },
      { ...plain, name: "null", configs: [{ name: "retention.ms", value: null }] },
      { ...plain, name: "twice" },
      { ...plain, name: "twice" },
    ];
    const { topics: answers } = await raw.call("CreateTopics", 7, { topics: asked });
    expect(answers.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ["made-1", 0],
      ["made-2", 0],
      ["made-3", 0],
      ["not good", 17],
      ["none", 37],
      ["many", 38],
      ["zero", 38],
      ["gap", 39],
      ["both", 42],
      ["config", 40],
      ["null", 40],
      ["twice", 42],
    ]);
    expect(answers[1]).toMatchObject({ numPartitions: 1, replicationFactor: 3 });
    expect(answers[1]?.configs?.find(({ name }) => name === "retention.ms")).toMatchObject({
      value: "7",
      configSource: 1,
    });
    expect(answers[2]).toMatchObject({ numPartitions: 2, replicationFactor: 2 });
    const again = await raw.call("CreateTopics", 2, { topics: [{ ...plain, name: "made-1" }] });
    expect(again.topics[0]?.errorCode).toBe(errorNumber("TOPIC_ALREADY_EXISTS"));
    const tried = await raw.call("CreateTopics", 7, {
      topics: [{ ...plain, name: "tried" }],
      validateOnly: true,
    });
    expect(tried.topics[0]).toMatchObject({ errorCode: 0, topicId: ZERO_UUID });
  });

  it("deletes by name and by id, with a refusal for each topic by itself", async () => {
    const raw = await dial();
    const one = await newTopic();
    const other = await newTopic();
    const unknown = "AAAAAAAAAAAAAAAAAAAAAQ";
    const { responses } = await raw.call("DeleteTopics", 6, {
      topics: [
        { name: one.name, topicId: ZERO_UUID },
        { name: null, topicId: other.id },
        { name: "nowhere", topicId: ZERO_UUID },
        { name: null, topicId: unknown },
        { name: null, topicId: ZERO_UUID },
      ],
      timeoutMs: 1_000,
    });
    expect(responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      [one.name, 0],
      [other.name, 0],
      ["nowhere", 3],
      [null, 100],
      [null, 42],
    ]);
    const older = await raw.call("DeleteTopics", 1, { topicNames: [one.name], timeoutMs: 1_000 });
    expect(older.responses).toMatchObject([{ name: one.name, errorCode: 3 }]);
  });
});

describe("a connection to the Kafka door", () => {
  it.each([
    ["another protocol", Buffer.from("GET / HTTP/1.1\r\nHost: broker\r\n\r\n")],
    ["a huge length", Buffer.from([0x7f, 0xff, 0xff, 0xff])],
    ["random bytes", Buffer.from("0000000b05060708090a0b0c0d0e0f", "hex")],
  ])("is closed without an answer at %s, and others are not", async (_what, bytes) => {
    const good = await dial();
    const bad = await dial();
    bad.write(bytes);
    await bad.untilClosed();
    expect((await good.call("Metadata", 1, { topics: [] })).brokers).toHaveLength(3);
  });
});
