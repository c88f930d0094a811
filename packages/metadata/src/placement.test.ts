import { describe, expect, it } from "vitest";
import { placeReplicas } from "./placement.js";
import { MetadataCluster } from "./testing/metadata-cluster.js";

/** Brokers 1 to `count`; `rackOf` names the rack of each. */
function brokers(count: number, rackOf: (node: number) => string = () => ""): MetadataCluster {
  const cluster = new MetadataCluster();
  for (let node = 1; node <= count; node += 1) {
    cluster.accept(cluster.registration(node, { rack: rackOf(node) }));
    cluster.unfence(node);
  }
  return cluster;
}

function place(
  cluster: MetadataCluster,
  options: { count: number; replicationFactor: number; seed?: number },
): readonly (readonly number[])[] {
  return placeReplicas(cluster.image, { seed: 0, topic: undefined, ...options });
}

/** How often each broker is named, most and least. */
function spread(placed: Iterable<number>, nodes: number): { most: number; least: number } {
  const counts = new Map(Array.from({ length: nodes }, (_, at) => [at + 1, 0]));
  for (const node of placed) counts.set(node, (counts.get(node) ?? 0) + 1);
  return { most: Math.max(...counts.values()), least: Math.min(...counts.values()) };
}

describe(placeReplicas, () => {
  it("gives each broker as many leaders and replicas as any other, give or take one", () => {
    for (const nodes of [1, 2, 3, 4, 5, 7, 10]) {
      for (const replicationFactor of [1, 2, 3]) {
        if (replicationFactor > nodes) continue;
        for (const count of [1, 6, 50, 101]) {
          const placed = place(brokers(nodes), { count, replicationFactor, seed: 5 });
          const leaders = spread(
            placed.map((replicas) => replicas[0] as number),
            nodes,
          );
          const replicas = spread(placed.flat(), nodes);
          expect(leaders.most - leaders.least).toBeLessThanOrEqual(1);
          expect(replicas.most - replicas.least).toBeLessThanOrEqual(1);
        }
      }
    }
  });

  it("names no broker twice in a partition", () => {
    for (const replicas of place(brokers(5), { count: 200, replicationFactor: 4 })) {
      expect(new Set(replicas).size).toBe(4);
    }
  });

  it("puts the replicas of a partition in different racks", () => {
    const rackOf = (node: number): string => `rack-${node % 3}`;
    const cluster = brokers(7, rackOf);
    for (const replicas of place(cluster, { count: 100, replicationFactor: 3 })) {
      expect(new Set(replicas.map(rackOf)).size).toBe(3);
    }
  });

  it("uses every rack as evenly as it can when there are fewer racks than replicas", () => {
    const rackOf = (node: number): string => `rack-${node % 2}`;
    for (const replicas of place(brokers(6, rackOf), { count: 60, replicationFactor: 3 })) {
      expect(new Set(replicas.map(rackOf)).size).toBe(2);
    }
  });

  it("leaves a failed broker's leaderships to many others, not to one neighbour", () => {
    const placed = place(brokers(6), { count: 300, replicationFactor: 3 });
    const heirs = placed.filter((replicas) => replicas[0] === 1).map((replicas) => replicas[1]);
    expect(heirs).toHaveLength(50);
    const { most, least } = spread(heirs as number[], 6);
    // Broker 1 itself inherits nothing.
    expect(least).toBe(0);
    expect(most).toBeLessThanOrEqual(11);
    expect(new Set(heirs).size).toBe(5);
  });

  it("spreads many small topics as evenly as one large one", () => {
    const cluster = brokers(3);
    for (let at = 0; at < 99; at += 1) cluster.createTopic(`t${at}`, { seed: 0 });
    const leaders = [...cluster.image.topics.values()].map((t) => t.partitions[0]?.leader ?? -1);
    expect(spread(leaders, 3)).toEqual({ most: 33, least: 33 });
  });

  it("goes on evenly where a topic grows", () => {
    const cluster = brokers(3);
    const topic = cluster.createTopic("t", { partitions: 4 });
    cluster.accept({
      kind: "create-partitions",
      name: "t",
      totalCount: 9,
      validateOnly: false,
      seed: 0,
    });
    const leaders = cluster.image.topics.get(topic)?.partitions.map((p) => p.leader as number);
    expect(spread(leaders ?? [], 3)).toEqual({ most: 3, least: 3 });
  });

  it("answers the same for the same seed, and turns with another", () => {
    const options = { count: 20, replicationFactor: 3 };
    expect(place(brokers(5), options)).toEqual(place(brokers(5), options));
    const first = new Set<number>();
    for (let seed = 0; seed < 5; seed += 1) {
      first.add(place(brokers(5), { ...options, seed })[0]?.[0] as number);
    }
    expect(first.size).toBe(5);
  });

  it("takes a broker out of service only where there are too few others, and never to lead", () => {
    const cluster = brokers(4);
    cluster.fence(2);
    for (const replicas of place(cluster, { count: 30, replicationFactor: 3 })) {
      expect(replicas).not.toContain(2);
    }
    cluster.stop(3);
    for (const replicas of place(cluster, { count: 30, replicationFactor: 3 })) {
      expect([1, 4]).toContain(replicas[0]);
      expect([2, 3]).toContain(replicas[2]);
    }
  });

  it("takes any seed, however large", () => {
    const seed = Number.MAX_SAFE_INTEGER;
    expect(place(brokers(3), { count: 3, replicationFactor: 2, seed })).toHaveLength(3);
  });
});
