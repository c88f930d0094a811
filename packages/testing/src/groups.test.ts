import {
  type ConsumerRecord,
  connect,
  type GroupConsumer,
  type StrandlineClient,
} from "@strandline/client";
import { BrokerError } from "@strandline/model";
import { Kafka, logLevel } from "kafkajs";
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

/** With the shortest session there are the most heartbeats, and so the quickest rebalances. */
const QUICK = { start: "earliest" as const, sessionTimeoutMs: 6_000 };

/** A topic of so many partitions, with so many records in each. */
async function topicOf(name: string, partitions: number, records: number): Promise<string> {
  await client.admin.createTopic({ name, partitions });
  await client.admin.waitForTopic(name);
  await using producer = client.producer();
  const sent: Promise<unknown>[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    for (let at = 0; at < records; at++) {
      sent.push(producer.send({ topic: name, partition, key: null, value: `${partition}-${at}` }));
    }
  }
  await Promise.all(sent);
  return name;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    return error instanceof BrokerError ? error.code : String(error);
  }
}

describe("groups from outside", () => {
  it("are made by a commit, listed, described, and deleted with their offsets", async () => {
    const topic = await topicOf("outside", 2, 5);
    expect(await codeOf(client.groups.describe("outsiders"))).toBe("GROUP_ID_NOT_FOUND");
    const refusals = await client.groups.commitOffsets("outsiders", [
      { topic, partition: 0, offset: 3, leaderEpoch: 0, metadata: "note" },
      { topic, partition: 9, offset: 1 },
    ]);
    expect(refusals.map(({ partition, error }) => [partition, error.code])).toEqual([
      [9, "UNKNOWN_TOPIC_OR_PARTITION"],
    ]);
    const listed = { groupId: "outsiders", state: "Empty", protocolType: "" };
    expect(await client.groups.list()).toContainEqual(listed);
    expect(await client.groups.list({ states: ["Stable"] })).not.toContainEqual(listed);
    const committed = { topic, partition: 0, offset: 3, leaderEpoch: 0, metadata: "note" };
    expect(await client.groups.fetchOffsets("outsiders")).toEqual([committed]);
    const asked = await client.groups.fetchOffsets("outsiders", [{ topic, partition: 1 }]);
    expect(asked).toMatchObject([{ offset: -1 }]);
    const group = await client.groups.describe("outsiders");
    expect(group).toMatchObject({ state: "Empty", members: [] });
    expect(await client.groups.lag(group)).toEqual([
      { topic, partition: 0, committedOffset: 3, logEndOffset: 5, lag: 2, member: undefined },
    ]);
    expect(await client.groups.deleteOffsets("outsiders", [{ topic, partition: 0 }])).toEqual([]);
    expect(await client.groups.fetchOffsets("outsiders")).toEqual([]);
    await client.groups.delete("outsiders");
    expect(await codeOf(client.groups.delete("outsiders"))).toBe("GROUP_ID_NOT_FOUND");
  });
});

/** Reads until `isEnough`, and closes. */
async function readUntil(
  consumer: GroupConsumer,
  isEnough: (values: readonly string[]) => boolean,
): Promise<string[]> {
  const values: string[] = [];
  for await (const record of consumer) {
    values.push(textOf(record));
    if (isEnough(values)) break;
  }
  return values;
}

function textOf(record: ConsumerRecord): string {
  return Buffer.from(record.value ?? []).toString();
}

