/** For tests: whatever may be asked of a cluster, by chance. Refusals are part of life. */
import { nodeId } from "@strandline/model";
import fc from "fast-check";
import type { MetadataCommand } from "../command.js";
import { MetadataCluster } from "./metadata-cluster.js";

const NODES = [1, 2, 3, 4];

export type Step = readonly [kind: number, node: number, choice: number];

const CONFIGS: readonly Record<string, string>[] = [
  {},
  { durability: "replicated" },
  { "min.insync.replicas": "1" },
  { "min.insync.replicas": "3" },
  { "retention.ms": "1000", "cleanup.policy": "compact" },
];

/** What one step asks for. Rare things are drawn less often by sharing a kind. */
const KINDS: readonly ((cluster: MetadataCluster, step: Step) => MetadataCommand | undefined)[] = [
  (cluster, [, node, choice]) =>
    choice % 10 === 9
      ? {
          ...cluster.registration(node, { directory: 500 + choice }),
          replaceDirectory: choice % 20 === 9,
        }
      : cluster.registration(node, { clean: choice % 2 === 0 }),
  (cluster, [, node]) => ({ kind: "unfence-node", ...cluster.incarnation(node) }),
  (cluster, [, node]) => ({ kind: "unfence-node", ...cluster.incarnation(node) }),
  (cluster, [, node]) => ({ kind: "fence-node", ...cluster.incarnation(node) }),
  (cluster, [, node, choice]) => ({
    kind: choice % 4 === 0 ? "node-failed" : "node-stopping",
    ...cluster.incarnation(node),
  }),
  (cluster, [, node, choice]) =>
    cluster.topic(`topic-${choice % 5}`, {
      partitions: node,
      replicationFactor: (choice % 4) + 1,
      configs: CONFIGS[choice % CONFIGS.length] ?? {},
      allowWeakDurability: true,
    }),
  proposal,
  proposal,
  reassignment,
  () => ({ kind: "complete-reassignments" }),
  (cluster, [, , choice]) => ({
    kind: "elect-leaders",
    topic: nameOf(cluster, choice),
    partitions: choice % 3 === 0 ? [0, 1] : [],
    unclean: choice % 4 === 0,
  }),
  () => ({ kind: "rebalance-leaders" }),
  (cluster, [, node, choice]) => {
    const set = CONFIGS[choice % CONFIGS.length] ?? {};
    const name = node === 1 ? "" : nameOf(cluster, choice);
    const own = name === "" ? { "min.insync.replicas": String((choice % 3) + 1) } : set;
    return {
      ...cluster.settings(name, own, choice % 7 === 0 ? ["retention.ms"] : []),
      allowWeakDurability: true,
    };
  },
  (cluster, [, node, choice]) => seldom(cluster, node, choice),
];

function proposal(cluster: MetadataCluster, [, , choice]: Step): MetadataCommand | undefined {
  const topics = [...cluster.image.topics.values()];
  const topic = topics[choice % Math.max(1, topics.length)];
  if (topic === undefined) return undefined;
  const index = choice % topic.partitions.length;
  const { replicas, leader } = cluster.partition(topic.id, index);
  if (leader === -1) return undefined;
  const isr = replicas.filter((id, at) => id === leader || ((choice >> (at + 3)) & 1) === 1);
  return cluster.proposal(topic.id, isr, index);
}

function reassignment(cluster: MetadataCluster, [, node, choice]: Step): MetadataCommand {
  const topic = nameOf(cluster, choice);
  const turned = [...NODES.slice(node - 1), ...NODES.slice(0, node - 1)];
  const replicas = turned.filter((_, at) => ((choice >> at) & 1) === 1);
  const other = choice % 11 === 0 ? [5] : [node];
  return {
    ...cluster.reassignment(topic, choice % 5 === 0 ? null : replicas, choice % 3),
    allowReplicationFactorChange: choice % 7 !== 0,
    ...(choice % 13 === 0
      ? { partitions: [{ topic, partition: 0, replicas: other.map((id) => nodeId(id)) }] }
      : {}),
  };
}

function seldom(cluster: MetadataCluster, node: number, choice: number): MetadataCommand {
  const name = nameOf(cluster, choice);
  switch (choice % 4) {
    case 0:
      return { kind: "delete-topic", name };
    case 1:
      return { kind: "remove-node", nodeId: nodeId(node) };
    case 2: {
      const { brokerEpoch } = cluster.incarnation(node);
      return { kind: "allocate-producer-ids", brokerId: nodeId(node), brokerEpoch };
    }
    default:
      return {
        kind: "create-partitions",
        name,
        totalCount: (choice % 9) + 1,
        assignments: [],
        validateOnly: false,
        seed: choice,
      };
  }
}

function nameOf(cluster: MetadataCluster, choice: number): string {
  const names = [...cluster.image.topicIds.keys()];
  return names[choice % Math.max(1, names.length)] ?? "no-topic";
}

/** Lives of a cluster of four brokers, all started; each a list of steps. */
export const LIVES: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.tuple(fc.nat({ max: KINDS.length - 1 }), fc.constantFrom(...NODES), fc.nat({ max: 4_000 })),
  { minLength: 1, maxLength: 60 },
);

/** A cluster at the begin of its life. */
export function newborn(): MetadataCluster {
  const cluster = new MetadataCluster();
  cluster.start(...NODES);
  return cluster;
}

/** What the step asks for in this state; undefined when nothing fits. */
export function commandOf(cluster: MetadataCluster, step: Step): MetadataCommand | undefined {
  return KINDS[step[0]]?.(cluster, step);
}

/** Lives through one step. */
export function live(cluster: MetadataCluster, step: Step): void {
  const command = commandOf(cluster, step);
  cluster.delta = undefined;
  if (command !== undefined) cluster.tryTo(command);
}
