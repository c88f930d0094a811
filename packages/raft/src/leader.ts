/**
 * The sending half of replication: what a leader sends, when, and what the answers commit.
 *
 * Nothing is sent at once: handlers note that something is due, and `flush` sends it when the shell
 * asks for the next `Ready`. Proposals that arrive together leave in one message.
 */
import { assert } from "@strandline/model";
import { hasQuorum } from "./election.js";
import { dropLeaving, settleConfiguration } from "./membership.js";
import type {
  AppendAnswer,
  AppendRefusal,
  HeartbeatAnswer,
  RaftMessage,
  ReadIndex,
} from "./messages.js";
import type { Progress } from "./progress.js";
import { reachedByMajority } from "./quorum.js";
import { NOBODY, type RaftState } from "./state.js";
import { continueTransfer, tickTransfer } from "./transfer.js";

export function tickLeader(state: RaftState): void {
  const { electionTicks, heartbeatTicks } = state.options;
  for (const peer of state.peers.values()) peer.tick(electionTicks);
  if (!hasQuorum(state)) {
    state.becomeFollower(state.term, NOBODY);
    return;
  }
  tickTransfer(state);
  dropLeaving(state);
  state.heartbeatElapsedTicks += 1;
  if (state.heartbeatElapsedTicks >= heartbeatTicks) sendHeartbeats(state);
}

export function onAppendAnswer(state: RaftState, message: AppendAnswer): void {
  const peer = hear(state, message);
  if (peer === undefined) return;
  assert(
    message.matchIndex <= state.log.lastIndex,
    "a follower holds no more than its leader sent",
  );
  if (peer.accept(message.matchIndex)) advanceCommit(state);
  // The commit above may have ended this leadership: it committed the leader's own removal.
  if (state.role !== "leader") return;
  continueTransfer(state, message.from);
}

export function onAppendRefusal(state: RaftState, message: AppendRefusal): void {
  const peer = hear(state, message);
  if (peer === undefined) return;
  // Our own log may have no entry of the hinted term either: skip ours as far as the terms say.
  const agreement = state.log.agreementAt(message.hintIndex, message.hintTerm);
  peer.refuse(message.prevIndex, agreement.index);
}

export function onHeartbeatAnswer(state: RaftState, message: HeartbeatAnswer): void {
  const peer = hear(state, message);
  if (peer === undefined) return;
  peer.readRound = Math.max(peer.readRound, message.readRound);
  releaseReads(state);
  peer.resume();
  if (peer.state === "replicate") nudge(state, message.from, peer);
  continueTransfer(state, message.from);
}

export function onReadIndex(state: RaftState, message: ReadIndex): void {
  state.reads.ask({ context: message.context, from: message.from });
}

/** An answer shows that the way there AND back works: only that counts as a sign of life. */
function hear(state: RaftState, answer: RaftMessage): Progress | undefined {
  const peer = state.peers.get(answer.from);
  if (peer !== undefined) peer.silentTicks = 0;
  return peer;
}

/** True when `flush` would send something. */
export function isFlushDue(state: RaftState): boolean {
  if (state.role !== "leader") return false;
  if (state.reads.isWaiting && state.hasCommittedOwnTerm) return true;
  return [...state.peers.values()].some((peer) => isOwed(state, peer));
}

/** Sends what has become due since the last `Ready`. */
export function flush(state: RaftState): void {
  if (state.role !== "leader") return;
  // A new leader does not know yet what was committed before it: its reads wait.
  if (state.reads.isWaiting && state.hasCommittedOwnTerm) {
    state.reads.begin(state.log.commit);
    sendHeartbeats(state);
    releaseReads(state);
  }
  for (const [id, peer] of state.peers) {
    while (isOwed(state, peer)) {
      if (peer.next <= state.log.snapshot.index) sendSnapshot(state, id, peer);
      else sendAppend(state, id, state.options.entriesBytesMax);
    }
  }
  dropLeaving(state);
}

/**
 * Commits what a majority holds. Only an entry of the current term is committed by counting; the
 * ones before it follow from log matching. An old entry on a majority can still be overwritten by
 * a leader that never saw it (the paper's figure 8).
 */
export function advanceCommit(state: RaftState): void {
  const { log } = state;
  const held = (voter: number): number =>
    voter === state.self ? log.stable : (state.peers.get(voter)?.matchIndex ?? 0);
  const index = reachedByMajority(state.voters, held);
  if (index <= log.commit || log.termAt(index) !== state.term) return;
  log.commitTo(index);
  settleConfiguration(state);
}

/** True when there is something that this node lacks and may be sent now. */
function isOwed(state: RaftState, peer: Progress): boolean {
  const { log, options } = state;
  if (peer.isPaused) return false;
  // A silent node would only gather snapshots in its connection's buffers.
  if (peer.next <= log.snapshot.index) return peer.silentTicks < options.electionTicks;
  return peer.state === "probe" || peer.next <= log.lastIndex || peer.sentCommit < log.commit;
}

/** It lives, and yet something is unanswered: an empty append makes it refuse what got lost. */
function nudge(state: RaftState, id: number, peer: Progress): void {
  if (peer.matchIndex === peer.next - 1) return;
  // What was sent is compacted by now and cannot be named any more; begin at what is certain.
  if (peer.next <= state.log.snapshot.index) peer.probe();
  else sendAppend(state, id, 0);
}

/** One append; without entries when `bytesMax` is 0. */
function sendAppend(state: RaftState, to: number, bytesMax: number): void {
  const { log } = state;
  const peer = state.peers.get(to);
  assert(peer !== undefined, "appends go to peers");
  const prevIndex = peer.next - 1;
  const prevTerm = log.termAt(prevIndex);
  assert(prevTerm !== undefined, "an append continues what the log holds");
  const entries = bytesMax === 0 ? [] : log.slice(peer.next, bytesMax);
  const lastIndex = prevIndex + entries.length;
  if (!peer.isPaused) peer.noteSent(lastIndex, entries.length);
  peer.sentCommit = Math.min(log.commit, lastIndex);
  state.send({ kind: "append", to, prevIndex, prevTerm, entries, commit: log.commit });
}

function sendSnapshot(state: RaftState, to: number, peer: Progress): void {
  const { snapshot } = state.log;
  peer.installing(snapshot.index);
  state.send({ kind: "install-snapshot", to, snapshot });
}

function sendHeartbeats(state: RaftState): void {
  state.heartbeatElapsedTicks = 0;
  for (const [to, peer] of state.peers) {
    const commit = Math.min(peer.matchIndex, state.log.commit);
    state.send({ kind: "heartbeat", to, commit, readRound: state.reads.round });
  }
}

function releaseReads(state: RaftState): void {
  const { reads } = state;
  const confirmed = reachedByMajority(state.voters, (voter) =>
    voter === state.self ? reads.round : (state.peers.get(voter)?.readRound ?? 0),
  );
  for (const { index, requests } of reads.release(confirmed)) {
    for (const { context, from } of requests) {
      if (from === state.self) state.readStates.push({ context, index });
      else state.send({ kind: "read-index-answer", to: from, context, index });
    }
  }
}
