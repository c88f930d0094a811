import { describe, expect, it } from "vitest";
import { MetadataCluster, show } from "../testing/metadata-cluster.js";

function three() {
  const cluster = new MetadataCluster();
  cluster.start(1, 2, 3);
  return { cluster, topic: cluster.createTopic("t", { replicas: [[1, 2, 3]] }) };
}

describe("a broker that stops", () => {
  it("stays in sync to its end where the ISR would fall below its minimum: writes go on", () => {
    const { cluster, topic } = three();
    cluster.fence(3);
    expect(cluster.stop(1)).toMatchObject({ leads: 0, leadsMovable: 0 });
    expect(show(cluster.partition(topic))).toBe("2 | 1 2 | -");
    cluster.fence(1);
    expect(show(cluster.partition(topic))).toBe("2 | 2 | 1");
  });

  it("is asked to wait where a live replica may yet catch up, and hands over when it has", () => {
    const { cluster, topic } = three();
    cluster.fence(2);
    cluster.fence(3);
    cluster.unfence(2);
    expect(cluster.stop(1)).toMatchObject({ leads: 1, leadsMovable: 1 });
    cluster.accept(cluster.proposal(topic, [1, 2]));
    expect(cluster.stop(1)).toMatchObject({ leads: 0, leadsMovable: 0 });
    expect(show(cluster.partition(topic))).toBe("2 | 1 2 | -");
  });

  it("is not kept waiting for the partitions that only it holds", () => {
    const { cluster } = three();
    cluster.createTopic("one", { replicas: [[1]] });
    expect(cluster.stop(1)).toMatchObject({ leads: 1, leadsMovable: 0 });
  });

  it("changes nothing when it asks again", () => {
    const { cluster } = three();
    cluster.stop(1);
    const count = cluster.records.length;
    cluster.stop(1);
    expect(cluster.records).toHaveLength(count);
  });

  it("hands nothing to another that stops", () => {
    const { cluster, topic } = three();
    cluster.stop(1);
    cluster.stop(2);
    expect(show(cluster.partition(topic))).toBe("3 | 2 3 | -");
    expect(cluster.stop(3)).toMatchObject({ leads: 1, leadsMovable: 0 });
  });

  it("leads again only where the leader failed and nobody else holds what is committed", () => {
    const { cluster, topic } = three();
    cluster.stop(1);
    cluster.stop(2);
    cluster.fence(3);
    expect(show(cluster.partition(topic))).toBe("2 | 2 | 3");
  });

  it("comes after an eligible replica that stays, when the leader fails", () => {
    const { cluster, topic } = three();
    cluster.fence(3);
    cluster.fence(1);
    // Broker 1 holds everything committed, and follows again; 2 leads, alone in sync.
    cluster.unfence(1);
    expect(show(cluster.partition(topic))).toBe("2 | 2 | 1");
    cluster.stop(2);
    expect(show(cluster.partition(topic))).toBe("2 | 2 | 1");
    cluster.fence(2);
    expect(show(cluster.partition(topic))).toBe("1 | 1 | 2");
  });

  it("joins no ISR any more, but stays in those it is in", () => {
    const { cluster, topic } = three();
    cluster.accept(cluster.proposal(topic, [1, 2]));
    cluster.stop(3);
    expect(cluster.refusal(cluster.proposal(topic, [1, 2, 3]))).toBe("INELIGIBLE_REPLICA");
    cluster.stop(2);
    expect(show(cluster.partition(topic))).toBe("1 | 1 2 | -");
    cluster.accept(cluster.proposal(topic, [1, 2]));
  });

  it("is an ordinary broker again after its next start", () => {
    const { cluster, topic } = three();
    cluster.stop(1);
    cluster.start(1);
    expect(cluster.node(1)).toMatchObject({ isStopping: false, isFenced: false });
    cluster.accept(cluster.proposal(topic, [1, 2, 3]));
    expect(show(cluster.partition(topic))).toBe("2 | 1 2 3 | -");
  });

  it("brings a cluster down and up again without a loss, broker by broker", () => {
    const { cluster, topic } = three();
    for (const node of [1, 2, 3]) {
      cluster.stop(node);
      cluster.fence(node);
    }
    expect(show(cluster.partition(topic))).toBe("-1 | - | 2 3");
    for (const node of [1, 2, 3]) {
      cluster.accept(cluster.registration(node, { clean: true }));
      cluster.unfence(node);
    }
    expect(show(cluster.partition(topic))).toBe("2 | 2 | 3");
    cluster.accept(cluster.proposal(topic, [1, 2, 3]));
    expect(show(cluster.partition(topic))).toBe("2 | 1 2 3 | -");
  });
});
