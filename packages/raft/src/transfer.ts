/**
 * Handing leadership over: the leader stops taking proposals, brings the chosen node's log up to
 * its own, and tells it to campaign at once. Given up after `electionTicks`: a node that cannot
 * take over must not stop the cluster for longer than an election would.
 */
import type { RaftState } from "./state.js";

/** No effect unless this node leads and `to` is another voter. A second call names another node. */
export function transferLeadership(state: RaftState, to: number): void {
  if (state.role !== "leader" || to === state.self) return;
  if (!state.voters.includes(to) || state.transfer?.to === to) return;
  state.transfer = { to, elapsedTicks: 0 };
  continueTransfer(state, to);
}

/** `from` answered: if it is the chosen one and has everything, it is its turn. */
export function continueTransfer(state: RaftState, from: number): void {
  if (state.transfer?.to !== from) return;
  if (state.peers.get(from)?.matchIndex !== state.log.lastIndex) return;
  // Sent again on each answer; the node that got the first one is in a later term by then.
  state.send({ kind: "timeout-now", to: from });
}

export function tickTransfer(state: RaftState): void {
  if (state.transfer === undefined) return;
  state.transfer.elapsedTicks += 1;
  if (state.transfer.elapsedTicks >= state.options.electionTicks) state.transfer = undefined;
}
