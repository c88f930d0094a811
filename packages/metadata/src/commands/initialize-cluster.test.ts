import { describe, expect, it } from "vitest";
import { MetadataCluster } from "../testing/metadata-cluster.js";

describe("the identity of a cluster", () => {
  it("is given once", () => {
    const cluster = new MetadataCluster();
    const { clusterId } = cluster.image;
    if (clusterId === undefined) throw new Error("the cluster has an id");
    const count = cluster.records.length;
    cluster.accept({ kind: "initialize-cluster", clusterId });
    expect(cluster.records).toHaveLength(count);
    const other = { kind: "initialize-cluster", clusterId: "x".repeat(22) as never } as const;
    expect(cluster.refusal(other)).toBe("INCONSISTENT_CLUSTER_ID");
  });
});
