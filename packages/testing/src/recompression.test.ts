import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { batchesIn, readBatchHeader } from "@strandline/record";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type TestCluster } from "./cluster.js";

let directory: string;
let cluster: TestCluster;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "strandline-"));
  cluster = await startCluster({ brokers: 1, dataDirectory: directory });
}, 60_000);

afterAll(async () => {
  await cluster.close();
  await rm(directory, { recursive: true, force: true });
});

/** The compressions of the batches that a topic of one partition has on the disk. */
async function storedCompressions(topicId: string): Promise<string[]> {
  const files = await readdir(directory, { recursive: true });
  const segment = files.find((file) => file.includes(`${topicId}-0`) && file.endsWith(".log"));
  const bytes = await readFile(join(directory, segment as string));
  return [...batchesIn(bytes)].map(({ at }) => readBatchHeader(bytes, at).compression);
}

describe("a topic with a compression of its own", () => {
  it("stores what clients sent in that compression, and gives the same records back", async () => {
    const client = cluster.connect();
    const configs = { "compression.type": "gzip" };
    await client.admin.createTopic({ name: "packed", partitions: 1, configs });
    const compressions = ["none", "lz4", "gzip"] as const;
    for (const compression of compressions) {
      const producer = client.producer({ compression });
      await producer.send({ topic: "packed", value: compression.repeat(50) });
      await producer.close();
    }
    const { topicId } = await client.admin.describeTopic("packed");
    expect(await storedCompressions(topicId)).toEqual(["gzip", "gzip", "gzip"]);
    await using consumer = client.consumer();
    await consumer.assign([{ topic: "packed", partition: 0, start: "earliest" }]);
    for (const compression of compressions) {
      const { value } = (await consumer[Symbol.asyncIterator]().next()).value;
      expect(Buffer.from(value).toString()).toBe(compression.repeat(50));
    }
  });
});
