/** Part of the tests of the Kafka door: reading. */
import { ZERO_UUID } from "@strandline/kafka-protocol";
import { baseOffset } from "@strandline/record";
import { describe, expect, it } from "vitest";
import type { KafkaDoor } from "../kafka-door.js";
import type { RawKafka } from "../raw-kafka.js";
import { batch, produce } from "./produced.js";

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

export function fetchTests(door: KafkaDoor): void {
  describe("Fetch at the Kafka door", () => {
    it("gives whole batches as they were sent, with the ends of the partition", async () => {
      const { name, id, leaders } = await door.newTopic();
      const raw = await door.dial(leaders[0]);
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
      const { name, leaders } = await door.newTopic();
      const raw = await door.dial(leaders[0]);
      const other = await door.dial(leaders[0]);
      const request = fetchRequest([{ topic: name }], { maxWaitMs: 30_000 });
      const id = raw.send("Fetch", 12, request);
      await produce(other, name, batch());
      const { responses } = await raw.answer("Fetch", 12, id);
      expect(responses[0]?.partitions[0]?.highWatermark).toBe(1);
      const late = await fetch(raw, [{ topic: name, fetchOffset: 1 }], { maxWaitMs: 20 });
      expect(late.partitions).toMatchObject([{ errorCode: 0, bytes: 0, highWatermark: 1 }]);
    });

    it("waits until the partitions together have enough", async () => {
      const { name, leaders } = await door.newTopic();
      const raw = await door.dial(leaders[0]);
      const other = await door.dial(leaders[0]);
      const one = batch({ values: ["x".repeat(500)] });
      const request = fetchRequest([{ topic: name }], { maxWaitMs: 30_000, minBytes: 900 });
      const id = raw.send("Fetch", 12, request);
      await produce(other, name, one);
      await produce(other, name, one);
      const { responses } = await raw.answer("Fetch", 12, id);
      expect(responses[0]?.partitions[0]?.records?.length).toBe(2 * one.length);
    });

    it("gives the first batch whatever the bounds say, and no other past them", async () => {
      const { name, leaders } = await door.newTopic(6);
      const leader = leaders[0] as number;
      const partitions = leaders.flatMap((broker, at) => (broker === leader ? [at] : []));
      expect(partitions.length).toBeGreaterThan(1);
      const raw = await door.dial(leader);
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
      expect((await sizes({ maxBytes: 10_000_000 })).every((size) => size === one.length)).toBe(
        true,
      );
    });

    it("refuses by partition, and at once", async () => {
      const { name, leaders } = await door.newTopic();
      const leader = leaders[0] as number;
      const raw = await door.dial(leader);
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
      const elsewhere = await door.dial(door.otherThan(leader));
      const { partitions } = await fetch(elsewhere, [{ topic: name }], { maxWaitMs: 30_000 });
      expect(partitions).toMatchObject([
        { errorCode: 6, currentLeader: { leaderId: leader, leaderEpoch: 0 } },
      ]);
    });

    it("names aborted transactions to who asks for committed records: there are none", async () => {
      const { name, leaders } = await door.newTopic();
      const raw = await door.dial(leaders[0]);
      const aborted = async (isolationLevel: number) =>
        (await fetch(raw, [{ topic: name }], { isolationLevel })).partitions[0]
          ?.abortedTransactions;
      expect(await aborted(0)).toBeNull();
      expect(await aborted(1)).toEqual([]);
    });

    it("keeps a session, in which only what is new is said", async () => {
      const { name, leaders } = await door.newTopic();
      const raw = await door.dial(leaders[0]);
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
}
