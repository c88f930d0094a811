/**
 * Which message does what in which role, as a table; and the gate before it, which compares terms.
 * What a role does not list, it ignores.
 */
import { assert } from "@strandline/model";
import {
  onPreVote,
  onPreVoteAnswer,
  onTimeoutNow,
  onVote,
  onVoteAnswer,
  tickElection,
} from "./election.js";
import { onAppend, onHeartbeat, onInstallSnapshot, onReadIndexAnswer } from "./follower.js";
import {
  onAppendAnswer,
  onAppendRefusal,
  onHeartbeatAnswer,
  onReadIndex,
  tickLeader,
} from "./leader.js";
import type { MessageKind, RaftMessage, Role } from "./messages.js";
import { NOBODY, type RaftState } from "./state.js";

type Handler<Kind extends MessageKind> = (
  state: RaftState,
  message: Extract<RaftMessage, { kind: Kind }>,
) => void;

type Handlers = { readonly [Kind in MessageKind]?: Handler<Kind> };

interface Behaviour {
  readonly tick: (state: RaftState) => void;
  readonly handlers: Handlers;
}

const ANY_ROLE: Handlers = { "pre-vote": onPreVote, vote: onVote };

const BEHAVIOURS: Readonly<Record<Role, Behaviour>> = {
  follower: {
    tick: tickElection,
    handlers: {
      ...ANY_ROLE,
      append: onAppend,
      heartbeat: onHeartbeat,
      "install-snapshot": onInstallSnapshot,
      "timeout-now": onTimeoutNow,
      "read-index-answer": onReadIndexAnswer,
    },
  },
  "pre-candidate": {
    tick: tickElection,
    handlers: {
      ...ANY_ROLE,
      "pre-vote-answer": onPreVoteAnswer,
      "timeout-now": onTimeoutNow,
    },
  },
  candidate: {
    tick: tickElection,
    handlers: { ...ANY_ROLE, "vote-answer": onVoteAnswer },
  },
  leader: {
    tick: tickLeader,
    handlers: {
      ...ANY_ROLE,
      "append-answer": onAppendAnswer,
      "append-refusal": onAppendRefusal,
      "heartbeat-answer": onHeartbeatAnswer,
      "read-index": onReadIndex,
    },
  },
};

export function tick(state: RaftState): void {
  BEHAVIOURS[state.role].tick(state);
}

/** Takes in one message: first its term, then what it says. */
export function step(state: RaftState, message: RaftMessage): void {
  if (message.to !== state.self || message.from === state.self) return;
  if (!admit(state, message)) return;
  handle(state, message);
}

function handle<Kind extends MessageKind>(
  state: RaftState,
  message: Extract<RaftMessage, { kind: Kind }>,
): void {
  const handlers: { readonly [K in Kind]?: Handler<K> } = BEHAVIOURS[state.role].handlers;
  handlers[message.kind as Kind]?.(state, message);
}

/** Compares terms and follows a leader that speaks. Returns whether the message still counts. */
function admit(state: RaftState, message: RaftMessage): boolean {
  // Neither the question nor its answer changes a term downwards or upwards by what is asked for;
  // only an answer from a node that IS further on does.
  if (message.kind === "pre-vote") return true;
  if (message.term < state.term) return admitOld(state, message);
  if (message.term > state.term) {
    // Whoever hears the leader keeps it, however late the other's term is.
    if (message.kind === "vote" && state.isLeaderFresh && !message.isTransfer) return false;
    state.becomeFollower(message.term, NOBODY);
  }
  if (isFromLeader(message)) follow(state, message.from);
  return true;
}

function admitOld(state: RaftState, message: RaftMessage): boolean {
  // A leader that was cut off goes on in its old term until somebody tells it.
  if (isFromLeader(message)) state.send({ kind: "stale-term", to: message.from });
  return message.kind === "pre-vote-answer" || message.kind === "vote";
}

function isFromLeader(message: RaftMessage): boolean {
  const { kind } = message;
  return kind === "append" || kind === "heartbeat" || kind === "install-snapshot";
}

function follow(state: RaftState, leader: number): void {
  assert(state.role !== "leader", "a term has one leader");
  if (state.role === "follower" && state.leader === leader) {
    state.restartElectionClock();
    return;
  }
  assert(state.leader === NOBODY, "a term has one leader");
  state.becomeFollower(state.term, leader);
}
