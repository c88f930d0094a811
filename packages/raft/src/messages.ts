/**
 * What raft keeps, says and asks for. Terms and indexes are raft's words and stay inside this
 * package: an index is inclusive, the log starts at 1, and 0 means "nothing".
 *
 * Arrays and bytes that cross this boundary are never written to again, by either side.
 */

/** One place in the log. Entries of type "data" and length 0 mark the start of a leadership. */
export interface Entry {
  readonly index: number;
  readonly term: number;
  readonly type: "data" | "configuration";
  /** For "configuration": the whole voter list, see `encodeVoters`. */
  readonly data: Uint8Array;
}

/** What must be durable before any message of the same `Ready` leaves. */
export interface HardState {
  readonly term: number;
  /** Whom this node voted for in `term`; -1 for nobody. */
  readonly vote: number;
  /** May lag behind on disk: a lost commit index is learnt again from the leader. */
  readonly commit: number;
}

/** The whole state machine at `index`; it replaces the log up to and with that index. */
export interface Snapshot {
  readonly index: number;
  readonly term: number;
  /** The configuration that holds at `index`. */
  readonly voters: readonly number[];
  readonly data: Uint8Array;
}

export type Role = "follower" | "pre-candidate" | "candidate" | "leader";

interface Envelope {
  readonly from: number;
  readonly to: number;
  /** The sender's current term. */
  readonly term: number;
}

/** "Would you vote for me in `nextTerm`?" Changes nothing at the receiver. */
export interface PreVote extends Envelope {
  readonly kind: "pre-vote";
  readonly nextTerm: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
}

export interface PreVoteAnswer extends Envelope {
  readonly kind: "pre-vote-answer";
  /** Copied from the question, so that a late answer is not counted in another round. */
  readonly nextTerm: number;
  readonly granted: boolean;
}

export interface Vote extends Envelope {
  readonly kind: "vote";
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** The leader asked for this election: its lease does not stand in the way. */
  readonly isTransfer: boolean;
}

export interface VoteAnswer extends Envelope {
  readonly kind: "vote-answer";
  readonly granted: boolean;
}

/** Entries that follow `prevIndex`; none at all is a probe, or carries a new commit index. */
export interface Append extends Envelope {
  readonly kind: "append";
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
}

/** The follower's durable log equals the leader's up to and with `matchIndex`. */
export interface AppendAnswer extends Envelope {
  readonly kind: "append-answer";
  readonly matchIndex: number;
}

/** The follower does not hold `prevIndex` at the leader's term for it. */
export interface AppendRefusal extends Envelope {
  readonly kind: "append-refusal";
  /** Copied from the append: tells a late refusal from a current one. */
  readonly prevIndex: number;
  /** The two logs can agree at `hintIndex` at best, where the follower has `hintTerm`. */
  readonly hintIndex: number;
  readonly hintTerm: number;
}

export interface Heartbeat extends Envelope {
  readonly kind: "heartbeat";
  /** Never past what the receiver is known to hold. */
  readonly commit: number;
  /** Number of the latest round that reads wait for; 0 when none ever did. */
  readonly readRound: number;
}

export interface HeartbeatAnswer extends Envelope {
  readonly kind: "heartbeat-answer";
  readonly readRound: number;
}

export interface InstallSnapshot extends Envelope {
  readonly kind: "install-snapshot";
  readonly snapshot: Snapshot;
}

/** The leader steps aside: campaign at once, without asking first. */
export interface TimeoutNow extends Envelope {
  readonly kind: "timeout-now";
}

/** A follower asks for a read index on behalf of its caller. */
export interface ReadIndex extends Envelope {
  readonly kind: "read-index";
  readonly context: number;
}

export interface ReadIndexAnswer extends Envelope {
  readonly kind: "read-index-answer";
  readonly context: number;
  readonly index: number;
}

/** Tells a leader of the past which term it is; without it that leader would never learn. */
export interface StaleTerm extends Envelope {
  readonly kind: "stale-term";
}

export type RaftMessage =
  | PreVote
  | PreVoteAnswer
  | Vote
  | VoteAnswer
  | Append
  | AppendAnswer
  | AppendRefusal
  | Heartbeat
  | HeartbeatAnswer
  | InstallSnapshot
  | TimeoutNow
  | ReadIndex
  | ReadIndexAnswer
  | StaleTerm;

export type MessageKind = RaftMessage["kind"];

type WithoutSender<Message> = Message extends RaftMessage ? Omit<Message, "from" | "term"> : never;

/** A message before the node has put its id and term on it. */
export type Outgoing = WithoutSender<RaftMessage>;
