/** Whatever is asked for, in whatever order: the metadata keeps its rules. */
import { BrokerError, nodeId } from "@strandline/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCommand } from "./command.js";
import { emptyImage, type MetadataImage } from "./image.js";
import { decodeImage, encodeImage } from "./image-codec.js";
import { MetadataError } from "./metadata-error.js";
import { partitionProblem } from "./partition-rules.js";
import { decodeRecords, encodeRecords } from "./record-codec.js";
import { replay } from "./replay.js";
import { MetadataCluster } from "./testing/metadata-cluster.js";

const NODES = [1, 2, 3, 4];

type Step = readonly [kind: number, node: number, choice: number];

const STEPS = fc.array(
  fc.tuple(fc.nat({ max: 8 }), fc.constantFrom(...NODES), fc.nat({ max: 1_000 })),
  { minLength: 1, maxLength: 60 },
);

/** One thing that may happen to a cluster; refusals are part of life. */
function happen(cluster: MetadataCluster, [kind, node, choice]: Step): void {
  const topics = [...cluster.image.topics.values()];
  const topic = topics[choice % Math.max(1, topics.length)];
  const incarnation = { nodeId: nodeId(node), brokerEpoch: cluster.epochOf(node) };
  switch (kind) {
    case 0:
      cluster.accept(cluster.registration(node, { clean: choice % 2 === 0 }));
      return;
    case 1:
    case 2:
      cluster.accept({ kind: "unfence-node", ...incarnation });
      return;
    case 3:
      cluster.accept({ kind: "fence-node", ...incarnation });
      return;
    case 4:
      cluster.accept({ kind: "node-stopping", ...incarnation });
      return;
    case 5: {
      const configs = choice % 3 === 0 ? { durability: "replicated" } : {};
      cluster.createTopic(`topic-${choice % 5}`, { configs });
      return;
    }
    case 6: {
      if (topic === undefined) return;
      const { replicas, leader } = cluster.partition(topic.id);
      if (leader === -1) return;
      const isr = replicas.filter((_, at) => ((choice >> at) & 1) === 1);
      cluster.accept(cluster.proposal(topic.id, isr));
      return;
    }
    case 7:
      if (topic === undefined) return;
      cluster.accept({
        kind: "elect-leaders",
        topic: topic.name,
        partitions: [],
        unclean: choice % 4 === 0,
      });
      return;
    default:
      cluster.accept({ kind: "rebalance-leaders" });
  }
}

function problems(before: MetadataImage, after: MetadataImage): string[] {
  const found: string[] = [];
  for (const topic of after.topics.values()) {
    topic.partitions.forEach((partition, index) => {
      const problem = partitionProblem(partition);
      if (problem !== undefined) found.push(problem);
      const leader = partition.leader === -1 ? undefined : after.nodes.get(partition.leader);
      if (partition.leader !== -1 && (leader === undefined || leader.isFenced)) {
        found.push("a fenced node leads");
      }
      const was = before.topics.get(topic.id)?.partitions[index];
      if (was === undefined || was === partition) return;
      if (partition.partitionEpoch <= was.partitionEpoch) found.push("a change without an epoch");
      if (partition.leader !== was.leader && partition.leaderEpoch <= was.leaderEpoch) {
        found.push("a new leader in an old epoch");
      }
    });
  }
  return found;
}

describe("the metadata", () => {
  it("keeps its rules through any history", () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        const cluster = new MetadataCluster();
        cluster.start(...NODES);
        for (const step of steps) {
          const before = cluster.image;
          try {
            happen(cluster, step);
          } catch (error) {
            // A refusal names its code; anything else is a bug.
            if (!/^[a-z-]+: [A-Z_]+:/.test((error as Error).message)) throw error;
          }
          expect(problems(before, cluster.image)).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("is the same image when it is encoded and decoded, and when its records are replayed", () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        const cluster = new MetadataCluster();
        cluster.start(...NODES);
        for (const step of steps) {
          try {
            happen(cluster, step);
          } catch {
            // Refused.
          }
        }
        const { image, records } = cluster;
        expect(decodeImage(throughJson(encodeImage(image)))).toEqual(image);
        const again = replay(
          emptyImage(),
          decodeRecords(throughJson(encodeRecords(records))),
          image.offset,
        );
        expect(again.image).toEqual(image);
      }),
      { numRuns: 100 },
    );
  });

  it("refuses malformed JSON in its own words", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        for (const decode of [decodeCommand, decodeRecords, decodeImage]) {
          try {
            decode(json);
          } catch (error) {
            expect(error instanceof BrokerError || error instanceof MetadataError).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
