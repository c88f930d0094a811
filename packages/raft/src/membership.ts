/**
 * Changes of the voter list, one server at a time: two neighbouring configurations then share a
 * voter in every pair of majorities, so no two leaders can be elected by them.
 *
 * A change counts from the moment it is appended (voters.ts says why). It is refused while another
 * one is not committed, and until the leader has committed an entry of its own term: without that
 * second condition, changes of two leaders that each know nothing of the other's could meet in
 * configurations that do not overlap.
 */
import { NOBODY, type RaftState } from "./state.js";
import { encodeVoters } from "./voters.js";

export interface ConfigurationChange {
  readonly kind: "add" | "remove";
  readonly id: number;
}

export interface Proposed {
  readonly index: number;
  readonly term: number;
}

/**
 * - not-leader: ask the leader (also while leadership is being handed over).
 * - in-progress: another change, or the start of this leadership, is not committed yet; ask again.
 * - no-change: already a voter, or not one.
 * - last-voter: a quorum keeps at least one.
 */
export type ConfigurationRefusal = "not-leader" | "in-progress" | "no-change" | "last-voter";

export function proposeConfiguration(
  state: RaftState,
  change: ConfigurationChange,
): Proposed | ConfigurationRefusal {
  if (state.role !== "leader" || state.transfer !== undefined) return "not-leader";
  const isVoter = state.voters.includes(change.id);
  if (isVoter === (change.kind === "add")) return "no-change";
  if (!state.hasCommittedOwnTerm || state.log.votersIndex > state.log.commit) return "in-progress";
  const voters =
    change.kind === "add"
      ? [...state.voters, change.id].sort((a, b) => a - b)
      : state.voters.filter((voter) => voter !== change.id);
  if (voters.length === 0) return "last-voter";
  const next = state.log.lastIndex + 1;
  const index = state.append("configuration", encodeVoters(voters));
  const peer = state.peers.get(change.id);
  if (change.kind === "remove") {
    // Still fed until it knows: it would go on asking for votes otherwise.
    if (peer !== undefined) peer.isLeaving = true;
  } else {
    // What it held before it left does not count: it may come back with another disk.
    state.peers.delete(change.id);
    state.addPeer(change.id, next);
  }
  return { index, term: state.term };
}

/** The commit index moved: a leader whose own removal it passed has done its last duty. */
export function settleConfiguration(state: RaftState): void {
  if (state.log.votersIndex > state.log.commit) return;
  if (!state.voters.includes(state.self)) resign(state);
}

/** Ends the feeding of those whose removal is committed, once they were told or stay silent. */
export function dropLeaving(state: RaftState): void {
  const { votersIndex, commit } = state.log;
  if (votersIndex > commit) return;
  for (const [id, peer] of state.peers) {
    const isTold = peer.matchIndex >= votersIndex && peer.sentCommit >= votersIndex;
    const isSilent = peer.silentTicks >= state.options.electionTicks;
    if (peer.isLeaving && (isTold || isSilent)) state.peers.delete(id);
  }
}

/** This leader led without counting itself until its own removal was committed. Now it goes. */
function resign(state: RaftState): void {
  const successor = [...state.peers]
    .filter(([id]) => state.voters.includes(id))
    .sort(([, a], [, b]) => b.matchIndex - a.matchIndex)[0];
  if (successor !== undefined) state.send({ kind: "timeout-now", to: successor[0] });
  state.becomeFollower(state.term, NOBODY);
}
