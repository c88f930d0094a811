import { describe, expect, it } from "vitest";
import { decodeImage, encodeImage } from "../image-codec.js";
import { MetadataCluster, show } from "../testing/metadata-cluster.js";

const COMPLETE = { kind: "complete-reassignments" } as const;

/** Topic "t" on brokers 1, 2, 3 of five. */
function five(configs: Record<string, string> = {}) {
  const cluster = new MetadataCluster();
  cluster.start(1, 2, 3, 4, 5);
  const topic = cluster.createTopic("t", { replicas: [[1, 2, 3]], configs });
  const move = (replicas: number[] | null) =>
    cluster.accept(cluster.reassignment("t", replicas)).results[0]?.refusal?.code;
  const assignment = (): string => {
    const { replicas, adding, removing } = cluster.partition(topic);
    return `${replicas} +${adding} -${removing}`;
  };
  return { cluster, topic, move, assignment };
}

describe("a reassignment", () => {
  it("adds the new replicas at once, and removes the others when the new ones are in sync", () => {
    const { cluster, topic, move, assignment } = five();
    expect(move([4, 5, 1])).toBeUndefined();
    expect(assignment()).toBe("4,5,1,2,3 +4,5 -2,3");
    expect(show(cluster.partition(topic))).toBe("1 | 1 2 3 | -");
    cluster.accept(cluster.proposal(topic, [1, 2, 3, 4]));
    expect(cluster.accept(COMPLETE)).toMatchObject({ completed: 0, underWay: 1 });
    cluster.accept(cluster.proposal(topic, [1, 2, 3, 4, 5]));
    expect(cluster.accept(COMPLETE)).toMatchObject({ completed: 1, underWay: 0 });
    expect(assignment()).toBe("4,5,1 + -");
    expect(show(cluster.partition(topic))).toBe("1 | 4 5 1 | -");
  });

  it("moves the leadership when the leader is among those that go, in an epoch of its own", () => {
    const { cluster, topic, move } = five();
    move([4, 2, 3]);
    cluster.accept(cluster.proposal(topic, [1, 2, 3, 4]));
    const { leaderEpoch, partitionEpoch } = cluster.partition(topic);
    cluster.accept(COMPLETE);
    const after = cluster.partition(topic);
    expect(show(after)).toBe("4 | 4 2 3 | -");
    expect(after.leaderEpoch).toBe(leaderEpoch + 1);
    expect(after.partitionEpoch).toBe(partitionEpoch + 1);
  });

  it("is done at once where nobody has to catch up: another order, or fewer replicas", () => {
    const { cluster, topic, move, assignment } = five();
    move([3, 2, 1]);
    expect(assignment()).toBe("3,2,1 + -");
    expect(show(cluster.partition(topic))).toBe("1 | 3 2 1 | -");
    move([2, 3]);
    expect(assignment()).toBe("2,3 + -");
    expect(show(cluster.partition(topic))).toBe("2 | 2 3 | -");
  });

  it("does not complete below the minimum of replicas in sync", () => {
    const { cluster, topic, move, assignment } = five();
    cluster.fence(2);
    cluster.fence(3);
    move([1, 2]);
    expect(assignment()).toBe("1,2,3 + -3");
    expect(cluster.accept(COMPLETE)).toMatchObject({ underWay: 1 });
    cluster.unfence(2);
    cluster.accept(cluster.proposal(topic, [1, 2]));
    cluster.accept(COMPLETE);
    expect(assignment()).toBe("1,2 + -");
  });

  it("does not stop the writes to a single replica while others are added", () => {
    const { cluster } = five();
    const one = cluster.createTopic("one", { replicas: [[1]] });
    cluster.accept(cluster.reassignment("one", [1, 2, 3]));
    expect(show(cluster.partition(one))).toBe("1 | 1 | -");
    cluster.accept(cluster.proposal(one, [1, 2, 3]));
    cluster.accept(COMPLETE);
    cluster.fence(3);
    cluster.fence(2);
    // Now it is the new number that the minimum is held against.
    expect(show(cluster.partition(one))).toBe("1 | 1 | 2");
  });

  it("changes nothing when it is the present assignment", () => {
    const { cluster, topic, move } = five();
    const { partitionEpoch } = cluster.partition(topic);
    expect(move([1, 2, 3])).toBeUndefined();
    move([4, 2, 3]);
    expect(move([4, 2, 3])).toBeUndefined();
    expect(cluster.partition(topic).partitionEpoch).toBe(partitionEpoch + 1);
  });

  it("takes another one's place, and forgets replicas that only the other would have brought", () => {
    const { cluster, topic, move, assignment } = five();
    move([4, 2, 3]);
    cluster.accept(cluster.proposal(topic, [1, 2, 3, 4]));
    move([5, 2, 3]);
    expect(assignment()).toBe("5,2,3,1 +5 -1");
    expect(show(cluster.partition(topic))).toBe("1 | 2 3 1 | -");
  });

  it("can be taken back, and a leader that only it brought goes with it", () => {
    const { cluster, topic, move, assignment } = five();
    move([4, 5]);
    cluster.accept(cluster.proposal(topic, [1, 2, 3, 4]));
    cluster.fence(1);
    expect(show(cluster.partition(topic))).toBe("4 | 4 2 3 | -");
    expect(move(null)).toBeUndefined();
    expect(assignment()).toBe("1,2,3 + -");
    expect(show(cluster.partition(topic))).toBe("2 | 2 3 | -");
  });

  it("cannot be taken back when only new replicas hold what is committed", () => {
    const { cluster, topic, move } = five();
    move([4, 5]);
    cluster.accept(cluster.proposal(topic, [1, 4]));
    cluster.accept(cluster.proposal(topic, [1, 4]));
    cluster.fence(1);
    cluster.accept(cluster.proposal(topic, [4]));
    expect(show(cluster.partition(topic))).toBe("4 | 4 | 1");
    expect(move(null)).toBe("INVALID_REPLICA_ASSIGNMENT");
    expect(move([2, 3])).toBe("INVALID_REPLICA_ASSIGNMENT");
  });

  it("is refused with Kafka's codes", () => {
    const { cluster, move } = five();
    expect(move(null)).toBe("NO_REASSIGNMENT_IN_PROGRESS");
    expect(move([])).toBe("INVALID_REPLICA_ASSIGNMENT");
    expect(move([1, 1])).toBe("INVALID_REPLICA_ASSIGNMENT");
    expect(move([1, 9])).toBe("INVALID_REPLICA_ASSIGNMENT");
    const codes = (command: ReturnType<typeof cluster.reassignment>) =>
      cluster.accept(command).results.map((result) => result.refusal?.code);
    expect(codes(cluster.reassignment("u", [1]))).toEqual(["UNKNOWN_TOPIC_OR_PARTITION"]);
    expect(codes(cluster.reassignment("t", [1], 7))).toEqual(["UNKNOWN_TOPIC_OR_PARTITION"]);
    const fixed = { ...cluster.reassignment("t", [1, 2]), allowReplicationFactorChange: false };
    expect(codes(fixed)).toEqual(["INVALID_REPLICATION_FACTOR"]);
    const twice = cluster.reassignment("t", [1, 2]);
    const { partitions } = twice;
    expect(codes({ ...twice, partitions: [...partitions, ...partitions] })).toEqual([
      undefined,
      "INVALID_REQUEST",
    ]);
  });

  it("leaves three replicas to a topic whose records may be on no disk", () => {
    const { move } = five({ durability: "replicated" });
    expect(move([1, 2])).toBe("INVALID_REPLICATION_FACTOR");
    expect(move([1, 2, 4])).toBeUndefined();
  });

  it("elects a replica that it brings uncleanly only when none of the old ones is alive", () => {
    const { cluster, topic, move } = five();
    move([4, 2]);
    for (const node of [1, 2, 3]) cluster.fence(node);
    cluster.accept({ ...cluster.registration(3, { directory: 700 }), replaceDirectory: true });
    cluster.unfence(3);
    const unclean = { kind: "elect-leaders", topic: "t", partitions: [], unclean: true } as const;
    cluster.accept(unclean);
    expect(show(cluster.partition(topic))).toBe("3 | 3 | -");
  });
});

describe("a snapshot", () => {
  it("is of a version that older programs do not know only while partitions are reassigned", () => {
    const { cluster, move } = five();
    const version = () => (encodeImage(cluster.image) as { version: number }).version;
    expect(version()).toBe(1);
    expect(JSON.stringify(encodeImage(cluster.image))).not.toContain("adding");
    move([4, 2, 3]);
    expect(version()).toBe(2);
    const json: unknown = JSON.parse(JSON.stringify(encodeImage(cluster.image)));
    expect(decodeImage(json)).toEqual(cluster.image);
  });
});
