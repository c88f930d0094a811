/** What becomes of a partition as its brokers fail, stop and come back: leader | ISR | ELR. */
import { nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { MetadataCluster, show } from "./testing/metadata-cluster.js";

/** Three brokers, and a topic with replicas 1, 2, 3; min.insync.replicas is 2. */
function three(): { cluster: MetadataCluster; topic: ReturnType<MetadataCluster["createTopic"]> } {
  const cluster = new MetadataCluster();
  cluster.start(1, 2, 3);
  return { cluster, topic: cluster.createTopic("t", { replicas: [[1, 2, 3]] }) };
}

describe("a fenced leader", () => {
  it("is followed by the next replica in sync, in a new leader epoch", () => {
    const { cluster, topic } = three();
    const before = cluster.partition(topic);
    cluster.fence(1);
    const after = cluster.partition(topic);
    expect(show(after)).toBe("2 | 2 3 | -");
    expect(after.leaderEpoch).toBe(before.leaderEpoch + 1);
    expect(after.partitionEpoch).toBe(before.partitionEpoch + 1);
  });

  it("stays eligible once the ISR is below its minimum, and leads again when it alone is back", () => {
    const { cluster, topic } = three();
    cluster.fence(1);
    cluster.fence(2);
    expect(show(cluster.partition(topic))).toBe("3 | 3 | 2");
    cluster.fence(3);
    expect(show(cluster.partition(topic))).toBe("-1 | - | 2 3");
    // Broker 1 left while two others were in sync: it may lack what they committed since.
    cluster.unfence(1);
    expect(show(cluster.partition(topic))).toBe("-1 | - | 2 3");
    cluster.unfence(2);
    expect(show(cluster.partition(topic))).toBe("2 | 2 | 3");
  });

  it("changes nothing when it is fenced a second time", () => {
    const { cluster } = three();
    cluster.fence(1);
    const { image } = cluster;
    cluster.fence(1);
    expect(cluster.image.topics).toEqual(image.topics);
  });
});

describe("a broker that starts again", () => {
  it("never goes on in its old leadership, even as the only replica", () => {
    const cluster = new MetadataCluster();
    cluster.start(1);
    const topic = cluster.createTopic("t", { replicas: [[1]] });
    const before = cluster.partition(topic);
    cluster.start(1);
    const after = cluster.partition(topic);
    expect(show(after)).toBe("1 | 1 | -");
    expect(after.leaderEpoch).toBeGreaterThan(before.leaderEpoch);
  });

  it("keeps what it holds after three brokers lost power at once", () => {
    const { cluster, topic } = three();
    for (const node of [1, 2, 3]) cluster.accept(cluster.registration(node));
    expect(show(cluster.partition(topic))).toBe("-1 | - | 2 3");
    cluster.unfence(3);
    expect(show(cluster.partition(topic))).toBe("3 | 3 | 2");
  });

  it("is not trusted after a crash where acknowledgements do not wait for the disk", () => {
    const cluster = new MetadataCluster();
    cluster.start(1, 2, 3);
    const configs = { durability: "replicated" };
    const topic = cluster.createTopic("t", { replicas: [[1, 2, 3]], configs });
    cluster.fence(2);
    cluster.fence(3);
    expect(cluster.partition(topic).leader).toBe(1);
    cluster.accept(cluster.registration(1));
    expect(cluster.partition(topic).elr).not.toContain(1);
  });

  it("keeps its epoch when only its session was opened again", () => {
    const { cluster } = three();
    const registration = cluster.registration(1);
    const first = cluster.accept(registration);
    expect(cluster.accept(registration).brokerEpoch).toBe(first.brokerEpoch);
  });
});

describe("a broker with the wrong identity", () => {
  it("is refused under a known id with a new disk, and admitted when the operator says so", () => {
    const { cluster, topic } = three();
    const wiped = cluster.registration(1, { directory: 77 });
    expect(cluster.refusal(wiped)).toBe("INVALID_REGISTRATION");
    cluster.accept({ ...wiped, replaceDirectory: true });
    expect(show(cluster.partition(topic))).toBe("2 | 2 3 | -");
  });

  it("is refused while the holder of its id is alive", () => {
    const { cluster } = three();
    const twin = { ...cluster.registration(1, { directory: 77 }), isAlive: true };
    expect(cluster.refusal(twin)).toBe("DUPLICATE_BROKER_REGISTRATION");
  });

  it("is refused with another cluster's id", () => {
    const { cluster } = three();
    const stranger = { ...cluster.registration(4), clusterId: "AAAAAAAAAAAAAAAAAAAAAA" as never };
    expect(cluster.refusal(stranger)).toBe("INCONSISTENT_CLUSTER_ID");
  });

  it("is refused with a copy of another node's directory", () => {
    const { cluster } = three();
    expect(cluster.refusal(cluster.registration(4, { directory: 101 }))).toBe(
      "INVALID_REGISTRATION",
    );
  });
});

describe("a proposal for the ISR", () => {
  it("is taken from the leader on the present state, and clears the ELR at the minimum", () => {
    const { cluster, topic } = three();
    cluster.fence(3);
    cluster.accept(cluster.proposal(topic, [1]));
    expect(show(cluster.partition(topic))).toBe("1 | 1 | 2");
    cluster.accept(cluster.proposal(topic, [1, 2]));
    expect(show(cluster.partition(topic))).toBe("1 | 1 2 | -");
  });

  it("is a step of the partition epoch even when it changes nothing: older ones are void then", () => {
    const { cluster, topic } = three();
    const lost = cluster.proposal(topic, [1, 2]);
    cluster.accept(cluster.proposal(topic, [1, 2, 3]));
    expect(show(cluster.partition(topic))).toBe("1 | 1 2 3 | -");
    expect(cluster.refusal(lost)).toBe("INVALID_UPDATE_VERSION");
  });

  it("is refused when the partition has changed since", () => {
    const { cluster, topic } = three();
    const late = cluster.proposal(topic, [1, 2]);
    cluster.accept(cluster.proposal(topic, [1, 3]));
    expect(cluster.refusal(late)).toBe("INVALID_UPDATE_VERSION");
  });

  it("is refused from a leader of the past", () => {
    const { cluster, topic } = three();
    const late = cluster.proposal(topic, [1, 2]);
    cluster.fence(1);
    cluster.unfence(1);
    expect(cluster.refusal(late)).toBe("FENCED_LEADER_EPOCH");
  });

  it("is refused for a replica that is fenced, or that has restarted since", () => {
    const { cluster, topic } = three();
    cluster.fence(3);
    expect(cluster.refusal(cluster.proposal(topic, [1, 2, 3]))).toBe("INELIGIBLE_REPLICA");
    cluster.unfence(3);
    const proposal = cluster.proposal(topic, [1, 2, 3]);
    cluster.start(3);
    expect(cluster.refusal(proposal)).toBe("INELIGIBLE_REPLICA");
  });
});

describe("a broker that stops", () => {
  it("hands its leaderships over and leaves where the ISR keeps its minimum", () => {
    const { cluster, topic } = three();
    const answer = cluster.accept({
      kind: "node-stopping",
      nodeId: nodeId(1),
      brokerEpoch: cluster.epochOf(1),
    });
    expect(answer).toMatchObject({ leads: 0, leadsMovable: 0 });
    expect(show(cluster.partition(topic))).toBe("2 | 2 3 | -");
  });

  it("says that it still leads when nobody else is in sync", () => {
    const { cluster, topic } = three();
    cluster.fence(2);
    cluster.fence(3);
    expect(cluster.partition(topic).leader).toBe(1);
    const stopping = {
      kind: "node-stopping",
      nodeId: nodeId(1),
      brokerEpoch: cluster.epochOf(1),
    } as const;
    expect(cluster.accept(stopping)).toMatchObject({ leads: 1, leadsMovable: 0 });
  });
});

describe("an unclean election", () => {
  it("happens only by name", () => {
    const { cluster, topic } = three();
    cluster.fence(1);
    cluster.fence(2);
    cluster.fence(3);
    cluster.unfence(1);
    expect(cluster.partition(topic).leader).toBe(-1);
    const clean = { kind: "elect-leaders", topic: "t", partitions: [], unclean: false } as const;
    expect(cluster.accept(clean).results[0]?.refusal).not.toBeNull();
    cluster.accept({ ...clean, unclean: true });
    expect(show(cluster.partition(topic))).toMatch(/^1 \| 1 \|/);
  });
});

describe("a topic", () => {
  it("is not created twice, nor with a bad name, nor with a setting nobody knows", () => {
    const { cluster } = three();
    expect(() => cluster.createTopic("t")).toThrow("TOPIC_ALREADY_EXISTS");
    expect(() => cluster.createTopic("../t")).toThrow("INVALID_TOPIC_EXCEPTION");
    expect(() => cluster.createTopic("u", { configs: { "retention.sm": "1" } })).toThrow(
      "retention.ms",
    );
  });

  it("has three replicas by default, spread evenly", () => {
    const cluster = new MetadataCluster();
    cluster.start(1, 2, 3);
    const topic = cluster.createTopic("spread", { replicas: [] });
    expect(cluster.partition(topic).replicas).toHaveLength(3);
    const counts = new Map<number, number>();
    for (let at = 0; at < 30; at += 1) {
      const { leader } = cluster.partition(cluster.createTopic(`t${at}`));
      counts.set(leader, (counts.get(leader) ?? 0) + 1);
    }
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(3);
  });
});
