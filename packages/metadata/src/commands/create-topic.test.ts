import { TOPIC_PARTITIONS_MAX } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { topicByName } from "../image.js";
import { MetadataCluster, show, type TopicOptions } from "../testing/metadata-cluster.js";

function started(...nodes: number[]): MetadataCluster {
  const cluster = new MetadataCluster();
  cluster.start(...nodes);
  return cluster;
}

function refusal(cluster: MetadataCluster, name: string, options: TopicOptions = {}): string {
  return cluster.refusal(cluster.topic(name, options));
}

describe("a topic created without numbers", () => {
  it("has three replicas where there are three brokers, else one for each", () => {
    for (const [nodes, factor] of [
      [[1], 1],
      [[1, 2], 2],
      [[1, 2, 3], 3],
      [[1, 2, 3, 4, 5], 3],
    ] as const) {
      const answer = started(...nodes).accept(started().topic("t"));
      expect(answer).toMatchObject({ partitions: 1, replicationFactor: factor });
    }
  });

  it("has the numbers that the operator set for all brokers", () => {
    const cluster = started(1, 2, 3);
    const set = { "num.partitions": "4", "default.replication.factor": "2" };
    cluster.accept(cluster.settings("", set));
    const answer = cluster.accept(cluster.topic("t"));
    expect(answer).toMatchObject({ partitions: 4, replicationFactor: 2 });
    cluster.accept(cluster.settings("", { "default.replication.factor": "5" }));
    expect(refusal(cluster, "u")).toBe("INVALID_REPLICATION_FACTOR");
  });
});

describe("a new topic", () => {
  it("starts with every replica in service in sync, and the first of them as leader", () => {
    const cluster = started(1, 2, 3);
    cluster.fence(1);
    const topic = cluster.createTopic("t", { replicas: [[1, 2, 3]] });
    expect(show(cluster.partition(topic))).toBe("2 | 2 3 | -");
    expect(cluster.partition(topic)).toMatchObject({ leaderEpoch: 0, partitionEpoch: 0 });
  });

  it("is found again by the same command sent twice, and by no other", () => {
    const cluster = started(1, 2, 3);
    const command = cluster.topic("t", { partitions: 2 });
    const first = cluster.accept(command);
    const count = cluster.records.length;
    expect(cluster.accept(command)).toEqual(first);
    expect(cluster.records).toHaveLength(count);
    expect(refusal(cluster, "t")).toBe("TOPIC_ALREADY_EXISTS");
    expect(cluster.refusal({ ...command, name: "u" })).toBe("INVALID_REQUEST");
  });

  it("is refused under a name that differs from another only in '.' and '_'", () => {
    const cluster = started(1);
    cluster.createTopic("a.b_c");
    expect(refusal(cluster, "a_b.c")).toBe("INVALID_TOPIC_EXCEPTION");
    cluster.createTopic("a-b-c");
  });

  it("is refused with a name that no topic may have", () => {
    const cluster = started(1);
    for (const name of ["", ".", "..", "a/b", "a\0", "ä", "x".repeat(250)]) {
      expect(refusal(cluster, name)).toBe("INVALID_TOPIC_EXCEPTION");
    }
    for (const name of ["__proto__", "constructor"]) {
      cluster.createTopic(name);
      expect(topicByName(cluster.image, name)?.name).toBe(name);
    }
  });

  it("is refused with numbers that the cluster cannot fulfil", () => {
    const cluster = started(1, 2);
    expect(refusal(cluster, "t", { partitions: -2 })).toBe("INVALID_PARTITIONS");
    const many = TOPIC_PARTITIONS_MAX + 1;
    expect(refusal(cluster, "t", { partitions: many })).toBe("INVALID_PARTITIONS");
    expect(refusal(cluster, "t", { replicationFactor: -2 })).toBe("INVALID_REPLICATION_FACTOR");
    expect(refusal(cluster, "t", { replicationFactor: 3 })).toBe("INVALID_REPLICATION_FACTOR");
  });

  it("waits for the first broker in service", () => {
    const cluster = new MetadataCluster();
    expect(refusal(cluster, "t")).toBe("INVALID_REPLICATION_FACTOR");
    cluster.accept(cluster.registration(1));
    expect(refusal(cluster, "t")).toBe("BROKER_NOT_AVAILABLE");
    cluster.unfence(1);
    cluster.createTopic("t");
  });

  it("changes nothing when it is only to be validated", () => {
    const cluster = started(1, 2, 3);
    const command = { ...cluster.topic("t", { partitions: 5 }), validateOnly: true };
    expect(cluster.accept(command)).toMatchObject({ partitions: 5, replicationFactor: 3 });
    expect(cluster.image.topics.size).toBe(0);
    cluster.accept({ ...command, validateOnly: false });
    expect(cluster.refusal(command)).toBe("TOPIC_ALREADY_EXISTS");
  });

  it("leaves with its settings when it is deleted", () => {
    const cluster = started(1);
    cluster.createTopic("t", { configs: { "retention.ms": "1" } });
    cluster.accept({ kind: "delete-topic", name: "t" });
    expect(cluster.image.configs.size).toBe(0);
    expect(cluster.refusal({ kind: "delete-topic", name: "t" })).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    cluster.createTopic("t");
    expect(cluster.image.configs.size).toBe(0);
  });
});

describe("an explicit assignment", () => {
  it("is taken as it is", () => {
    const cluster = started(1, 2, 3);
    const topic = cluster.createTopic("t", {
      replicas: [
        [3, 1],
        [2, 3],
      ],
    });
    expect(cluster.partition(topic, 0).replicas).toEqual([3, 1]);
    expect(cluster.partition(topic, 1).leader).toBe(2);
  });

  it("is refused when it names nobody, somebody twice, strangers, or nobody in service", () => {
    const cluster = started(1, 2, 3);
    cluster.fence(3);
    for (const replicas of [[[]], [[1, 1]], [[1, 9]], [[1, 2], [1]], [[3]]]) {
      expect(refusal(cluster, "t", { replicas })).toBe("INVALID_REPLICA_ASSIGNMENT");
    }
  });

  it("is refused beside numbers that say something else", () => {
    const cluster = started(1, 2);
    const replicas = [[1, 2]];
    expect(refusal(cluster, "t", { replicas, partitions: 2 })).toBe("INVALID_REQUEST");
    expect(refusal(cluster, "t", { replicas, replicationFactor: 1 })).toBe("INVALID_REQUEST");
    cluster.createTopic("t", { replicas, partitions: 1, replicationFactor: 2 });
  });
});

describe("weak durability", () => {
  it("needs a permission: one replica in sync of several", () => {
    const cluster = started(1, 2, 3);
    const configs = { "min.insync.replicas": "1" };
    expect(refusal(cluster, "t", { configs })).toBe("POLICY_VIOLATION");
    expect(refusal(cluster, "t", { configs, replicationFactor: 2 })).toBe("POLICY_VIOLATION");
    cluster.createTopic("one", { configs, replicationFactor: 1 });
    cluster.createTopic("t", { configs, allowWeakDurability: true });
  });

  it("in memory only needs three replicas, whatever is permitted", () => {
    const cluster = started(1, 2, 3);
    const configs = { durability: "replicated" };
    const two = { configs, replicationFactor: 2, allowWeakDurability: true };
    expect(refusal(cluster, "t", two)).toBe("INVALID_CONFIG");
    cluster.createTopic("t", { configs });
  });
});
