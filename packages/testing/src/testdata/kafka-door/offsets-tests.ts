/** Part of the tests of the Kafka door: offsets, and ids of producers. */
import { describe, expect, it } from "vitest";
import type { KafkaDoor } from "../kafka-door.js";
import { batch, produce } from "./produced.js";

export function offsetsTests(door: KafkaDoor): void {
  describe("offsets at the Kafka door", () => {
    it("finds ends, times, and the latest time", async () => {
      const { name, leaders } = await door.newTopic();
      const raw = await door.dial(leaders[0]);
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
      const { name, leaders } = await door.newTopic();
      const raw = await door.dial(leaders[0]);
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
      const raw = await door.dial();
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
}
