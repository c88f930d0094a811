import { nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { MetadataCluster } from "../testing/metadata-cluster.js";

function three() {
  const cluster = new MetadataCluster();
  cluster.start(1, 2, 3);
  return { cluster, topic: cluster.createTopic("t", { replicas: [[1, 2, 3]] }) };
}

describe("a node that is removed", () => {
  const removal = { kind: "remove-node", nodeId: nodeId(4) } as const;

  it("has to be down and to hold nothing", () => {
    const { cluster } = three();
    expect(cluster.refusal(removal)).toBe("BROKER_ID_NOT_REGISTERED");
    cluster.start(4);
    expect(cluster.refusal(removal)).toBe("INVALID_REQUEST");
    cluster.createTopic("four", { replicas: [[4]] });
    cluster.fence(4);
    expect(cluster.refusal(removal)).toBe("INVALID_REQUEST");
    cluster.accept({ kind: "delete-topic", name: "four" });
    cluster.accept(removal);
    expect(cluster.node(4)).toBeUndefined();
  });

  it("frees its id, and its directory for another one", () => {
    const { cluster } = three();
    cluster.start(4);
    const epoch = cluster.epochOf(4);
    cluster.fence(4);
    cluster.accept(removal);
    cluster.accept(cluster.registration(5, { directory: 104 }));
    cluster.accept(cluster.registration(4, { directory: 204 }));
    expect(cluster.epochOf(4)).toBeGreaterThan(epoch);
  });

  it("takes with it what was set for it while it ran", () => {
    const { cluster } = three();
    cluster.start(4);
    const set = cluster.settings("", { "log.retention.ms": "5" });
    cluster.accept({ ...set, resource: { type: "broker", name: "4" } });
    cluster.fence(4);
    cluster.accept(removal);
    expect(cluster.image.configs.size).toBe(0);
  });
});
