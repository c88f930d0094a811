/** Part of the tests of the Kafka door: writing. */
import { crc32c } from "@strandline/platform";
import { computeCrc } from "@strandline/record";
import { describe, expect, it } from "vitest";
import type { KafkaDoor } from "../kafka-door.js";
import { batch, produce } from "./produced.js";

export function produceTests(door: KafkaDoor): void {
  describe("Produce at the Kafka door", () => {
    it("appends batches whatever their compression, and says where they are", async () => {
      const { name, leaders } = await door.newTopic();
      const raw = await door.dial(leaders[0]);
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
      const { name, leaders } = await door.newTopic();
      const raw = await door.dial(leaders[0]);
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
      const { name, leaders } = await door.newTopic();
      const raw = await door.dial(leaders[0]);
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
      const { name, leaders } = await door.newTopic();
      const raw = await door.dial(leaders[0]);
      const large = batch({ values: ["x".repeat(1_100_000)] });
      expect(await produce(raw, name, large)).toMatchObject({ errorCode: 10 });
    });

    it("names each record without a key to who writes to a compacted topic", async () => {
      const { name, leaders } = await door.newTopic(1, [
        { name: "cleanup.policy", value: "compact" },
      ]);
      const raw = await door.dial(leaders[0]);
      const { errorCode, recordErrors } = await produce(raw, name, batch({ values: ["a", "b"] }));
      expect(errorCode).toBe(87);
      expect(recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 1]);
    });

    it("tells who came to the wrong broker where the leader is", async () => {
      const { name, leaders } = await door.newTopic();
      const leader = leaders[0] as number;
      const raw = await door.dial(door.otherThan(leader));
      const answer = await produce(raw, name, batch(), { version: 10 });
      expect(answer).toMatchObject({ errorCode: 6, currentLeader: { leaderId: leader } });
      const [endpoint] = answer.nodeEndpoints;
      expect(`${endpoint?.host}:${endpoint?.port}`).toBe(door.address(leader));
      expect(await produce(raw, name, batch(), { version: 9 })).toMatchObject({ errorCode: 6 });
    });

    it("says nothing without acks, unless there is something to refuse", async () => {
      const { name, leaders } = await door.newTopic();
      const raw = await door.dial(leaders[0]);
      const data = (topic: string) => [
        { name: topic, partitionData: [{ index: 0, records: batch() }] },
      ];
      raw.send("Produce", 9, { acks: 0, timeoutMs: 1_000, topicData: data(name) });
      expect(await produce(raw, name, batch())).toMatchObject({ baseOffset: 1 });
      raw.send("Produce", 9, { acks: 0, timeoutMs: 1_000, topicData: data("nowhere") });
      await raw.untilClosed();
    });
  });
}