/** Everything that the helper above has put into a topic. */
function allValues(partitions: number, records: number): string[] {
  return Array.from({ length: partitions * records }, (_, at) => {
    return `${Math.floor(at / records)}-${at % records}`;
  });
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("a member of a group", () => {
  it("reads everything, and its successor goes on where it has committed", async () => {
    const topic = await topicOf("alone", 3, 10);
    const options = { groupId: "alone", topics: [topic], ...QUICK };
    const first = client.groupConsumer(options);
    const values = await readUntil(first, ({ length }) => length === 30);
    expect(values.toSorted()).toEqual(allValues(3, 10).toSorted());
    expect(first.assignment()).toHaveLength(3);
    await first.commit();
    const offsets = await client.groups.fetchOffsets("alone");
    expect(offsets.map(({ offset }) => offset)).toEqual([10, 10, 10]);
    await first.close();
    expect((await client.groups.describe("alone")).state).toBe("Empty");
    await using producer = client.producer();
    await producer.send({ topic, partition: 1, key: null, value: "new" });
    await using second = client.groupConsumer(options);
    expect(await readUntil(second, ({ length }) => length === 1)).toEqual(["new"]);
  });

  it("shares the partitions with others, and takes over from one that leaves", async () => {
    const topic = await topicOf("shared", 4, 5);
    const options = { groupId: "shared", topics: [topic], ...QUICK };
    const one = client.groupConsumer(options);
    const seen = await readUntil(one, ({ length }) => length === 20);
    expect(seen.toSorted()).toEqual(allValues(4, 5).toSorted());
    const two = client.groupConsumer(options);
    await one.commit();
    // Partitions move only while their holder asks for more.
    const reading = readUntil(one, (values) => values.includes("last"));
    await until(() => two.assignment().length === 2 && one.assignment().length === 2);
    const places = [...one.assignment(), ...two.assignment()].map(({ partition }) => partition);
    expect(new Set(places)).toEqual(new Set([0, 1, 2, 3]));
    const group = await client.groups.describe("shared");
    expect(group).toMatchObject({ state: "Stable", protocolName: "cooperative-sticky" });
    expect(group.members.map(({ partitions }) => partitions.length)).toEqual([2, 2]);
    await two.close();
    await until(() => one.assignment().length === 4);
    await using producer = client.producer();
    await producer.send({ topic, partition: 3, key: null, value: "last" });
    await producer.send({ topic, partition: 0, key: null, value: "last" });
    expect((await reading).at(-1)).toBe("last");
    await one.close();
  });
});

describe("a group of members from both doors", () => {
  it("shares its partitions, whoever leads and wherever the member's broker is", async () => {
    const topic = await topicOf("doors", 4, 0);
    const kafka = new Kafka({
      brokers: [...cluster.kafkaBootstrap],
      logLevel: logLevel.NOTHING,
    });
    const theirs = kafka.consumer({
      groupId: "doors",
      sessionTimeout: 6_000,
      heartbeatInterval: 200,
      maxWaitTimeInMs: 200,
    });
    const values: string[] = [];
    await theirs.connect();
    await theirs.subscribe({ topics: [topic], fromBeginning: true });
    await theirs.run({
      eachMessage: async ({ message }) => void values.push(`theirs ${message.value}`),
    });
    await until(async () => await isStableOf("doors", 1));
    const { coordinatorId } = await client.groups.describe("doors");
    const elsewhere = connect({ bootstrap: [cluster.bootstrap[coordinatorId % 3] as string] });
    const ours = elsewhere.groupConsumer({ groupId: "doors", topics: [topic], ...QUICK });
    const reading = (async () => {
      for await (const record of ours) values.push(`ours ${textOf(record)}`);
    })();
    await until(() => ours.assignment().length === 2);
    await using producer = client.producer();
    for (let partition = 0; partition < 4; partition++) {
      await producer.send({ topic, partition, key: null, value: `${partition}` });
    }
    await until(() => values.length === 4);
    // In turn, by the only assignor that kafkajs knows.
    expect(values.filter((text) => text.startsWith("ours"))).toHaveLength(2);
    expect(new Set(values.map((text) => text.slice(-1)))).toEqual(new Set(["0", "1", "2", "3"]));
    const { protocolName } = await client.groups.describe("doors");
    expect(protocolName).toBe("RoundRobinAssigner");
    await theirs.disconnect();
    await until(() => ours.assignment().length === 4);
    await ours.close();
    await reading;
    await elsewhere.close();
  }, 60_000);
});

async function isStableOf(groupId: string, memberCount: number): Promise<boolean> {
  try {
    const { state, members } = await client.groups.describe(groupId);
    return state === "Stable" && members.length === memberCount;
  } catch (error) {
    if (error instanceof BrokerError) return false;
    throw error;
  }
}

// The last one: it leaves the cluster without a broker.
describe("a member of a group whose coordinator is killed", () => {
  it("reads on after its broker is gone", async () => {
    const topic = await topicOf("moving", 2, 5);
    const options = { groupId: "moving", topics: [topic], ...QUICK };
    await using consumer = client.groupConsumer({ ...options, autoCommitMs: 50 });
    const values = new Set<string>();
    const reading = (async () => {
      for await (const record of consumer) {
        values.add(textOf(record));
        if (values.size === 11) break;
      }
    })();
    await until(() => values.size === 10);
    const { coordinatorId } = await client.groups.describe("moving");
    await cluster.stop(coordinatorId - 1, { handOver: false });
    await using producer = client.producer();
    await producer.send({ topic, partition: 0, key: null, value: "after" });
    await reading;
    expect(values.has("after")).toBe(true);
  }, 60_000);
});
