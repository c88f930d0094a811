import { describe, expect, it } from "vitest";
import { MetadataCluster, show } from "../testing/metadata-cluster.js";

function three() {
  const cluster = new MetadataCluster();
  cluster.start(1, 2, 3);
  return { cluster, topic: cluster.createTopic("t", { replicas: [[1, 2, 3]] }) };
}

function fail(cluster: MetadataCluster, node: number): void {
  cluster.accept({ kind: "node-failed", ...cluster.incarnation(node) });
}

describe("a failed disk", () => {
  it("fences its broker, and moves what it led", () => {
    const { cluster, topic } = three();
    fail(cluster, 1);
    expect(cluster.node(1)?.isFenced).toBe(true);
    expect(show(cluster.partition(topic))).toBe("2 | 2 3 | -");
  });

  it("is not eligible where another replica holds what is committed", () => {
    const { cluster, topic } = three();
    cluster.fence(3);
    fail(cluster, 1);
    expect(show(cluster.partition(topic))).toBe("2 | 2 | -");
    cluster.fence(2);
    expect(show(cluster.partition(topic))).toBe("-1 | - | 2");
  });

  it("stays eligible as the last that holds it: every acknowledged record was synced before", () => {
    const { cluster, topic } = three();
    const one = cluster.createTopic("one", { replicas: [[1]] });
    fail(cluster, 3);
    fail(cluster, 2);
    fail(cluster, 1);
    expect(show(cluster.partition(topic))).toBe("-1 | - | 1");
    expect(show(cluster.partition(one))).toBe("-1 | - | 1");
    cluster.start(1);
    expect(show(cluster.partition(one))).toBe("1 | 1 | -");
  });

  it("gives way to an eligible replica that is alive", () => {
    const { cluster, topic } = three();
    cluster.fence(3);
    cluster.fence(2);
    cluster.unfence(2);
    expect(show(cluster.partition(topic))).toBe("1 | 1 | 2");
    fail(cluster, 1);
    expect(show(cluster.partition(topic))).toBe("2 | 2 | -");
  });

  it("is reported at each heartbeat, and changes something once", () => {
    const { cluster } = three();
    fail(cluster, 1);
    const count = cluster.records.length;
    fail(cluster, 1);
    expect(cluster.records).toHaveLength(count);
  });

  it("loses its eligibility also when it was fenced before it was known", () => {
    const { cluster, topic } = three();
    cluster.fence(3);
    cluster.fence(1);
    expect(show(cluster.partition(topic))).toBe("2 | 2 | 1");
    fail(cluster, 1);
    expect(show(cluster.partition(topic))).toBe("2 | 2 | -");
  });
});
