import { type Consumer, Kafka, logLevel, Partitioners } from "kafkajs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type TestCluster } from "./cluster.js";

const A_MINUTE = 60_000;
const TOPIC = "orders";
const GROUP = "billing";

const closing: (() => Promise<unknown>)[] = [];

/** One for all; the last test stops a broker of it. */
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster();
}, A_MINUTE);

afterAll(async () => {
  await cluster.close();
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function newKafka(): Kafka {
  return new Kafka({
    brokers: [...cluster.kafkaBootstrap],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 50 },
  });
}

async function withTopic(topic: string, numPartitions: number): Promise<Kafka> {
  const kafka = newKafka();
  const admin = kafka.admin();
  await admin.connect();
  closing.push(async () => await admin.disconnect());
  await admin.createTopics({ topics: [{ topic, numPartitions }] });
  return kafka;
}

/** Waits for something that comes as fast as it can; the test's own time limit is the only one. */
async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A consumer that notes what it owns in each generation, and what it was given. */
class Member {
  readonly consumer: Consumer;
  readonly owned = new Map<number, readonly number[]>();
  generation = -1;

  constructor(kafka: Kafka, seen: Set<string>) {
    this.consumer = kafka.consumer({
      groupId: GROUP,
      sessionTimeout: 6_000,
      heartbeatInterval: 100,
      maxWaitTimeInMs: 50,
    });
    // The listener that notes the generation is told before the records of it come.
    this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => {
      const joined = payload as unknown as { generationId?: number };
      this.generation = joined.generationId ?? this.generation + 1;
      this.owned.set(this.generation, payload.memberAssignment[TOPIC] ?? []);
    });
    this.#seen = seen;
  }

  readonly #seen: Set<string>;

  get partitions(): readonly number[] {
    return this.owned.get(this.generation) ?? [];
  }

  async start(): Promise<void> {
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
    await this.consumer.run({
      autoCommitInterval: 50,
      eachMessage: async ({ message }) => {
        this.#seen.add(String(message.value));
      },
    });
  }
}

describe("a consumer group", () => {
  it(
    "shares its partitions among those who are there, and gives every record to one of them",
    async () => {
      const kafka = await withTopic(TOPIC, 6);
      const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
      await producer.connect();
      closing.push(async () => await producer.disconnect());
      const seen = new Set<string>();
      let sent = 0;
      const send = async (): Promise<void> => {
        const messages = Array.from({ length: 60 }, (_, at) => ({ value: String(sent + at) }));
        await producer.send({ topic: TOPIC, messages });
        sent += messages.length;
      };
      const members = [1, 2, 3].map(() => new Member(kafka, seen));
      await Promise.all(members.map(async (member) => await member.start()));
      closing.push(async () => {
        await Promise.all(members.map(async ({ consumer }) => await consumer.disconnect()));
      });
      const shares = (): string => members.map(({ partitions }) => partitions.length).join();
      await send();
      await until(() => shares() === "2,2,2" && seen.size === sent);
      expect(new Set(members.flatMap(({ partitions }) => partitions)).size).toBe(6);

      const [leaving] = members.splice(0, 1);
      await leaving?.consumer.disconnect();
      await until(() => shares() === "3,3");
      await send();
      await until(() => seen.size === sent);

      const late = new Member(kafka, seen);
      members.push(late);
      await late.start();
      await until(() => shares() === "2,2,2");
      await send();
      await until(() => seen.size === sent);
      expect(new Set(members.flatMap(({ partitions }) => partitions)).size).toBe(6);
    },
    A_MINUTE,
  );

  it(
    "keeps clients from writing to its topic, and operators from deleting it",
    async () => {
      const kafka = newKafka();
      await cluster.nodes[0]?.broker?.groups.fetchOffsets(
        { groupId: GROUP, topics: undefined },
        { forwards: true },
      );
      const topic = "__consumer_offsets";
      const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
      await producer.connect();
      closing.push(async () => await producer.disconnect());
      const messages = [{ key: "k", value: "v", partition: 0 }];
      await expect(producer.send({ topic, messages })).rejects.toMatchObject({
        message: expect.stringContaining("invalid topic") as string,
      });
      const client = cluster.connect();
      await using own = client.producer();
      await expect(own.send({ topic, partition: 0, value: "v" })).rejects.toMatchObject({
        code: "INVALID_TOPIC_EXCEPTION",
      });
      await expect(client.admin.deleteTopic(topic)).rejects.toMatchObject({
        code: "INVALID_TOPIC_EXCEPTION",
      });
      expect(await client.admin.describeTopic(topic)).toMatchObject({ replicationFactor: 3 });
    },
    A_MINUTE,
  );

  it(
    "forgets what it had committed for a topic that is deleted",
    async () => {
      const [topic, groupId] = ["short-lived", "forgetful"];
      const kafka = await withTopic(topic, 1);
      const groups = cluster.nodes[0]?.broker?.groups;
      const partitions = [{ partition: 0, offset: 3, leaderEpoch: -1, metadata: "" }];
      await groups?.commit(
        {
          groupId,
          memberId: "",
          instanceId: undefined,
          generation: -1,
          retentionMs: undefined,
          topics: [{ topic, partitions }],
        },
        { forwards: true },
      );
      const committed = async (): Promise<number | undefined> => {
        const asked = { groupId, topics: [{ topic, partitions: [0] }] };
        const found = await groups?.fetchOffsets(asked, { forwards: true });
        return found?.topics[0]?.partitions[0]?.offset;
      };
      expect(await committed()).toBe(3);
      const admin = kafka.admin();
      await admin.connect();
      closing.push(async () => await admin.disconnect());
      await admin.deleteTopics({ topics: [topic] });
      await until(async () => (await committed()) === -1);
    },
    A_MINUTE,
  );

  it(
    "finds its offsets again when the broker that coordinated it is gone",
    async () => {
      const [topic, groupId] = ["payments", "failover"];
      const kafka = await withTopic(topic, 2);
      const groups = cluster.nodes[0]?.broker?.groups;
      const partitions = [7, 8].map((offset, partition) => {
        return { partition, offset, leaderEpoch: -1, metadata: "" };
      });
      // As a consumer without a group does, that assigns its partitions to itself.
      const committed = await groups?.commit(
        {
          groupId,
          memberId: "",
          instanceId: undefined,
          generation: -1,
          retentionMs: undefined,
          topics: [{ topic, partitions }],
        },
        { forwards: true },
      );
      expect(committed?.topics[0]?.partitions.map(({ error }) => error)).toEqual([
        undefined,
        undefined,
      ]);
      const coordinatorId = groups?.coordinatorOf(groupId);
      const at = cluster.nodes.findIndex(({ nodeId }) => nodeId === coordinatorId);
      await cluster.stop(at, { handOver: false });
      const other = kafka.admin();
      await other.connect();
      closing.push(async () => await other.disconnect());
      const found = await other.fetchOffsets({ groupId, topics: [topic] });
      expect(found[0]?.partitions.map(({ partition, offset }) => ({ partition, offset }))).toEqual([
        { partition: 0, offset: "7" },
        { partition: 1, offset: "8" },
      ]);
      await until(() => cluster.nodes[0]?.broker?.groups.coordinatorOf(groupId) !== coordinatorId);
      const list = async (): Promise<string[]> =>
        (await other.listGroups()).groups.map((group) => group.groupId);
      expect(await list()).toContain(groupId);
      await until(async () => {
        const deleted = await other.deleteGroups([groupId]).catch(() => undefined);
        return deleted !== undefined;
      });
      expect(await list()).not.toContain(groupId);
    },
    A_MINUTE,
  );
});
