/** Part of the tests of the Kafka door: metadata. */
import { describe, expect, it } from "vitest";
import type { KafkaDoor } from "../kafka-door.js";

export function metadataTests(door: KafkaDoor): void {
  describe("Metadata at the Kafka door", () => {
    it("tells a client of each broker an address that it can reach", async () => {
      const ids = [1, 2, 3];
      for (const broker of ids) {
        const raw = await door.dial(broker);
        const { brokers, clusterId, controllerId } = await raw.call("Metadata", 9, { topics: [] });
        const addresses = new Map(
          brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]),
        );
        expect(addresses).toEqual(new Map(ids.map((id) => [id, door.address(id)])));
        expect(clusterId).toBe(door.cluster.nodes[0]?.clusterId);
        expect(ids).toContain(controllerId);
      }
    });

    it("takes an empty list for all topics only from the oldest clients", async () => {
      const { name } = await door.newTopic();
      const raw = await door.dial();
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
      const { name, id } = await door.newTopic(2);
      const raw = await door.dial();
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
      const raw = await door.dial();
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
      const raw = await door.dial();
      const unknown = "AAAAAAAAAAAAAAAAAAAAAQ";
      const newer = await raw.call("Metadata", 12, { topics: [{ name: null, topicId: unknown }] });
      expect(newer.topics).toMatchObject([{ errorCode: 100, name: null, topicId: unknown }]);
      const older = await raw.call("Metadata", 10, { topics: [{ name: "x", topicId: unknown }] });
      expect(older.topics).toMatchObject([{ errorCode: 42, name: "x" }]);
    });
  });
}
