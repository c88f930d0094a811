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

describe("settings of one broker", () => {
  it("count before those of all, survive a restart, and can be removed", async () => {
    await using cluster = await startCluster({ brokers: 1 });
    const { admin } = cluster.connect();
    await admin.alterConfigs({ allBrokers: true, set: { "log.retention.ms": "9000000" } });
    await admin.alterConfigs({ broker: 1, set: { "log.retention.ms": "3600000" } });
    const retention = async (target: { broker: number } | { allBrokers: true }) => {
      const entries = await admin.describeConfigs(target);
      const { value, source } = entries.find(({ name }) => name === "log.retention.ms") ?? {};
      return `${value} ${source}`;
    };
    expect(await retention({ broker: 1 })).toBe("3600000 broker");
    expect(await retention({ allBrokers: true })).toBe("9000000 cluster");
    await cluster.restart(0);
    expect(await retention({ broker: 1 })).toBe("3600000 broker");
    await admin.alterConfigs({ broker: 1, remove: ["log.retention.ms"] });
    expect(await retention({ broker: 1 })).toBe("9000000 cluster");
    const other = { broker: 9, set: { "log.retention.ms": "1" } };
    await expect(admin.alterConfigs(other)).rejects.toThrow("no broker 9");
  });
});
