import { describe, expect, it } from "vitest";
import { diffImages } from "./delta.js";
import type { MetadataImage } from "./image.js";
import { MetadataCluster } from "./testing/metadata-cluster.js";

/** Images before and after `change`; nothing in them is shared but what did not change. */
function images(change: (cluster: MetadataCluster) => void): [MetadataImage, MetadataImage] {
  const cluster = new MetadataCluster();
  cluster.start(1, 2, 3);
  cluster.createTopic("t", { replicas: [[1, 2, 3]], configs: { "retention.ms": "1" } });
  const before = cluster.image;
  change(cluster);
  return [before, cluster.image];
}

describe(diffImages, () => {
  it("finds settings that were added, changed and removed", () => {
    for (const [set, remove] of [
      [{ "segment.ms": "1" }, []],
      [{ "retention.ms": "2" }, []],
      [{}, ["retention.ms"]],
      [{ "segment.ms": "1" }, ["retention.ms"]],
    ] as const) {
      const [before, after] = images((cluster) =>
        cluster.accept(cluster.settings("t", { ...set }, [...remove])),
      );
      expect(diffImages(before, after).configs).toEqual(["topic:t"]);
      expect(diffImages(after, before).configs).toEqual(["topic:t"]);
    }
  });

  it("finds nodes and partitions that changed, and no topics that stayed", () => {
    const [before, after] = images((cluster) => cluster.fence(1));
    const { nodes, partitions, topics, configs } = diffImages(before, after);
    expect(nodes).toMatchObject([
      { id: 1, before: { isFenced: false }, after: { isFenced: true } },
    ]);
    expect(partitions).toMatchObject([
      { partition: 0, before: { leader: 1 }, after: { leader: 2 } },
    ]);
    expect(topics).toEqual([]);
    expect(configs).toEqual([]);
  });

  it("finds a topic that came, and with the images exchanged one that went", () => {
    const [before, after] = images((cluster) => cluster.createTopic("u", { partitions: 2 }));
    const came = diffImages(before, after);
    expect(came.topics).toMatchObject([{ name: "u", before: undefined }]);
    expect(came.partitions).toHaveLength(2);
    const went = diffImages(after, before);
    expect(went.topics).toMatchObject([{ name: "u", after: undefined }]);
    expect(went.partitions.every((partition) => partition.after === undefined)).toBe(true);
  });
});
