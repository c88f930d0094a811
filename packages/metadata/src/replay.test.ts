import { leaderEpoch, nodeId, partitionEpoch, topicId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { emptyImage } from "./image.js";
import { MetadataError } from "./metadata-error.js";
import type { MetadataRecord, PartitionChangedRecord } from "./records.js";
import { replay } from "./replay.js";
import { id, MetadataCluster } from "./testing/metadata-cluster.js";

const TOPIC = topicId(id(1_001));

function cluster(): MetadataCluster {
  const started = new MetadataCluster();
  started.start(1, 2, 3);
  started.createTopic("t", { replicas: [[1, 2, 3]] });
  started.createTopic("u", { replicas: [[1, 2, 3]] });
  return started;
}

const CHANGE: PartitionChangedRecord = {
  type: "partition-changed",
  version: 1,
  topicId: TOPIC,
  partition: 0,
  isr: [nodeId(2)],
  elr: [nodeId(1)],
  leader: nodeId(2),
  leaderEpoch: leaderEpoch(1),
  partitionEpoch: partitionEpoch(1),
};

describe(replay, () => {
  it("leaves the image before it as it was, and shares with it what did not change", () => {
    const { image } = cluster();
    const before = image.topics.get(TOPIC);
    const next = replay(image, [CHANGE], image.offset + 1).image;
    expect(before?.partitions[0]?.leader).toBe(1);
    expect(next.topics.get(TOPIC)?.partitions[0]?.leader).toBe(2);
    expect(next.nodes).toBe(image.nodes);
    expect(next.configs).toBe(image.configs);
    const other = topicId(id(1_002));
    expect(next.topics.get(other)).toBe(image.topics.get(other));
  });

  it("moves the offset on, also without records", () => {
    const { image } = cluster();
    const { image: next, delta } = replay(image, [], image.offset + 5);
    expect(next).toEqual({ ...image, offset: image.offset + 5 });
    expect(delta).toEqual({ partitions: [], topics: [], nodes: [], configs: [] });
    expect(() => replay(next, [], image.offset)).toThrow(MetadataError);
    expect(() => replay(next, [], Number.NaN)).toThrow(MetadataError);
  });

  it("says once what changed, however many records led there", () => {
    const { image } = cluster();
    const again: PartitionChangedRecord = {
      ...CHANGE,
      leader: nodeId(1),
      isr: [nodeId(1)],
      elr: [],
      leaderEpoch: leaderEpoch(2),
      partitionEpoch: partitionEpoch(2),
    };
    const { delta } = replay(image, [CHANGE, again], image.offset + 1);
    expect(delta.partitions).toHaveLength(1);
    expect(delta.partitions[0]).toMatchObject({
      topicId: TOPIC,
      partition: 0,
      before: { partitionEpoch: 0 },
      after: { partitionEpoch: 2 },
    });
    expect(delta.topics).toEqual([]);
  });

  it("names every partition of a topic that comes or goes", () => {
    const started = cluster();
    const { image } = started;
    const gone: MetadataRecord = { type: "topic-deleted", version: 1, topicId: TOPIC };
    const { delta } = replay(image, [gone], image.offset + 1);
    expect(delta.topics).toMatchObject([{ topicId: TOPIC, name: "t", after: undefined }]);
    expect(delta.partitions).toMatchObject([{ topicId: TOPIC, partition: 0, after: undefined }]);
    const created: MetadataRecord = {
      type: "topic-created",
      version: 1,
      topicId: topicId(id(7)),
      name: "v",
    };
    const both = [created, { ...gone, topicId: topicId(id(7)) }];
    expect(replay(image, both, image.offset + 1).delta).toEqual({
      partitions: [],
      topics: [],
      nodes: [],
      configs: [],
    });
  });

  it("stops at a record that does not fit the image", () => {
    const { image } = cluster();
    const node = image.nodes.get(nodeId(1));
    if (node === undefined) throw new Error("node 1 is registered");
    const bad: Record<string, MetadataRecord> = {
      "a change of an unknown topic": { ...CHANGE, topicId: topicId(id(9)) },
      "a change of an unknown partition": { ...CHANGE, partition: 1 },
      "a partition epoch that leaps": { ...CHANGE, partitionEpoch: partitionEpoch(2) },
      "a leader without a new epoch": { ...CHANGE, leaderEpoch: leaderEpoch(0) },
      "a leader who is not in sync": { ...CHANGE, isr: [nodeId(3)] },
      "an ISR of strangers": { ...CHANGE, isr: [nodeId(2), nodeId(9)] },
      "a replica both in sync and eligible": { ...CHANGE, elr: [nodeId(2)] },
      "a partition that leaves a gap": {
        type: "partition-created",
        version: 1,
        topicId: TOPIC,
        partition: 2,
        replicas: [nodeId(1)],
        isr: [],
        leader: -1,
      },
      "a topic that exists": { type: "topic-created", version: 1, topicId: TOPIC, name: "x" },
      "a topic that does not": { type: "topic-deleted", version: 1, topicId: topicId(id(9)) },
      "a node of another epoch": {
        type: "node-fenced",
        version: 1,
        nodeId: nodeId(1),
        brokerEpoch: (node.brokerEpoch + 1) as never,
      },
      "a node that goes back": {
        type: "node-registered",
        version: 1,
        node: { ...node, brokerEpoch: (node.brokerEpoch - 1) as never },
      },
    };
    for (const [what, record] of Object.entries(bad)) {
      expect(() => replay(image, [record], image.offset + 1), what).toThrow(MetadataError);
    }
    const gone: MetadataRecord = { type: "topic-deleted", version: 1, topicId: TOPIC };
    const late = { ...CHANGE, partitionEpoch: partitionEpoch(2) };
    expect(() => replay(image, [CHANGE, late], 99)).not.toThrow();
    expect(() => replay(image, [CHANGE, gone, late], 99)).toThrow(MetadataError);
    const ids: MetadataRecord = {
      type: "producer-ids-allocated",
      version: 1,
      brokerId: nodeId(1),
      brokerEpoch: node.brokerEpoch,
      nextProducerId: 5,
    };
    expect(() => replay(image, [ids, { ...ids, nextProducerId: 4 }], 99)).toThrow(MetadataError);
  });

  it("begins with an empty image", () => {
    expect(emptyImage()).toMatchObject({ offset: 0, clusterId: undefined, nextProducerId: 0 });
  });
});
