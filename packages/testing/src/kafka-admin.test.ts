import { errorNumber } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { KafkaDoor } from "./testdata/kafka-door.js";
import type { RawKafka } from "./testdata/raw-kafka.js";

const TOPIC = 2;
const BROKER = 4;

const door = KafkaDoor.forTests();

interface Wanted {
  /** By partition. */
  readonly replicas: readonly (readonly number[])[];
  readonly configs?: Readonly<Record<string, string>>;
}

async function createTopic(name: string, wanted: Wanted): Promise<RawKafka> {
  const raw = await door.dial();
  const { topics } = await raw.call("CreateTopics", 7, {
    topics: [
      {
        name,
        numPartitions: -1,
        replicationFactor: -1,
        assignments: wanted.replicas.map((ids, at) => ({
          partitionIndex: at,
          brokerIds: [...ids],
        })),
        configs: Object.entries(wanted.configs ?? {}).map(([key, value]) => ({ name: key, value })),
      },
    ],
  });
  expect(topics[0]).toMatchObject({ name, errorCode: 0 });
  return raw;
}

async function write(topic: string, partition: number, count: number): Promise<void> {
  const client = door.cluster.connect();
  const producer = client.producer();
  const sends = Array.from({ length: count }, async (_, at) => {
    await producer.send({ topic, partition, value: `record ${at}` });
  });
  await Promise.all(sends);
  await client.close();
}

async function described(raw: RawKafka, topic: string, partition = 0) {
  const { topics } = await raw.call("DescribeTopicPartitions", 0, {
    topics: [{ name: topic }],
    responsePartitionLimit: 2_000,
  });
  return topics[0]?.partitions[partition];
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (;;) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function sizeOn(broker: number, topic: string): Promise<number> {
  const raw = await door.dial(broker);
  const { results } = await raw.call("DescribeLogDirs", 4, {
    topics: [{ topic, partitions: [0] }],
  });
  expect(results[0]?.totalBytes).toBeGreaterThan(0);
  return results[0]?.topics[0]?.partitions[0]?.partitionSize ?? -1;
}

describe("replicas", () => {
  it("move with all their records, and are deleted where they were", async () => {
    const raw = await createTopic("moved", { replicas: [[1, 2]] });
    await write("moved", 0, 100);
    const { responses } = await raw.call("AlterPartitionReassignments", 1, {
      topics: [{ name: "moved", partitions: [{ partitionIndex: 0, replicas: [3, 2] }] }],
    });
    expect(responses[0]?.partitions).toEqual([
      { partitionIndex: 0, errorCode: 0, errorMessage: null },
    ]);
    await until(async () => {
      const { topics } = await raw.call("ListPartitionReassignments", 0, { topics: null });
      return topics.length === 0;
    });
    const moved = await described(raw, "moved");
    expect(moved).toMatchObject({ replicaNodes: [3, 2], isrNodes: [3, 2] });
    expect([2, 3]).toContain(moved?.leaderId);
    await until(async () => (await sizeOn(1, "moved")) === -1);
    expect(await sizeOn(3, "moved")).toBe(await sizeOn(2, "moved"));
    // The one that came leads, and has everything.
    const leader = await door.dial(3);
    await raw.call("ElectLeaders", 2, {
      electionType: 0,
      topicPartitions: [{ topic: "moved", partitions: [0] }],
    });
    await until(async () => {
      const { topics } = await leader.call("ListOffsets", 7, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: "moved", partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
      });
      const end = topics[0]?.partitions[0];
      return end?.errorCode === 0 && end.offset === 100;
    });
  });

  it("refuse a move that cannot be, each partition by itself", async () => {
    const raw = await createTopic("stays", { replicas: [[1, 2]] });
    const { errorCode, responses } = await raw.call("AlterPartitionReassignments", 0, {
      topics: [
        {
          name: "stays",
          partitions: [
            { partitionIndex: 0, replicas: [-1] },
            { partitionIndex: 0, replicas: null },
            { partitionIndex: 5, replicas: [1] },
          ],
        },
      ],
    });
    expect(errorCode).toBe(0);
    expect(responses[0]?.partitions.map((each) => each.errorCode)).toEqual([
      errorNumber("INVALID_REPLICA_ASSIGNMENT"),
      errorNumber("NO_REASSIGNMENT_IN_PROGRESS"),
      errorNumber("UNKNOWN_TOPIC_OR_PARTITION"),
    ]);
  });

  it("get their preferred leader by an election, and then need none", async () => {
    const raw = await createTopic("elected", { replicas: [[1, 2, 3]] });
    const partition = { partitionIndex: 0, replicas: [2, 1, 3] };
    await raw.call("AlterPartitionReassignments", 1, {
      topics: [{ name: "elected", partitions: [partition] }],
    });
    expect((await described(raw, "elected"))?.leaderId).toBe(1);
    const question = { electionType: 0, topicPartitions: null };
    const all = await raw.call("ElectLeaders", 2, question);
    const own = all.replicaElectionResults.find(({ topic }) => topic === "elected");
    expect(own?.partitionResult).toMatchObject([{ partitionId: 0, errorCode: 0 }]);
    expect((await described(raw, "elected"))?.leaderId).toBe(2);
    const again = await raw.call("ElectLeaders", 1, {
      electionType: 0,
      topicPartitions: [{ topic: "elected", partitions: [0, 9] }],
    });
    expect(again.replicaElectionResults[0]?.partitionResult.map((each) => each.errorCode)).toEqual([
      errorNumber("ELECTION_NOT_NEEDED"),
      errorNumber("UNKNOWN_TOPIC_OR_PARTITION"),
    ]);
  });
});

