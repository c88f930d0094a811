/**
 * Elections: when to stand, whom to vote for, and how votes are counted.
 *
 * Two steps. A pre-vote changes nothing anywhere and finds out whether a majority would vote; only
 * then is a term spent. Both are refused by a node that hears a leader, so a node with a broken
 * link, or one that came back, cannot unseat a leader that works for the others.
 */

import type {
  HardState,
  PreVote,
  PreVoteAnswer,
  TimeoutNow,
  Vote,
  VoteAnswer,
} from "./messages.js";
import { reachedByMajority, tally } from "./quorum.js";
import { NOBODY, type RaftState } from "./state.js";

/** Ticks between the first attempts of two survivors; more than a round trip takes. */
const STAGGER_TICKS = 2;

/** Everyone but the leader: stands for election when the timeout has passed. */
export function tickElection(state: RaftState): void {
  state.elapsedTicks += 1;
  const isAlone = state.voters.length === 1 && state.voters[0] === state.self;
  if (!isAlone && state.elapsedTicks < state.electionTimeoutTicks) return;
  if (state.isPromotable) campaign(state);
  // A passive node waits for whoever is elected, and says that it knows nobody.
  else state.leader = NOBODY;
}

/** Asks whether an election would be won. No effect on a leader or on a node that is no voter. */
export function campaign(state: RaftState): void {
  if (state.role === "leader" || !state.isPromotable) return;
  state.becomePreCandidate();
  const { lastIndex, lastTerm } = state.log;
  const nextTerm = state.term + 1;
  for (const to of others(state)) {
    state.send({ kind: "pre-vote", to, nextTerm, lastIndex, lastTerm });
  }
  countPreVotes(state);
}

function elect(state: RaftState, isTransfer: boolean): void {
  state.becomeCandidate();
  const { lastIndex, lastTerm } = state.log;
  for (const to of others(state)) {
    state.send({ kind: "vote", to, lastIndex, lastTerm, isTransfer });
  }
}

/**
 * A hard state reached the disk. A candidate may count its own vote from then on: the only voter of
 * a cluster would otherwise lead a term that it forgets when it crashes now, and could give its
 * vote of that same term to another server afterwards.
 */
export function voteDurable(state: RaftState, durable: HardState): void {
  if (state.role !== "candidate" || durable.term !== state.term) return;
  state.votes.set(state.self, true);
  countVotes(state);
}

export function onPreVote(state: RaftState, message: PreVote): void {
  const { nextTerm, lastIndex, lastTerm } = message;
  // Granted by nodes outside the configuration too, see `onVote`.
  const granted =
    nextTerm > state.term && !state.isLeaderFresh && state.log.isUpToDate(lastIndex, lastTerm);
  state.send({ kind: "pre-vote-answer", to: message.from, nextTerm, granted });
}

/** The gate has let through only votes that no fresh leader stands against. */
export function onVote(state: RaftState, message: Vote): void {
  // A node that is not in its own configuration votes as well: it may have been added by an entry
  // that it has not received, and without its vote nobody could be elected to send it. Only the
  // candidate's configuration says whose votes count.
  const isFree = state.vote === NOBODY || state.vote === message.from;
  const isCurrent = message.term === state.term;
  const granted = isCurrent && isFree && state.log.isUpToDate(message.lastIndex, message.lastTerm);
  if (granted) {
    state.vote = message.from;
    state.restartElectionClock();
  }
  state.send({ kind: "vote-answer", to: message.from, granted });
}

export function onPreVoteAnswer(state: RaftState, message: PreVoteAnswer): void {
  if (message.nextTerm !== state.term + 1) return;
  state.votes.set(message.from, message.granted);
  countPreVotes(state);
}

export function onVoteAnswer(state: RaftState, message: VoteAnswer): void {
  state.votes.set(message.from, message.granted);
  countVotes(state);
}

/** The leader chose this node, knowing that its log is complete: no question first. */
export function onTimeoutNow(state: RaftState, _message: TimeoutNow): void {
  if (state.isPromotable) elect(state, true);
}

/**
 * The connection to the leader broke: it is most likely gone. The lease on it ends, and the
 * survivors try one after the other, so that they do not split the vote. Should the leader live,
 * the others still hear it and refuse.
 */
export function leaderLost(state: RaftState): void {
  const survivors = state.voters.filter((voter) => voter !== state.leader);
  state.leader = NOBODY;
  if (!state.isPromotable) return;
  const rank = Math.max(0, survivors.indexOf(state.self));
  state.hurryElection(1 + rank * STAGGER_TICKS + state.randomBelow(STAGGER_TICKS));
}

function countPreVotes(state: RaftState): void {
  const result = tally(state.voters, state.votes);
  if (result === "won") elect(state, false);
  // Back to waiting: the majority hears a leader, or has more than we have.
  if (result === "lost") state.becomeFollower(state.term, NOBODY);
}

function countVotes(state: RaftState): void {
  const result = tally(state.voters, state.votes);
  if (result === "won") state.becomeLeader();
  if (result === "lost") state.becomeFollower(state.term, NOBODY);
}

function others(state: RaftState): readonly number[] {
  return state.voters.filter((voter) => voter !== state.self);
}

/** A leader that no majority answers for `electionTicks` cannot know that it still is one. */
export function hasQuorum(state: RaftState): boolean {
  const heard = (voter: number): number =>
    voter === state.self ? 0 : -(state.peers.get(voter)?.silentTicks ?? Infinity);
  return reachedByMajority(state.voters, heard) > -state.options.electionTicks;
}
