import { describe, expect, it } from "vitest";
import { decodeImage, encodeImage } from "../image-codec.js";
import { MetadataCluster, show } from "../testing/metadata-cluster.js";

/** Replicas 1, 2, 3 of two partitions; broker 1 is preferred and has just come back. */
function afterReturn() {
  const cluster = new MetadataCluster();
  cluster.start(1, 2, 3);
  const replicas = [
    [1, 2, 3],
    [1, 3, 2],
  ];
  const topic = cluster.createTopic("t", { replicas });
  cluster.fence(1);
  cluster.unfence(1);
  expect(show(cluster.partition(topic, 0))).toBe("2 | 2 3 | -");
  expect(show(cluster.partition(topic, 1))).toBe("3 | 3 2 | -");
  return { cluster, topic };
}

function elect(partitions: number[] = [], unclean = false) {
  return { kind: "elect-leaders", topic: "t", partitions, unclean } as const;
}

describe("a preferred election", () => {
  it("gives the leadership back to the first replica once it is in sync", () => {
    const { cluster, topic } = afterReturn();
    cluster.accept(cluster.proposal(topic, [1, 2, 3], 0));
    const before = cluster.partition(topic, 0);
    const { results } = cluster.accept(elect());
    expect(results.map((result) => [result.leader, result.refusal?.code])).toEqual([
      [1, undefined],
      [3, "PREFERRED_LEADER_NOT_AVAILABLE"],
    ]);
    expect(cluster.partition(topic, 0).leaderEpoch).toBe(before.leaderEpoch + 1);
  });

  it("is not needed where the first replica leads", () => {
    const { cluster, topic } = afterReturn();
    cluster.accept(cluster.proposal(topic, [1, 2, 3], 0));
    cluster.accept(elect([0]));
    const { results } = cluster.accept(elect([0]));
    expect(results).toMatchObject([{ leader: 1, refusal: { code: "ELECTION_NOT_NEEDED" } }]);
  });

  it("does not choose a broker that is about to stop", () => {
    const { cluster, topic } = afterReturn();
    cluster.accept(cluster.proposal(topic, [1, 2], 0));
    // Without broker 1 the ISR would be too small: it stays in sync to its end.
    cluster.stop(1);
    expect(show(cluster.partition(topic, 0))).toBe("2 | 1 2 | -");
    const { results } = cluster.accept(elect([0]));
    expect(results[0]?.refusal?.code).toBe("PREFERRED_LEADER_NOT_AVAILABLE");
  });

  it("answers for each partition, once, also for those that do not exist", () => {
    const { cluster } = afterReturn();
    const { results } = cluster.accept(elect([7, 0, 0]));
    expect(results.map((result) => [result.partition, result.refusal?.code])).toEqual([
      [7, "UNKNOWN_TOPIC_OR_PARTITION"],
      [0, "PREFERRED_LEADER_NOT_AVAILABLE"],
    ]);
    expect(cluster.refusal({ ...elect(), topic: "u" })).toBe("UNKNOWN_TOPIC_OR_PARTITION");
  });
});

describe("an unclean election", () => {
  /** All eligible replicas (2 and 3) are down; broker 1, which fell out long ago, is back. */
  function staleReplicaAlone() {
    const { cluster, topic } = afterReturn();
    for (const node of [1, 2, 3]) cluster.fence(node);
    cluster.unfence(1);
    expect(show(cluster.partition(topic, 0))).toBe("-1 | - | 2 3");
    return { cluster, topic };
  }

  it("makes a live replica the only one in sync, forgets the others, and says so in the log", () => {
    const { cluster, topic } = staleReplicaAlone();
    const { results } = cluster.accept(elect([0], true));
    expect(results).toEqual([{ partition: 0, leader: 1, refusal: null }]);
    expect(show(cluster.partition(topic, 0))).toBe("1 | 1 | -");
    expect(cluster.records.at(-1)).toMatchObject({ type: "partition-changed", isUnclean: true });
  });

  it("is not followed by the old ones taking over again: their log is another one now", () => {
    const { cluster, topic } = staleReplicaAlone();
    cluster.accept(elect([0], true));
    cluster.unfence(2);
    cluster.fence(1);
    expect(show(cluster.partition(topic, 0))).toBe("-1 | - | 1");
  });

  it("takes a replica that lost nothing before any other, should there be one", () => {
    const { cluster, topic } = staleReplicaAlone();
    // No history leads here: whoever is eligible leads as soon as it is back.
    const image = decodeImage(
      JSON.parse(
        JSON.stringify(encodeImage(cluster.image)).replaceAll(
          '"isFenced":true',
          '"isFenced":false',
        ),
      ),
    );
    cluster.image = image;
    cluster.accept(elect([0], true));
    expect(show(cluster.partition(topic, 0))).toBe("2 | 2 | 3");
    expect(cluster.records.at(-1)).not.toHaveProperty("isUnclean");
  });

  it("is not needed where somebody leads", () => {
    const { cluster } = afterReturn();
    const { results } = cluster.accept(elect([0], true));
    expect(results[0]?.refusal?.code).toBe("ELECTION_NOT_NEEDED");
  });

  it("finds nobody where no replica is alive", () => {
    const { cluster } = staleReplicaAlone();
    cluster.fence(1);
    const { results } = cluster.accept(elect([0], true));
    expect(results[0]?.refusal?.code).toBe("ELIGIBLE_LEADERS_NOT_AVAILABLE");
  });

  it("does not happen by a clean one, however often it is asked for", () => {
    const { cluster, topic } = staleReplicaAlone();
    const { results } = cluster.accept(elect());
    expect(results.every((result) => result.refusal !== null)).toBe(true);
    cluster.accept({ kind: "rebalance-leaders" });
    expect(cluster.partition(topic, 0).leader).toBe(-1);
  });
});

describe("a rebalance", () => {
  it("moves what can move to its preferred replica, and counts it", () => {
    const { cluster, topic } = afterReturn();
    expect(cluster.accept({ kind: "rebalance-leaders" })).toMatchObject({ moved: 0 });
    cluster.accept(cluster.proposal(topic, [1, 2, 3], 0));
    expect(cluster.accept({ kind: "rebalance-leaders" })).toMatchObject({ moved: 1 });
    expect(show(cluster.partition(topic, 0))).toBe("1 | 1 2 3 | -");
    expect(cluster.accept({ kind: "rebalance-leaders" })).toMatchObject({ moved: 0 });
  });

  it("moves nothing to a broker that is about to stop", () => {
    const { cluster, topic } = afterReturn();
    cluster.accept(cluster.proposal(topic, [1, 2], 0));
    cluster.stop(1);
    expect(cluster.accept({ kind: "rebalance-leaders" })).toMatchObject({ moved: 0 });
  });
});
