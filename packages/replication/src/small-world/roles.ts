/** How a replica enters a leadership, as leader or as follower. */
import type { NodeId } from "@strandline/model";
import { type EpochEnd, Follower, Leader } from "../index.js";
import type { Replica, State } from "./replica.js";

export const IN_SYNC_REPLICAS_MIN = 2;
const REPLICA_LAG_MS_MAX = 1_000;

export function leadership(
  replica: Replica,
  at: { readonly state: State; readonly replicas: readonly NodeId[]; readonly nowMs: number },
): Leader {
  const { leaderEpoch, partitionEpoch, isr, eligible } = at.state;
  return new Leader({
    self: replica.id,
    epoch: leaderEpoch,
    partitionEpoch,
    replicas: at.replicas,
    isr,
    logEndOffset: replica.logEndOffset,
    durableEndOffset: replica.durableEndOffset,
    highWatermark: replica.highWatermark,
    inSyncReplicasMin: IN_SYNC_REPLICAS_MIN,
    replicaLagMsMax: REPLICA_LAG_MS_MAX,
    nowMs: at.nowMs,
    eligible,
  });
}

export function following(replica: Replica, state: State): Follower {
  const { logEndOffset, durableEndOffset, highWatermark, logStartOffset } = replica;
  replica.following = state.leader;
  return new Follower({
    leader: state.leader as NodeId,
    epoch: state.leaderEpoch,
    lastEpoch: replica.epochs.latest,
    logEndOffset,
    durableEndOffset,
    highWatermark,
    logStartOffset,
  });
}

/** Where the leader's log ends as far as the follower's last epoch goes. */
export function endOf(
  leader: Replica,
  follower: { readonly lastEpoch: number; readonly logEndOffset: number },
): EpochEnd {
  const { lastEpoch, logEndOffset } = follower;
  if (lastEpoch >= 0 && logEndOffset !== leader.logStartOffset) {
    return leader.epochs.endOffsetOf(lastEpoch, leader.logEndOffset);
  }
  // Nothing is left to compare with.
  return { epoch: lastEpoch, endOffset: leader.logEndOffset };
}
