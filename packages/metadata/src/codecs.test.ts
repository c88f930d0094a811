/** Records, images and commands as JSON: what is legal comes back, the rest is refused in words. */
import { BrokerError } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { decodeCommand, isSubmittable } from "./command.js";
import { decodeImage, encodeImage } from "./image-codec.js";
import type { JsonValue } from "./json.js";
import { MetadataError } from "./metadata-error.js";
import { decodeRecords } from "./record-codec.js";
import { MetadataCluster } from "./testing/metadata-cluster.js";

const ID = "AAAAAAAAAAAAAAAAAAAAAA";

describe(decodeRecords, () => {
  it("refuses what is no array of records", () => {
    for (const json of [null, {}, "[]", [1], [null], [[]], [{}]]) {
      expect(() => decodeRecords(json)).toThrow(MetadataError);
    }
  });

  it("refuses a type or a version it does not know: guessing would fork the image", () => {
    const record = { type: "cluster", version: 1, clusterId: ID };
    expect(decodeRecords([record])).toEqual([record]);
    expect(() => decodeRecords([{ ...record, version: 2 }])).toThrow("records[0].version");
    for (const type of ["clusters", "__proto__", "constructor", ""]) {
      expect(() => decodeRecords([{ ...record, type }])).toThrow("unknown type");
    }
  });

  it("names the field that is wrong", () => {
    const change = { type: "partition-changed", version: 1, topicId: ID, partition: 0 };
    expect(() => decodeRecords([{ ...change, isr: [1, -1] }])).toThrow("records[0].isr[1]");
    expect(() => decodeRecords([{ ...change, topicId: "x" }])).toThrow("records[0].topicId");
    expect(() => decodeRecords([{ ...change, partition: 1.5 }])).toThrow("records[0].partition");
  });
});

describe(decodeImage, () => {
  function snapshot(): Record<string, JsonValue> {
    const cluster = new MetadataCluster();
    cluster.start(1, 2);
    cluster.createTopic("t", { configs: { "retention.ms": "1" } });
    return JSON.parse(JSON.stringify(encodeImage(cluster.image))) as Record<string, JsonValue>;
  }

  it("refuses an image that holds something twice", () => {
    const image = snapshot();
    for (const name of ["nodes", "topics", "configs"]) {
      const items = image[name] as JsonValue[];
      const twice = { ...image, [name]: [...items, items[0] as JsonValue] };
      expect(() => decodeImage(twice), name).toThrow("twice");
    }
  });

  it("refuses a partition that breaks a rule", () => {
    const image = snapshot();
    const [topic] = image["topics"] as { partitions: Record<string, JsonValue>[] }[];
    const [partition] = topic?.partitions ?? [];
    if (partition === undefined) throw new Error("the topic has a partition");
    for (const wrong of [{ leader: 3 }, { isr: [] }, { elr: [1] }, { replicas: [] }]) {
      const broken = { ...topic, partitions: [{ ...partition, ...wrong }] };
      expect(() => decodeImage({ ...image, topics: [broken as never] })).toThrow("breaks a rule");
    }
  });

  it("refuses a version it does not know", () => {
    expect(() => decodeImage({ ...snapshot(), version: 3 })).toThrow(MetadataError);
  });
});

describe(decodeCommand, () => {
  const creation = {
    kind: "create-topic",
    name: "t",
    newTopicId: ID,
    partitions: 1,
    replicationFactor: 1,
    configs: {},
    validateOnly: false,
    allowWeakDurability: false,
    seed: 0,
  };

  it("refuses with INVALID_REQUEST and the field that is wrong", () => {
    for (const [json, words] of [
      [null, "command is not an object"],
      [{ kind: "fly" }, 'there is no command "fly"'],
      [{ kind: "toString" }, "there is no command"],
      [{ ...creation, partitions: "1" }, "command.partitions is not an integer"],
      [{ ...creation, configs: { "retention.ms": 5 } }, "command.configs is not a text"],
      [{ ...creation, assignments: [[1], 2] }, "command.assignments[1] is not an array"],
      [{ ...creation, name: "x".repeat(5_000) }, "at most 4096"],
      [{ ...creation, seed: -1 }, "command.seed is -1"],
    ] as const) {
      try {
        decodeCommand(json);
        expect.unreachable(words);
      } catch (error) {
        expect(error).toBeInstanceOf(BrokerError);
        expect((error as BrokerError).code).toBe("INVALID_REQUEST");
        expect((error as BrokerError).message).toContain(words);
      }
    }
  });

  it("keeps a setting named like a part of every object as a plain name", () => {
    const json = JSON.parse('{"__proto__":"1"}') as unknown;
    const command = decodeCommand({ ...creation, configs: json });
    const configs = command.kind === "create-topic" ? command.configs : {};
    expect(Object.keys(configs)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(configs)).toBe(Object.prototype);
  });

  it("drops fields that nobody asked for", () => {
    expect(decodeCommand({ ...creation, isAdmin: true })).not.toHaveProperty("isAdmin");
  });
});

describe(isSubmittable, () => {
  it("keeps what the active controller decides for itself from everyone else", () => {
    const fence = { kind: "fence-node", nodeId: 1, brokerEpoch: 1 };
    expect(isSubmittable(decodeCommand(fence))).toBe(false);
    expect(isSubmittable(decodeCommand({ kind: "delete-topic", name: "t" }))).toBe(true);
  });
});
