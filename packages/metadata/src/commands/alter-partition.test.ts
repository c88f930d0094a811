import { brokerEpoch, leaderEpoch, nodeId, topicId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { id, MetadataCluster, show } from "../testing/metadata-cluster.js";

function three() {
  const cluster = new MetadataCluster();
  cluster.start(1, 2, 3);
  return { cluster, topic: cluster.createTopic("t", { replicas: [[1, 3, 2]] }) };
}

describe("a proposal for the ISR", () => {
  it("is answered with the state it leads to, the ISR in the order of the replicas", () => {
    const { cluster, topic } = three();
    expect(cluster.accept(cluster.proposal(topic, [2, 1]))).toEqual({
      kind: "alter-partition",
      topicId: topic,
      partition: 0,
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 1,
      isr: [1, 2],
    });
  });

  it("makes whoever leaves below the minimum eligible, and nobody above it", () => {
    const { cluster, topic } = three();
    cluster.accept(cluster.proposal(topic, [1, 2]));
    expect(show(cluster.partition(topic))).toBe("1 | 1 2 | -");
    cluster.accept(cluster.proposal(topic, [1]));
    expect(show(cluster.partition(topic))).toBe("1 | 1 | 2");
    // Another replica is back at the minimum: records may be committed that 2 does not have.
    cluster.accept(cluster.proposal(topic, [1, 3]));
    expect(show(cluster.partition(topic))).toBe("1 | 1 3 | -");
  });

  it("is refused from whoever does not lead, and about what does not exist", () => {
    const { cluster, topic } = three();
    const proposal = cluster.proposal(topic, [1, 2]);
    const follower = { brokerId: nodeId(2), brokerEpoch: cluster.epochOf(2) };
    expect(cluster.refusal({ ...proposal, ...follower })).toBe("NOT_LEADER_OR_FOLLOWER");
    expect(cluster.refusal({ ...proposal, brokerEpoch: brokerEpoch(1) })).toBe(
      "STALE_BROKER_EPOCH",
    );
    expect(cluster.refusal({ ...proposal, partition: 1 })).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(cluster.refusal({ ...proposal, topicId: topicId(id(9)) })).toBe("UNKNOWN_TOPIC_ID");
    expect(cluster.refusal({ ...proposal, leaderEpoch: leaderEpoch(7) })).toBe(
      "UNKNOWN_LEADER_EPOCH",
    );
  });

  it("is refused when it is no ISR: nobody, somebody twice, strangers, or without the leader", () => {
    const { cluster, topic } = three();
    cluster.start(4);
    for (const isr of [[], [2, 3], [1, 1], [1, 4]]) {
      expect(cluster.refusal(cluster.proposal(topic, isr))).toBe("INVALID_REQUEST");
    }
  });

  it("is judged by its epochs first: any other refusal says that they are the present ones", () => {
    const { cluster, topic } = three();
    const ineligible = { ...cluster.proposal(topic, [1, 2]) };
    const malformed = cluster.proposal(topic, []);
    cluster.start(2);
    for (const command of [ineligible, malformed]) {
      expect(cluster.refusal(command)).toBe("INVALID_UPDATE_VERSION");
    }
  });
});