describe("settings", () => {
  const entriesOf = async (raw: RawKafka, name: string, keys: string[] | null = null) => {
    const { results } = await raw.call("DescribeConfigs", 4, {
      resources: [{ resourceType: TOPIC, resourceName: name, configurationKeys: keys }],
      includeSynonyms: true,
      includeDocumentation: true,
    });
    return results[0]?.configs ?? [];
  };

  it("are described with value, source, type, synonyms and documentation", async () => {
    const raw = await createTopic("described", {
      replicas: [[1, 2]],
      configs: { "retention.ms": "5000" },
    });
    const all = await entriesOf(raw, "described");
    expect(all.length).toBeGreaterThan(30);
    for (const { name, documentation } of all) {
      expect(documentation?.length, name).toBeGreaterThan(20);
    }
    expect(await entriesOf(raw, "described", ["retention.ms", "none"])).toMatchObject([
      {
        name: "retention.ms",
        value: "5000",
        configSource: 1,
        configType: 5,
        readOnly: false,
        isSensitive: false,
        synonyms: [
          { name: "retention.ms", value: "5000", source: 1 },
          { name: "log.retention.ms", value: "604800000", source: 5 },
        ],
      },
    ]);
  });

  it("are set, removed, and changed member by member; or all replaced", async () => {
    const raw = await createTopic("set", { replicas: [[1, 2]], configs: { "segment.ms": "9000" } });
    const alter = async (...configs: [name: string, operation: number, value: string | null][]) => {
      const { responses } = await raw.call("IncrementalAlterConfigs", 1, {
        resources: [
          {
            resourceType: TOPIC,
            resourceName: "set",
            configs: configs.map(([name, configOperation, value]) => {
              return { name, configOperation, value };
            }),
          },
        ],
        validateOnly: false,
      });
      return responses[0]?.errorCode;
    };
    const own = async () =>
      Object.fromEntries(
        (await entriesOf(raw, "set"))
          .filter(({ configSource }) => configSource === 1)
          .map(({ name, value }) => [name, value]),
      );
    const invalid = errorNumber("INVALID_CONFIG");
    expect(await alter(["segment.ms", 1, null], ["cleanup.policy", 2, "compact"])).toBe(0);
    expect(await own()).toEqual({ "cleanup.policy": "delete,compact" });
    expect(await alter(["cleanup.policy", 3, "delete"], ["none", 1, null])).toBe(0);
    expect(await own()).toEqual({ "cleanup.policy": "compact" });
    expect(await alter(["retention.ms", 2, "1"])).toBe(invalid);
    expect(await alter(["retention.ms", 0, null])).toBe(errorNumber("INVALID_REQUEST"));
    expect(await alter(["none", 0, "1"])).toBe(invalid);
    await raw.call("AlterConfigs", 2, {
      resources: [
        {
          resourceType: TOPIC,
          resourceName: "set",
          configs: [{ name: "retention.ms", value: "7000" }],
        },
      ],
      validateOnly: false,
    });
    expect(await own()).toEqual({ "retention.ms": "7000" });
  });

  it("of one broker take effect there and nowhere else, and go when they are left out", async () => {
    const raw = await createTopic("limited", {
      replicas: [
        [1, 2],
        [2, 1],
      ],
    });
    const client = door.cluster.connect();
    const value = "x".repeat(5_000);
    const send = async (partition: number) =>
      await client.producer().send({ topic: "limited", partition, value });
    const alter = async (name: string, configs: Record<string, string>, validateOnly = false) => {
      const { responses } = await raw.call("AlterConfigs", 2, {
        resources: [
          {
            resourceType: BROKER,
            resourceName: name,
            configs: Object.entries(configs).map(([key, text]) => ({ name: key, value: text })),
          },
        ],
        validateOnly,
      });
      return responses[0]?.errorCode;
    };
    const limit = async (broker: number) => {
      const { results } = await (await door.dial(broker)).call("DescribeConfigs", 4, {
        resources: [
          {
            resourceType: BROKER,
            resourceName: String(broker),
            configurationKeys: ["message.max.bytes"],
          },
        ],
        includeSynonyms: true,
        includeDocumentation: false,
      });
      return results[0]?.configs[0];
    };
    expect(await alter("1", { "message.max.bytes": "900" }, true)).toBe(0);
    expect(await limit(1)).toMatchObject({ value: "1048588", configSource: 5 });
    expect(await alter("1", { "message.max.bytes": "1000", "background.threads": "9" })).toBe(0);
    expect(await limit(1)).toMatchObject({
      value: "1000",
      configSource: 2,
      synonyms: [
        { name: "message.max.bytes", value: "1000", source: 2 },
        { name: "message.max.bytes", value: "1048588", source: 5 },
      ],
    });
    expect(await limit(2)).toMatchObject({ value: "1048588", configSource: 5 });
    await expect(send(0)).rejects.toThrow();
    await send(1);
    const refused = errorNumber("INVALID_REQUEST");
    expect(await alter("2", { "message.max.bytes": "1000" })).toBe(refused);
    expect(await alter("1", { "num.partitions": "2" })).toBe(refused);
    expect(await alter("1", {})).toBe(0);
    await send(0);
    await client.close();
  });

  it("of a group are kept", async () => {
    const raw = await door.dial(2);
    const resource = { resourceType: 32, resourceName: "kept" };
    const session = { name: "consumer.session.timeout.ms", value: "50000" };
    await raw.call("IncrementalAlterConfigs", 1, {
      resources: [{ ...resource, configs: [{ ...session, configOperation: 0 }] }],
      validateOnly: false,
    });
    const { results } = await raw.call("DescribeConfigs", 4, {
      resources: [{ ...resource, configurationKeys: null }],
      includeSynonyms: false,
      includeDocumentation: false,
    });
    expect(results[0]?.configs).toMatchObject([{ ...session, configSource: 8, configType: 3 }]);
  });

  it("of a broker are told by itself alone, and of things that are not here there are none", async () => {
    const raw = await door.dial(2);
    const describeOne = async (resourceType: number, resourceName: string) => {
      const resource = { resourceType, resourceName, configurationKeys: null };
      const { results } = await raw.call("DescribeConfigs", 4, {
        resources: [resource],
        includeSynonyms: false,
        includeDocumentation: false,
      });
      return results[0];
    };
    expect((await describeOne(BROKER, "2"))?.configs.length).toBeGreaterThan(20);
    expect((await describeOne(BROKER, "1"))?.errorCode).toBe(errorNumber("INVALID_REQUEST"));
    expect(await describeOne(BROKER, "")).toMatchObject({ errorCode: 0, configs: [] });
    expect(await describeOne(16, "subscription")).toMatchObject({ errorCode: 0, configs: [] });
    expect((await describeOne(16, ""))?.errorCode).toBe(errorNumber("INVALID_REQUEST"));
    expect((await describeOne(3, "group"))?.errorCode).toBe(errorNumber("INVALID_REQUEST"));
    const missing = await describeOne(TOPIC, "missing");
    expect(missing?.errorCode).toBe(errorNumber("UNKNOWN_TOPIC_OR_PARTITION"));
  });
});

