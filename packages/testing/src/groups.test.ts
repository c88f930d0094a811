import type { StrandlineClient } from "@strandline/client";
import { BrokerError } from "@strandline/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type TestCluster } from "./cluster.js";

let cluster: TestCluster;
let client: StrandlineClient;

beforeAll(async () => {
  cluster = await startCluster({ brokers: 1 });
  client = cluster.connect();
}, 60_000);

afterAll(async () => {
  await cluster.close();
});

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
    expect(group).toMatchObject({ state: "Empty", coordinatorId: 1, members: [] });
    expect(await client.groups.lag(group)).toEqual([
      { topic, partition: 0, committedOffset: 3, logEndOffset: 5, lag: 2, member: undefined },
    ]);
    expect(await client.groups.deleteOffsets("outsiders", [{ topic, partition: 0 }])).toEqual([]);
    expect(await client.groups.fetchOffsets("outsiders")).toEqual([]);
    await client.groups.delete("outsiders");
    expect(await codeOf(client.groups.delete("outsiders"))).toBe("GROUP_ID_NOT_FOUND");
  });
});
