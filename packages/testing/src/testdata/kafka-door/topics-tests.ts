/** Part of the tests of the Kafka door: topics come and go. */
import { ZERO_UUID } from "@strandline/kafka-protocol";
import { errorNumber } from "@strandline/model";
import { describe, expect, it } from "vitest";
import type { KafkaDoor } from "../kafka-door.js";

export function topicsTests(door: KafkaDoor): void {
  describe("topics at the Kafka door", () => {
    const plain = { numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] };

    it("creates, with a refusal for each topic by itself", async () => {
      const raw = await door.dial();
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
      const raw = await door.dial();
      const one = await door.newTopic();
      const other = await door.newTopic();
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
}
