import { nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { groupConfigEntries, topicConfig } from "../config-resolution.js";
import { MetadataCluster, show } from "../testing/metadata-cluster.js";

/** Topic "t" with replicas 1, 2, 3, whose leader is alone in sync: "1 | 1 | 3". */
function belowMinimum() {
  const cluster = new MetadataCluster();
  cluster.start(1, 2, 3);
  const topic = cluster.createTopic("t", { replicas: [[1, 2, 3]] });
  cluster.fence(2);
  cluster.fence(3);
  expect(show(cluster.partition(topic))).toBe("1 | 1 | 3");
  return { cluster, topic };
}

describe("a change of min.insync.replicas", () => {
  it("clears the ELR where the ISR is large enough now: the leader may commit without it", () => {
    const { cluster, topic } = belowMinimum();
    const command = cluster.settings("t", { "min.insync.replicas": "1" });
    cluster.accept({ ...command, allowWeakDurability: true });
    expect(show(cluster.partition(topic))).toBe("1 | 1 | -");
  });

  it("steps the partition epoch, so that a leader who has not seen it changes nothing", () => {
    const { cluster, topic } = belowMinimum();
    const before = cluster.partition(topic);
    const late = cluster.proposal(topic, [1]);
    cluster.accept(cluster.settings("t", { "min.insync.replicas": "3" }));
    const after = cluster.partition(topic);
    expect(show(after)).toBe("1 | 1 | 3");
    expect(after.partitionEpoch).toBe(before.partitionEpoch + 1);
    expect(after.leaderEpoch).toBe(before.leaderEpoch);
    expect(cluster.refusal(late)).toBe("INVALID_UPDATE_VERSION");
  });

  it("steps nothing where it makes no difference", () => {
    const { cluster, topic } = belowMinimum();
    const one = cluster.createTopic("one", { replicas: [[1]] });
    const own = cluster.createTopic("own", {
      replicas: [[1, 2, 3]],
      configs: { "min.insync.replicas": "2" },
    });
    const epochs = (): number[] =>
      [topic, one, own].map((each) => cluster.partition(each).partitionEpoch);
    const [stepped, still, set] = epochs() as [number, number, number];
    cluster.accept(cluster.settings("", { "min.insync.replicas": "3" }));
    expect(epochs()).toEqual([stepped + 1, still, set]);
  });

  it("to 1 needs a permission, for a topic with several replicas and for all brokers", () => {
    const { cluster } = belowMinimum();
    const weak = { "min.insync.replicas": "1" };
    for (const name of ["t", ""]) {
      expect(cluster.refusal(cluster.settings(name, weak))).toBe("POLICY_VIOLATION");
      cluster.accept({ ...cluster.settings(name, weak), allowWeakDurability: true });
    }
    // What was permitted once does not stand in the way of other changes.
    cluster.accept(cluster.settings("t", { "retention.ms": "1" }));
    cluster.createTopic("one", { replicas: [[1]] });
    cluster.accept(cluster.settings("one", weak));
  });

  it("to 1 by falling back to the cluster's default needs the permission as well", () => {
    const { cluster } = belowMinimum();
    cluster.accept(cluster.settings("t", { "min.insync.replicas": "2" }));
    const weak = cluster.settings("", { "min.insync.replicas": "1" });
    cluster.accept({ ...weak, allowWeakDurability: true });
    const removal = cluster.settings("t", {}, ["min.insync.replicas"]);
    expect(cluster.refusal(removal)).toBe("POLICY_VIOLATION");
  });
});

describe("a change of durability", () => {
  it("to replicated needs three replicas", () => {
    const { cluster } = belowMinimum();
    cluster.createTopic("two", { replicas: [[1, 2]] });
    const replicated = { durability: "replicated" };
    expect(cluster.refusal(cluster.settings("two", replicated))).toBe("INVALID_CONFIG");
    cluster.accept(cluster.settings("t", replicated));
    expect(topicConfig(cluster.image, "t").isSynced).toBe(false);
  });

  it("is judged apart from a minimum that was permitted before", () => {
    const { cluster } = belowMinimum();
    const weak = cluster.settings("t", { "min.insync.replicas": "1" });
    cluster.accept({ ...weak, allowWeakDurability: true });
    cluster.accept(cluster.settings("t", { durability: "replicated" }));
    expect(topicConfig(cluster.image, "t").isSynced).toBe(false);
  });

  it("to fsync is refused: records acknowledged before may be on no disk", () => {
    const { cluster } = belowMinimum();
    cluster.accept(cluster.settings("t", { durability: "replicated" }));
    const back = [
      cluster.settings("t", { durability: "fsync" }),
      cluster.settings("t", {}, ["durability"]),
    ];
    for (const command of back) expect(cluster.refusal(command)).toBe("INVALID_CONFIG");
  });
});

describe("a change of settings", () => {
  it("takes all of them or none", () => {
    const { cluster } = belowMinimum();
    const command = cluster.settings("t", { "retention.ms": "1", "segment.bytes": "x" });
    expect(cluster.refusal(command)).toBe("INVALID_CONFIG");
    expect(topicConfig(cluster.image, "t").retentionMs).toBe(604_800_000);
  });

  it("names the setting that was meant", () => {
    const { cluster } = belowMinimum();
    expect(() => cluster.accept(cluster.settings("t", { "retention.m": "1" }))).toThrow(
      'did you mean "retention.ms"?',
    );
    expect(() => cluster.accept(cluster.settings("t", {}, ["retention.m"]))).toThrow(
      'did you mean "retention.ms"?',
    );
  });

  it("leaves nothing behind when the last one is removed", () => {
    const { cluster } = belowMinimum();
    cluster.accept(cluster.settings("t", { "retention.ms": "1" }));
    cluster.accept(cluster.settings("t", {}, ["retention.ms"]));
    expect(cluster.image.configs.size).toBe(0);
  });

  it("writes only what differs", () => {
    const { cluster } = belowMinimum();
    cluster.accept(cluster.settings("t", { "retention.ms": "1" }));
    const count = cluster.records.length;
    cluster.accept(cluster.settings("t", { "retention.ms": "1" }, ["segment.ms"]));
    expect(cluster.records).toHaveLength(count);
  });

  it("changes nothing when it is only to be validated", () => {
    const { cluster } = belowMinimum();
    const command = cluster.settings("t", { "retention.ms": "1" });
    cluster.accept({ ...command, validateOnly: true });
    expect(cluster.image.configs.size).toBe(0);
    const wrong = { ...cluster.settings("t", { "retention.ms": "?" }), validateOnly: true };
    expect(cluster.refusal(wrong)).toBe("INVALID_CONFIG");
  });

  it("is refused for what does not exist", () => {
    const { cluster } = belowMinimum();
    const broker = (name: string, set: Record<string, string> = {}) => ({
      ...cluster.settings("", set),
      resource: { type: "broker", name } as const,
    });
    expect(cluster.refusal(cluster.settings("u", {}))).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    for (const name of ["9", "x", "-1", "99999999999"]) {
      expect(cluster.refusal(broker(name))).toBe("INVALID_REQUEST");
    }
    const both = cluster.settings("t", { "retention.ms": "1" }, ["retention.ms"]);
    expect(cluster.refusal(both)).toBe("INVALID_REQUEST");
  });

  it("adds to lists and takes from them, where the default counts as the present value", () => {
    const { cluster } = belowMinimum();
    const policy = () => cluster.image.configs.get("topic:t")?.get("cleanup.policy");
    const change = (part: object) => cluster.accept({ ...cluster.settings("t", {}), ...part });
    change({ append: { "cleanup.policy": "compact" } });
    expect(policy()).toBe("delete,compact");
    change({ append: { "cleanup.policy": "compact" } });
    expect(policy()).toBe("delete,compact");
    change({ subtract: { "cleanup.policy": "delete" } });
    expect(policy()).toBe("compact");
    const all = { ...cluster.settings("", {}), append: { "log.cleanup.policy": "compact" } };
    cluster.accept(all);
    expect(cluster.image.configs.get("broker:")?.get("log.cleanup.policy")).toBe("delete,compact");
    for (const append of [{ "retention.ms": "1" }, { nope: "1" }, { "cleanup.policy": "x" }]) {
      const wrong = { ...cluster.settings("t", {}), append };
      expect(cluster.refusal(wrong)).toBe("INVALID_CONFIG");
    }
    const twice = { ...cluster.settings("t", { "cleanup.policy": "delete" }), append: all.append };
    const both = { ...twice, subtract: { "cleanup.policy": "delete" } };
    expect(cluster.refusal(both)).toBe("INVALID_REQUEST");
  });

  it("may take the place of all there was", () => {
    const { cluster } = belowMinimum();
    cluster.accept(cluster.settings("t", { "retention.ms": "1", "segment.ms": "5" }));
    cluster.accept({ ...cluster.settings("t", { "segment.ms": "6" }), isReplacing: true });
    expect([...(cluster.image.configs.get("topic:t") ?? [])]).toEqual([["segment.ms", "6"]]);
  });

  it("removes what does not exist only for those who need not know", () => {
    const { cluster } = belowMinimum();
    const lenient = { ...cluster.settings("t", {}, ["nope"]), isLenient: true };
    cluster.accept(lenient);
    cluster.accept({ ...lenient, resource: { type: "broker", name: "1" } });
    const strict = { ...lenient, isLenient: false };
    expect(cluster.refusal(strict)).toBe("INVALID_CONFIG");
  });

  it("keeps the bounds of the compaction lag in order", () => {
    const { cluster } = belowMinimum();
    const lag = { "min.compaction.lag.ms": "10", "max.compaction.lag.ms": "5" };
    expect(cluster.refusal(cluster.settings("t", lag))).toBe("INVALID_CONFIG");
    expect(cluster.refusal(cluster.topic("u", { configs: lag }))).toBe("INVALID_CONFIG");
  });

  it("is not fooled by names that objects have of themselves", () => {
    const { cluster } = belowMinimum();
    for (const name of ["__proto__", "constructor", "toString"]) {
      const set = Object.fromEntries([[name, "1"]]);
      expect(cluster.refusal(cluster.settings("t", set))).toBe("INVALID_CONFIG");
      expect(cluster.refusal(cluster.settings("t", {}, [name]))).toBe("INVALID_CONFIG");
    }
  });
});

describe("a change of one broker's settings", () => {
  const of = (name: string, set: Record<string, string>, part: object = {}) => ({
    ...new MetadataCluster().settings("", set),
    resource: { type: "broker", name } as const,
    ...part,
  });
  const retention = { "log.retention.ms": "5000" };

  it("is kept apart from that of all brokers, and counts before it on that broker", () => {
    const { cluster } = belowMinimum();
    cluster.accept(of("1", retention));
    cluster.accept(cluster.settings("", { "log.retention.ms": "7000" }));
    const of1 = () => topicConfig(cluster.image, "t", nodeId(1)).retentionMs;
    expect(of1()).toBe(5_000);
    expect(topicConfig(cluster.image, "t", nodeId(2)).retentionMs).toBe(7_000);
    expect(topicConfig(cluster.image, "t").retentionMs).toBe(7_000);
    cluster.accept(cluster.settings("t", { "retention.ms": "9000" }));
    expect(of1()).toBe(9_000);
    cluster.accept(cluster.settings("t", {}, ["retention.ms"]));
    cluster.accept(of("1", {}, { remove: ["log.retention.ms"] }));
    expect(of1()).toBe(7_000);
  });

  it("takes a number with zeros before it for the number", () => {
    const { cluster } = belowMinimum();
    cluster.accept(of("01", retention));
    expect([...(cluster.image.configs.get("broker:1") ?? [])]).toEqual(Object.entries(retention));
  });

  it("may take the place of all there was, or only be checked", () => {
    const { cluster } = belowMinimum();
    cluster.accept(of("1", { ...retention, "background.threads": "9" }));
    cluster.accept(of("1", { "num.io.threads": "9" }, { validateOnly: true, isReplacing: true }));
    expect(cluster.image.configs.get("broker:1")?.size).toBe(2);
    cluster.accept(of("1", { "num.io.threads": "9" }, { isReplacing: true }));
    expect([...(cluster.image.configs.get("broker:1") ?? [])]).toEqual([["num.io.threads", "9"]]);
    cluster.accept(of("1", {}, { isReplacing: true }));
    expect(cluster.image.configs.size).toBe(0);
  });

  it("changes lists from what that broker uses", () => {
    const { cluster } = belowMinimum();
    const policy = () => cluster.image.configs.get("broker:1")?.get("log.cleanup.policy");
    cluster.accept(cluster.settings("", { "log.cleanup.policy": "compact" }));
    cluster.accept(of("1", {}, { append: { "log.cleanup.policy": "delete" } }));
    expect(policy()).toBe("compact,delete");
    cluster.accept(of("1", {}, { subtract: { "log.cleanup.policy": "compact" } }));
    expect(policy()).toBe("delete");
  });

  it("is refused where brokers must agree, at any time but a start, and for a bad value", () => {
    const { cluster } = belowMinimum();
    const refusals: [Record<string, string>, string][] = [
      [{ "num.partitions": "2" }, "INVALID_REQUEST"],
      [{ "default.replication.factor": "2" }, "INVALID_REQUEST"],
      [{ "min.insync.replicas": "2" }, "INVALID_CONFIG"],
      [{ "node.id": "2" }, "INVALID_REQUEST"],
      [{ "log.retention.hours": "2" }, "INVALID_REQUEST"],
      [{ "log.retention.ms": "soon" }, "INVALID_REQUEST"],
      [{ "background.threads": "0" }, "INVALID_REQUEST"],
      [{ "no.such.key": "0" }, "INVALID_CONFIG"],
      [{ "leader.replication.throttled.rate": "1" }, "INVALID_CONFIG"],
    ];
    for (const [set, code] of refusals) {
      expect(cluster.refusal(of("1", { ...retention, ...set })), JSON.stringify(set)).toBe(code);
    }
    const append = { append: { "log.retention.ms": "5" } };
    expect(cluster.refusal(of("1", {}, append))).toBe("INVALID_CONFIG");
    // What may be set for one broker only, is refused for all.
    const one = { "sasl.kerberos.min.time.before.relogin": "58000" };
    expect(cluster.refusal(cluster.settings("", one))).toBe("INVALID_REQUEST");
    cluster.accept(of("1", one));
  });

  it("names the setting that a start reads under another name", () => {
    const { cluster } = belowMinimum();
    expect(() => cluster.accept(of("1", { "log.retention.hours": "2" }))).toThrow(
      "set log.retention.ms",
    );
  });

  it("keeps the bounds of the compaction lag in order, also under a new default of all", () => {
    const { cluster } = belowMinimum();
    const least = { "log.cleaner.min.compaction.lag.ms": "10" };
    const most = { "log.cleaner.max.compaction.lag.ms": "5" };
    cluster.accept(of("1", least));
    expect(cluster.refusal(of("1", most))).toBe("INVALID_CONFIG");
    expect(cluster.refusal(cluster.settings("", most))).toBe("INVALID_CONFIG");
    cluster.accept(of("2", most));
  });

  it("steps no partition: no broker has a minimum of its own", () => {
    const { cluster, topic } = belowMinimum();
    const before = cluster.partition(topic).partitionEpoch;
    cluster.accept(of("1", retention));
    expect(cluster.partition(topic).partitionEpoch).toBe(before);
  });
});

describe("a change of a group's settings", () => {
  const of = (name: string, set: Record<string, string>, remove: string[] = []) => ({
    ...new MetadataCluster().settings("", set, remove),
    resource: { type: "group", name } as const,
  });
  const session = { "consumer.session.timeout.ms": "50000" };

  it("is kept, and removed, also for a group that there is not yet", () => {
    const { cluster } = belowMinimum();
    cluster.accept(of("g", session));
    expect(groupConfigEntries(cluster.image, "g")).toMatchObject([
      { name: "consumer.session.timeout.ms", value: "50000", source: "group" },
    ]);
    cluster.accept(of("g", {}, ["consumer.session.timeout.ms"]));
    expect(groupConfigEntries(cluster.image, "g")).toEqual([]);
    expect(cluster.image.configs.size).toBe(0);
  });

  it("is refused out of Kafka's bounds, for groups that there are not, and without a name", () => {
    const { cluster } = belowMinimum();
    for (const value of ["44999", "60001", "soon"]) {
      const command = of("g", { "consumer.session.timeout.ms": value });
      expect(cluster.refusal(command), value).toBe("INVALID_CONFIG");
    }
    for (const name of ["share.session.timeout.ms", "streams.session.timeout.ms", "retention.ms"]) {
      expect(cluster.refusal(of("g", { [name]: "45000" })), name).toBe("INVALID_CONFIG");
    }
    expect(cluster.refusal(of("", session))).toBe("INVALID_REQUEST");
  });
});
