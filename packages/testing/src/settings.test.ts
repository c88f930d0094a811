import { BrokerSettings } from "@strandline/server";
import { describe, expect, it } from "vitest";
import { startCluster } from "./cluster.js";

describe("settings that operators wrote", () => {
  it("reach the topics, and are told by any broker with their source", async () => {
    const settings = new BrokerSettings(
      new Map([
        ["log.retention.ms", "3600000"],
        ["num.partitions", "3"],
        ["group.max.size", "9"],
      ]),
    );
    await using cluster = await startCluster({ brokers: 2, broker: { settings } });
    const { admin } = cluster.connect();
    const topic = await admin.createTopic({ name: "t", partitions: 0, replicationFactor: 0 });
    expect(topic.partitions).toBe(3);
    const ofTopic = await admin.describeConfigs({ topic: "t" });
    expect(ofTopic.find(({ name }) => name === "retention.ms")).toMatchObject({
      value: "3600000",
      source: "static",
    });
    // Whichever of the two answers, one of these is another broker.
    for (const broker of [1, 2]) {
      const entries = await admin.describeConfigs({ broker });
      const values = new Map(entries.map(({ name, value, source }) => [name, [value, source]]));
      expect(values.get("node.id")).toEqual([String(broker), "static"]);
      expect(values.get("group.max.size")).toEqual(["9", "static"]);
      expect(values.get("log.retention.ms")).toEqual(["3600000", "static"]);
    }
    await expect(admin.describeConfigs({ broker: 7 })).rejects.toThrow("there is no broker 7");
  });
});
