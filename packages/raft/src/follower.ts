/**
 * The receiving half of replication: what a follower does with what its leader sends. The gate has
 * made sure that each of these messages is from the leader of the current term.
 */
import type { Append, Heartbeat, InstallSnapshot, ReadIndexAnswer } from "./messages.js";
import type { RaftState } from "./state.js";

export function onAppend(state: RaftState, message: Append): void {
  const { from: to, prevIndex, prevTerm, entries, commit } = message;
  const matchIndex = state.log.takeOver(prevIndex, prevTerm, entries);
  if (matchIndex === undefined) {
    const hint = state.log.agreementAt(prevIndex, prevTerm);
    state.send({
      kind: "append-refusal",
      to,
      prevIndex,
      hintIndex: hint.index,
      hintTerm: hint.term,
    });
    return;
  }
  // Beyond `matchIndex` this log may hold what another leader once sent.
  state.log.commitTo(Math.min(commit, matchIndex));
  state.send({ kind: "append-answer", to, matchIndex });
}

export function onHeartbeat(state: RaftState, message: Heartbeat): void {
  // A node whose disk was replaced holds less than its leader remembers: it must not claim it.
  if (message.commit <= state.log.lastIndex) state.log.commitTo(message.commit);
  state.send({ kind: "heartbeat-answer", to: message.from, readRound: message.readRound });
}

export function onInstallSnapshot(state: RaftState, message: InstallSnapshot): void {
  const { log } = state;
  const { snapshot } = message;
  if (snapshot.index > log.commit) {
    // An entry of that term at that index means: everything below is equal as well. Keep the log.
    if (log.termAt(snapshot.index) === snapshot.term) log.commitTo(snapshot.index);
    else log.install(snapshot);
  }
  state.send({ kind: "append-answer", to: message.from, matchIndex: log.commit });
}

export function onReadIndexAnswer(state: RaftState, message: ReadIndexAnswer): void {
  state.readStates.push({ context: message.context, index: message.index });
}
