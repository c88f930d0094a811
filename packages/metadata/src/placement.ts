/**
 * Where the replicas of new partitions go. Round robin over the brokers, kept honest by counting:
 * each choice takes the broker that has least, of this topic first and then of the whole cluster;
 * ties fall in an order that the command's seed turns. The same image and seed give the same
 * answer on every controller.
 *
 * Followers prefer a rack that the partition does not have yet, and vary with the leader: when a
 * broker fails, its leaderships fall to many others and not all to its neighbour.
 */
import type { NodeId } from "@strandline/model";
import { isUsable, type MetadataImage, type NodeRegistration, type Topic } from "./image.js";

export interface PlacementRequest {
  /** Partitions to place. */
  readonly count: number;
  /** At most the number of registered brokers. */
  readonly replicationFactor: number;
  /** Any non-negative integer. */
  readonly seed: number;
  /** The topic they are added to; undefined for a new one. */
  readonly topic: Topic | undefined;
}

interface Candidate {
  readonly id: NodeId;
  /** Nodes without a rack are each a rack of their own. */
  readonly rack: string;
  readonly isUsable: boolean;
  /** Breaks ties. */
  readonly order: number;
  /** Of this topic: partitions it is the preferred leader of, and replicas. */
  leaders: number;
  replicas: number;
  /** Of the whole cluster. */
  allLeaders: number;
  allReplicas: number;
  /** Of this topic: how often each node is the first follower where this one leads. */
  readonly successors: Map<NodeId, number>;
}

/**
 * Replicas for each new partition, the preferred leader first. Nodes that cannot serve now are
 * taken only where too few others exist, and never to lead. At least one node must be usable.
 */
export function placeReplicas(
  image: MetadataImage,
  request: PlacementRequest,
): readonly (readonly NodeId[])[] {
  const candidates = candidatesOf(image, request);
  const placed: (readonly NodeId[])[] = [];
  for (let at = 0; at < request.count; at += 1) {
    const chosen = placeOne(candidates, request.replicationFactor);
    count(chosen);
    placed.push(chosen.map((candidate) => candidate.id));
  }
  return placed;
}

function candidatesOf(image: MetadataImage, request: PlacementRequest): Candidate[] {
  const nodes = [...image.nodes.values()].sort((a, b) => a.id - b.id);
  const turn = nodes.length === 0 ? 0 : request.seed % nodes.length;
  const candidates = nodes.map((node, at) =>
    candidateOf(node, (at + nodes.length - turn) % nodes.length),
  );
  const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  for (const topic of image.topics.values()) {
    for (const { replicas } of topic.partitions) {
      for (const id of replicas) {
        const candidate = byId.get(id);
        if (candidate === undefined) continue;
        candidate.allReplicas += 1;
        if (id === replicas[0]) candidate.allLeaders += 1;
      }
    }
  }
  for (const { replicas } of request.topic?.partitions ?? []) {
    const chosen = replicas.flatMap((id) => byId.get(id) ?? []);
    if (chosen.length !== replicas.length) continue;
    for (const candidate of chosen) candidate.allReplicas -= 1;
    if (chosen[0] !== undefined) chosen[0].allLeaders -= 1;
    count(chosen);
  }
  return candidates;
}

function candidateOf(node: NodeRegistration, order: number): Candidate {
  return {
    id: node.id,
    rack: node.rack === "" ? `node ${node.id}` : `rack ${node.rack}`,
    isUsable: isUsable(node),
    order,
    leaders: 0,
    replicas: 0,
    allLeaders: 0,
    allReplicas: 0,
    successors: new Map(),
  };
}

function placeOne(candidates: readonly Candidate[], replicationFactor: number): Candidate[] {
  const leader = least(candidates, leaderRank);
  const chosen = [leader];
  while (chosen.length < replicationFactor) {
    const rest = candidates.filter((candidate) => !chosen.includes(candidate));
    chosen.push(least(rest, (candidate) => followerRank(candidate, chosen)));
  }
  return chosen;
}

function leaderRank(candidate: Candidate): readonly number[] {
  return [
    candidate.isUsable ? 0 : 1,
    candidate.leaders,
    candidate.allLeaders,
    candidate.replicas,
    candidate.order,
  ];
}

function followerRank(candidate: Candidate, chosen: readonly Candidate[]): readonly number[] {
  const leader = chosen[0] as Candidate;
  return [
    candidate.isUsable ? 0 : 1,
    chosen.filter((other) => other.rack === candidate.rack).length,
    candidate.replicas,
    chosen.length === 1 ? (leader.successors.get(candidate.id) ?? 0) : 0,
    candidate.allReplicas,
    candidate.order,
  ];
}

/** The item whose rank comes first; ranks are compared number by number. */
function least(
  candidates: readonly Candidate[],
  rankOf: (candidate: Candidate) => readonly number[],
): Candidate {
  let best = candidates[0] as Candidate;
  let bestRank = rankOf(best);
  for (const candidate of candidates) {
    const rank = rankOf(candidate);
    const at = rank.findIndex((part, index) => part !== bestRank[index]);
    if (at !== -1 && (rank[at] as number) < (bestRank[at] as number)) {
      best = candidate;
      bestRank = rank;
    }
  }
  return best;
}

function count(chosen: readonly Candidate[]): void {
  const [leader, successor] = chosen;
  if (leader !== undefined) {
    leader.leaders += 1;
    leader.allLeaders += 1;
    if (successor !== undefined) {
      leader.successors.set(successor.id, (leader.successors.get(successor.id) ?? 0) + 1);
    }
  }
  for (const candidate of chosen) {
    candidate.replicas += 1;
    candidate.allReplicas += 1;
  }
}