describe("topics", () => {
  it("are described page by page, in the order of their names", async () => {
    const raw = await createTopic("page-a", { replicas: [[1], [2], [3]] });
    await createTopic("page-b", { replicas: [[1]] });
    const page = async (cursor: { topicName: string; partitionIndex: number } | null) =>
      await raw.call("DescribeTopicPartitions", 0, {
        topics: [{ name: "page-b" }, { name: "page-a" }, { name: "page-c" }],
        responsePartitionLimit: 2,
        cursor,
      });
    const first = await page(null);
    expect(first.topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([
      ["page-a", 2],
    ]);
    expect(first.nextCursor).toEqual({ topicName: "page-a", partitionIndex: 2 });
    const second = await page(first.nextCursor);
    expect(second.topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([
      ["page-a", 1],
      ["page-b", 1],
    ]);
    expect(second.nextCursor).toEqual({ topicName: "page-c", partitionIndex: 0 });
    const last = await page(second.nextCursor);
    expect(last.topics).toMatchObject([{ name: "page-c", errorCode: 3 }]);
    expect(last.nextCursor).toBeNull();
    const astray = await page({ topicName: "page-x", partitionIndex: 0 });
    expect(astray.topics.map(({ errorCode }) => errorCode)).toEqual([42, 42, 42]);
  });

  it("grow, and lose the records before an offset where they are led", async () => {
    const raw = await createTopic("grown", { replicas: [[1, 2]] });
    const grow = async (count: number, assignments: { brokerIds: number[] }[] | null) => {
      const topics = [{ name: "grown", count, assignments }];
      const body = { topics, timeoutMs: 5_000, validateOnly: false };
      return (await raw.call("CreatePartitions", 3, body)).results[0]?.errorCode;
    };
    expect(await grow(1, null)).toBe(errorNumber("INVALID_PARTITIONS"));
    expect(await grow(2, [])).toBe(errorNumber("INVALID_REPLICA_ASSIGNMENT"));
    expect(await grow(2, [{ brokerIds: [2, 3] }])).toBe(0);
    expect((await described(raw, "grown", 1))?.leaderId).toBe(2);
    await write("grown", 0, 10);
    const remove = async (partitionIndex: number, offset: number) => {
      const partitions = [{ partitionIndex, offset }];
      const topics = [{ name: "grown", partitions }];
      const answer = await raw.call("DeleteRecords", 2, { topics, timeoutMs: 5_000 });
      return answer.topics[0]?.partitions[0];
    };
    expect(await remove(0, 4)).toMatchObject({ errorCode: 0, lowWatermark: 4 });
    expect(await remove(0, 11)).toMatchObject({ errorCode: 1, lowWatermark: -1 });
    expect(await remove(0, -1)).toMatchObject({ errorCode: 0, lowWatermark: 10 });
    expect(await remove(1, -1)).toMatchObject({ errorCode: errorNumber("NOT_LEADER_OR_FOLLOWER") });
  });
});

describe("the cluster", () => {
  it("names its brokers, and the voters with what they have", async () => {
    const raw = await door.dial(3);
    const question = { includeClusterAuthorizedOperations: false };
    const found = await raw.call("DescribeCluster", 2, question);
    expect(new Set(found.brokers.map(({ brokerId }) => brokerId))).toEqual(new Set([1, 2, 3]));
    const other = await raw.call("DescribeCluster", 1, { ...question, endpointType: 2 });
    expect(other.errorCode).toBe(errorNumber("MISMATCHED_ENDPOINT_TYPE"));
    const { topics, nodes } = await raw.call("DescribeQuorum", 2, {
      topics: [{ topicName: "__cluster_metadata", partitions: [{ partitionIndex: 0 }] }],
    });
    const quorum = topics[0]?.partitions[0];
    expect(quorum?.currentVoters.map(({ replicaId }) => replicaId)).toEqual([1, 2, 3]);
    expect(nodes.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3]);
    for (const { logEndOffset, lastFetchTimestamp } of quorum?.currentVoters ?? []) {
      expect(logEndOffset).toBeGreaterThan(0);
      expect(lastFetchTimestamp).toBeGreaterThan(0);
    }
  });
});
