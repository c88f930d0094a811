import { brokerEpoch, nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { MetadataCluster } from "../testing/metadata-cluster.js";

function three() {
  const cluster = new MetadataCluster();
  cluster.start(1, 2, 3);
  return { cluster, topic: cluster.createTopic("t", { replicas: [[1, 2, 3]] }) };
}

describe("fencing and unfencing", () => {
  it("write nothing where the node stands so already", () => {
    const { cluster } = three();
    cluster.unfence(1);
    cluster.fence(2);
    const count = cluster.records.length;
    cluster.unfence(1);
    cluster.fence(2);
    expect(cluster.records).toHaveLength(count);
  });
});

describe("a command about a process that is gone", () => {
  it("is refused: it was meant for the one before", () => {
    const { cluster } = three();
    const old = cluster.incarnation(1);
    cluster.start(1);
    for (const kind of ["fence-node", "unfence-node", "node-stopping", "node-failed"] as const) {
      expect(cluster.refusal({ kind, ...old })).toBe("STALE_BROKER_EPOCH");
      const unknown = { kind, nodeId: nodeId(9), brokerEpoch: brokerEpoch(1) };
      expect(cluster.refusal(unknown)).toBe("BROKER_ID_NOT_REGISTERED");
    }
    const ids = { kind: "allocate-producer-ids", brokerId: old.nodeId } as const;
    expect(cluster.refusal({ ...ids, brokerEpoch: old.brokerEpoch })).toBe("STALE_BROKER_EPOCH");
  });
});
