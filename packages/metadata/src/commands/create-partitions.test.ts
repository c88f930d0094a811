import { nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { topicByName } from "../image.js";
import { MetadataCluster } from "../testing/metadata-cluster.js";

function cluster(): MetadataCluster {
  const started = new MetadataCluster();
  started.start(1, 2, 3);
  started.createTopic("t", { partitions: 2, replicationFactor: 2 });
  return started;
}

function grow(totalCount: number, assignments: number[][] = []) {
  return {
    kind: "create-partitions",
    name: "t",
    totalCount,
    assignments: assignments.map((replicas) => replicas.map((id) => nodeId(id))),
    validateOnly: false,
    seed: 1,
  } as const;
}

describe("a topic that grows", () => {
  it("keeps its partitions as they are, and adds some with as many replicas", () => {
    const grown = cluster();
    const before = topicByName(grown.image, "t")?.partitions ?? [];
    expect(grown.accept(grow(5))).toMatchObject({ partitions: 5 });
    const after = topicByName(grown.image, "t")?.partitions ?? [];
    expect(after.slice(0, 2)).toEqual(before);
    expect(after.map((partition) => partition.replicas.length)).toEqual([2, 2, 2, 2, 2]);
  });

  it("never shrinks, and has a largest size", () => {
    for (const count of [-1, 0, 1, 2, 10_001]) {
      expect(cluster().refusal(grow(count))).toBe("INVALID_PARTITIONS");
    }
  });

  it("takes one assignment for each new partition, of the topic's replication factor", () => {
    const grown = cluster();
    expect(grown.refusal(grow(4, [[1, 2]]))).toBe("INVALID_REPLICA_ASSIGNMENT");
    expect(grown.refusal(grow(3, [[1, 2, 3]]))).toBe("INVALID_REPLICA_ASSIGNMENT");
    expect(grown.refusal(grow(3, [[1, 1]]))).toBe("INVALID_REPLICA_ASSIGNMENT");
    grown.accept(grow(3, [[3, 1]]));
    expect(topicByName(grown.image, "t")?.partitions[2]).toMatchObject({ replicas: [3, 1] });
  });

  it("changes nothing when it is only to be validated", () => {
    const grown = cluster();
    grown.accept({ ...grow(3), validateOnly: true });
    expect(topicByName(grown.image, "t")?.partitions).toHaveLength(2);
  });

  it("has to exist", () => {
    const unknown = { ...grow(3), name: "u" };
    expect(cluster().refusal(unknown)).toBe("UNKNOWN_TOPIC_OR_PARTITION");
  });
});
