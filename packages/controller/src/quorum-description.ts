/** The controllers' raft log, for people: who votes, and how far everyone has come. */
import type { NodeRegistration } from "@strandline/metadata";
import type { NodeId } from "@strandline/model";
import type { QuorumDescription, QuorumMember } from "@strandline/rpc";
import type { ReplicaStanding, WatchedLog } from "./quorum-watch.js";

export interface QuorumFacts {
  /** The controller that leads, and describes. */
  readonly self: NodeId;
  readonly node: WatchedLog & {
    readonly term: number;
    readonly commit: number;
    readonly voters: readonly number[];
  };
  readonly nodes: ReadonlyMap<NodeId, NodeRegistration>;
}

export interface Standings {
  voter(id: number, nowMs: number): ReplicaStanding | undefined;
  broker(id: NodeId): ReplicaStanding | undefined;
}

/** `nowMs` is wall-clock time. */
export function describeQuorum(
  { self, node, nodes }: QuorumFacts,
  nowMs: number,
  standings: Standings,
): QuorumDescription {
  const memberOf = (id: number, standing: ReplicaStanding | undefined): QuorumMember => ({
    nodeId: id,
    directoryId: nodes.get(id as NodeId)?.directoryId ?? "",
    logEndOffset: standing?.logEndOffset ?? -1,
    lastFetchMs: standing?.lastFetchMs ?? -1,
    lastCaughtUpMs: standing?.lastCaughtUpMs ?? -1,
  });
  const own = { logEndOffset: node.lastIndex, lastFetchMs: nowMs, lastCaughtUpMs: nowMs };
  const voters = [...node.voters].sort((a, b) => a - b);
  return {
    leaderId: self,
    leaderEpoch: node.term,
    highWatermark: node.commit,
    voters: voters.map((id) => memberOf(id, id === self ? own : standings.voter(id, nowMs))),
    observers: [...nodes.keys()]
      .filter((id) => !voters.includes(id))
      .sort((a, b) => a - b)
      .map((id) => memberOf(id, standings.broker(id))),
  };
}
