/**
 * The state of one raft node, and the only four functions that change its role.
 *
 * The handlers of the neighbouring files work on it; `RaftNode` keeps it to itself. Nothing here
 * looks at a message.
 */
import { assert } from "@strandline/model";
import { LogView } from "./log-view.js";
import type { Outgoing, RaftMessage, Role } from "./messages.js";
import type { RaftOptions } from "./options.js";
import { Progress } from "./progress.js";
import { Jitter } from "./random.js";
import { ReadQueue } from "./read-queue.js";
import { encodeVoters } from "./voters.js";

const NO_DATA = new Uint8Array(0);

/** Stands for "nobody" wherever a node id is expected. */
export const NOBODY = -1;

export interface Transfer {
  readonly to: number;
  elapsedTicks: number;
}

/** A confirmed read: everything up to `index` has to be applied before it is served. */
export interface ReadState {
  readonly context: number;
  readonly index: number;
}

export class RaftState {
  readonly self: number;
  readonly options: RaftOptions;
  readonly log: LogView;

  term: number;
  /** Never taken back within a term. */
  vote: number;
  role: Role = "follower";
  leader = NOBODY;

  /** Ticks since the leader was heard, or since this role began. */
  elapsedTicks = 0;
  /** Campaign when `elapsedTicks` reaches it; drawn anew each time the clock restarts. */
  electionTimeoutTicks = 0;
  heartbeatElapsedTicks = 0;

  /** Answers to the campaign that is on. */
  readonly votes = new Map<number, boolean>();
  /** Leader only: the others it sends to. */
  readonly peers = new Map<number, Progress>();
  readonly reads = new ReadQueue();
  transfer: Transfer | undefined;

  outbox: RaftMessage[] = [];
  readStates: ReadState[] = [];
  readonly #jitter: Jitter;

  constructor(options: RaftOptions) {
    this.options = options;
    this.self = options.self;
    const { restored } = options;
    const hardState = restored?.hardState ?? { term: 0, vote: NOBODY, commit: 0 };
    this.term = hardState.term;
    this.vote = hardState.vote;
    this.log = new LogView({
      snapshot: restored?.snapshot ?? { index: 0, term: 0, voters: options.voters, data: NO_DATA },
      entries: restored?.entries ?? [],
      commit: hardState.commit,
      applied: options.applied,
    });
    assert(this.log.lastTerm <= this.term, "the term is durable before an entry of it");
    this.#jitter = new Jitter(options.seed, options.self);
    this.restartElectionClock();
  }

  get voters(): readonly number[] {
    return this.log.voters;
  }

  /** True when this node may stand for election. */
  get isPromotable(): boolean {
    if (this.voters.includes(this.self)) return true;
    // A voter whose own removal is in its log but not committed may be the only one that holds
    // that entry, and so the only one that can be elected (two voters, one of them leaving).
    if (this.log.votersIndex <= this.log.commit) return false;
    return this.log.votersAt(this.log.commit).includes(this.self);
  }

  /** True while the leader was heard recently enough that nobody should try to replace it. */
  get isLeaderFresh(): boolean {
    if (this.leader === NOBODY) return false;
    return this.role === "leader" || this.elapsedTicks < this.options.electionTicks;
  }

  /** A leader may count old entries, answer reads and change voters only after that. */
  get hasCommittedOwnTerm(): boolean {
    return this.log.termAt(this.log.commit) === this.term;
  }

  becomeFollower(term: number, leader: number): void {
    assert(term >= this.term, "terms never go back");
    if (term > this.term) {
      this.term = term;
      this.vote = NOBODY;
    }
    // The leader of a term takes a vote that is still free: so the durable vote remembers it, and
    // no other candidate of that term can have it after a restart.
    if (this.vote === NOBODY) this.vote = leader;
    this.#changeRole("follower");
    this.leader = leader;
  }

  becomePreCandidate(): void {
    assert(this.role !== "leader", "a leader does not campaign");
    assert(this.isPromotable, "only a voter campaigns");
    this.#changeRole("pre-candidate");
    this.votes.set(this.self, true);
  }

  /** Its own vote counts like everyone's: once it is durable, see `voteDurable`. */
  becomeCandidate(): void {
    assert(this.role !== "leader", "a leader does not campaign");
    assert(this.isPromotable, "only a voter campaigns");
    this.term += 1;
    this.vote = this.self;
    this.#changeRole("candidate");
  }

  becomeLeader(): void {
    assert(this.role === "candidate", "only a candidate becomes leader");
    assert(this.vote === this.self, "a leader voted for itself");
    const next = this.log.lastIndex + 1;
    this.#changeRole("leader");
    this.leader = this.self;
    for (const voter of this.voters) this.addPeer(voter, next);
    // Entries of earlier terms are committed only under one of this term.
    this.append("data", NO_DATA);
    // From the first leader on, the configuration is data: what other nodes, or this one later,
    // were started with no longer matters.
    if (this.log.votersIndex === 0) this.append("configuration", encodeVoters(this.voters));
  }

  /** Starts to replicate to `id`; no effect when that is on already. */
  addPeer(id: number, next: number): void {
    if (id === this.self || this.peers.has(id)) return;
    this.peers.set(id, new Progress(next, this.options.inflightMax));
  }

  /** A leader's own entry. Returns its index. */
  append(type: "data" | "configuration", data: Uint8Array): number {
    assert(this.role === "leader", "only a leader appends");
    const index = this.log.lastIndex + 1;
    this.log.append({ index, term: this.term, type, data });
    return index;
  }

  send(message: Outgoing): void {
    assert(message.to !== this.self, "a node does not write to itself");
    this.outbox.push({ ...message, from: this.self, term: this.term });
  }

  /** The leader was heard, or a vote was given away: wait a whole timeout again. */
  restartElectionClock(): void {
    const { electionTicks } = this.options;
    this.elapsedTicks = 0;
    this.electionTimeoutTicks = electionTicks + this.#jitter.below(electionTicks);
  }

  /** Campaign in `ticks` ticks, unless the leader is heard before. */
  hurryElection(ticks: number): void {
    this.elapsedTicks = Math.max(this.elapsedTicks, this.electionTimeoutTicks - ticks);
  }

  randomBelow(bound: number): number {
    return this.#jitter.below(bound);
  }

  #changeRole(role: Role): void {
    this.role = role;
    this.leader = NOBODY;
    this.votes.clear();
    this.peers.clear();
    this.reads.clear();
    this.transfer = undefined;
    this.heartbeatElapsedTicks = 0;
    this.restartElectionClock();
  }
}
