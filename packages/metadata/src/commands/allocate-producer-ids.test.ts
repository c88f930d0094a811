import { describe, expect, it } from "vitest";
import { MetadataCluster } from "../testing/metadata-cluster.js";

function three() {
  const cluster = new MetadataCluster();
  cluster.start(1, 2, 3);
  return { cluster, topic: cluster.createTopic("t", { replicas: [[1, 2, 3]] }) };
}

describe("producer ids", () => {
  it("are handed out in blocks, none of them twice", () => {
    const { cluster } = three();
    const ask = (node: number) => {
      const { nodeId: brokerId, brokerEpoch: epoch } = cluster.incarnation(node);
      return cluster.accept({ kind: "allocate-producer-ids", brokerId, brokerEpoch: epoch });
    };
    expect(ask(1)).toMatchObject({ firstProducerId: 0, count: 1_000 });
    expect(ask(2)).toMatchObject({ firstProducerId: 1_000, count: 1_000 });
    expect(cluster.image.nextProducerId).toBe(2_000);
  });
});
