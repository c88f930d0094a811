import { BROKER_DEFAULTS } from "@strandline/broker";
import { describe, expect, it } from "vitest";
import { BROKER_SETTINGS } from "./kafka-settings.js";
import { nodeConfigOf } from "./node-config-of.js";
import { resolveSettings } from "./resolve-settings.js";

function config(...sets: string[]) {
  const resolved = resolveSettings(BROKER_SETTINGS, {
    flags: new Map(Object.entries({ "node.id": "1", voters: "1@a:1", "data.dir": "/d" })),
    sets,
    environment: {},
    file: undefined,
  });
  expect(resolved.problems).toEqual([]);
  return nodeConfigOf(resolved);
}

describe(nodeConfigOf, () => {
  it("starts a broker with its own defaults when nothing is written", () => {
    const { broker } = config();
    const { settings, ...numbers } = broker;
    expect([...(settings?.written ?? [])]).toEqual([]);
    expect(BROKER_DEFAULTS).toMatchObject(numbers);
  });

  it("hands on what is written, and what a part of the broker takes as a number", () => {
    const { broker, rack, isBroker } = config(
      "replica.lag.time.max.ms=7000",
      "log.retention.check.interval.ms=8000",
      "producer.id.expiration.ms=9000",
      "log.cleaner.backoff.ms=10000",
      "auto.create.topics.enable=false",
      "log.retention.hours=1",
      "broker.rack=r1",
      "process.roles=controller",
    );
    expect(broker).toMatchObject({
      replicaLagMsMax: 7_000,
      retentionCheckMs: 8_000,
      producerIdleMsMax: 9_000,
      cleanerCheckMs: 10_000,
      autoCreateTopics: false,
    });
    expect(broker.settings?.written.get("log.retention.ms")).toBe("3600000");
    expect(broker.settings?.written.has("broker.rack")).toBe(false);
    expect([...(broker.settings?.shared ?? [])]).toEqual([["log.retention.ms", "3600000"]]);
    expect(rack).toBe("r1");
    expect(isBroker).toBe(false);
  });
});
