/**
 * One raft node, pure and synchronous: ticks, messages and proposals go in, `Ready` comes out.
 *
 * The shell's loop, and the order that everything rests on:
 *
 *     while (node.hasReady()) {
 *       const ready = node.ready();
 *       // 1. persist snapshot, entries, hardState in one atomic write, synced if mustSync
 *       // 2. send ready.messages
 *       // 3. apply ready.snapshot, then ready.committed; answer ready.readStates once applied
 *       node.advance(ready);
 *     }
 *
 * Between `ready` and `advance` the shell may wait, and the node takes further input meanwhile;
 * what that causes is in the next `Ready`. One `Ready` is out at a time.
 */
import { assert } from "@strandline/model";
import { campaign, leaderLost, voteDurable } from "./election.js";
import { advanceCommit, flush, isFlushDue } from "./leader.js";
import {
  type ConfigurationChange,
  type ConfigurationRefusal,
  type Proposed,
  proposeConfiguration,
} from "./membership.js";
import type { Entry, HardState, RaftMessage, Role, Snapshot } from "./messages.js";
import { type RaftOptions, raftOptionsProblems } from "./options.js";
import type { ProgressState } from "./progress.js";
import { step, tick } from "./role.js";
import { NOBODY, RaftState, type ReadState } from "./state.js";
import { transferLeadership } from "./transfer.js";

export interface Ready {
  /** Present when it changed. */
  readonly hardState?: HardState;
  /** To persist and apply. It replaces the WHOLE stored log, entries after its index included. */
  readonly snapshot?: Snapshot;
  /** To persist, after deleting whatever is stored from `entries[0].index` on. */
  readonly entries: readonly Entry[];
  /** True when a vote or an acknowledgement of this `Ready` depends on what is persisted. */
  readonly mustSync: boolean;
  /** To send AFTER persisting. */
  readonly messages: readonly RaftMessage[];
  /** To apply, in order; configuration entries and empty ones are among them. */
  readonly committed: readonly Entry[];
  /** Reads that may be served once everything up to `index` is applied. */
  readonly readStates: readonly ReadState[];
  /** -1 when none is known. */
  readonly leader: number;
  readonly role: Role;
}

/** What a leader knows of another node; for status displays and for choosing a successor. */
export interface PeerStatus {
  readonly id: number;
  readonly state: ProgressState;
  readonly matchIndex: number;
  /** Ticks since it was last heard. */
  readonly silentTicks: number;
}

export class RaftNode {
  readonly #state: RaftState;
  #outstanding: Ready | undefined;
  #handedHardState: HardState;
  #handedLeader = NOBODY;
  #handedRole: Role = "follower";

  constructor(options: RaftOptions) {
    const problems = raftOptionsProblems(options);
    assert(problems.length === 0, `raft options are valid: ${problems.join("; ")}`);
    this.#state = new RaftState(options);
    this.#handedHardState = hardStateOf(this.#state);
  }

  get role(): Role {
    return this.#state.role;
  }

  get term(): number {
    return this.#state.term;
  }

  /** -1 when none is known. */
  get leader(): number {
    return this.#state.leader;
  }

  get commit(): number {
    return this.#state.log.commit;
  }

  /** Last index whose application `advance` has confirmed. */
  get applied(): number {
    return this.#state.log.applied;
  }

  /** The log holds the entries after it; everything up to it is in the snapshot. */
  get snapshotIndex(): number {
    return this.#state.log.snapshot.index;
  }

  get lastIndex(): number {
    return this.#state.log.lastIndex;
  }

  /** The configuration in force: the latest appended one, ascending. */
  get voters(): readonly number[] {
    return this.#state.voters;
  }

  /** Empty unless this node leads. */
  get peers(): readonly PeerStatus[] {
    return [...this.#state.peers].map(([id, { state, matchIndex, silentTicks }]) => {
      return { id, state, matchIndex, silentTicks };
    });
  }

  /** One unit of time has passed. */
  tick(): void {
    tick(this.#state);
  }

  /** A message arrived. The shell has checked its shape and, for a snapshot, its data. */
  step(message: RaftMessage): void {
    step(this.#state, message);
  }

  /** Stand for election now. No effect on a leader or on a node that is no voter. */
  campaign(): void {
    campaign(this.#state);
  }

  /** The connection to `id` broke: messages on it may be lost, and if it leads it may be dead. */
  peerLost(id: number): void {
    this.#state.peers.get(id)?.probe();
    if (this.#state.role === "follower" && this.#state.leader === id) leaderLost(this.#state);
  }

  /**
   * That node has lost its disk, and comes back with an empty log: what it once held no longer
   * counts. Only for a node that will not vote before it has caught up again.
   */
  forget(id: number): void {
    const state = this.#state;
    const peer = state.peers.get(id);
    if (peer === undefined) return;
    state.peers.delete(id);
    // One that leaves was fed only to learn of that; its new disk knows of nothing anyway.
    if (!peer.isLeaving) state.addPeer(id, state.log.lastIndex + 1);
  }

  /** Appends `data` if this node leads; it is decided when it appears in `committed`. */
  propose(data: Uint8Array): Proposed | "not-leader" {
    const state = this.#state;
    if (state.role !== "leader" || state.transfer !== undefined) return "not-leader";
    return { index: state.append("data", data), term: state.term };
  }

  proposeConfiguration(change: ConfigurationChange): Proposed | ConfigurationRefusal {
    return proposeConfiguration(this.#state, change);
  }

  /** Hands leadership to `to`. No effect unless this node leads and `to` is another voter. */
  transferLeadership(to: number): void {
    transferLeadership(this.#state, to);
  }

  /**
   * Asks for an index at which a read is linearizable; it comes as a `readStates` element with the
   * same context, or never, when leadership changes first. Contexts are not used twice, over
   * restarts either. Returns false when there is no leader to ask.
   */
  readIndex(context: number): boolean {
    const { role, leader, self, reads } = this.#state;
    if (role === "leader") reads.ask({ context, from: self });
    else if (leader !== NOBODY) this.#state.send({ kind: "read-index", to: leader, context });
    return leader !== NOBODY;
  }

  /**
   * A snapshot of `data`, the state machine at `index`, which must be applied; to be made durable
   * and then given to `compact`. Undefined when a leader's snapshot has overtaken it.
   */
  snapshotAt(index: number, data: Uint8Array): Snapshot | undefined {
    const { log } = this.#state;
    assert(index <= log.applied, "only what is applied is in a snapshot");
    const term = log.termAt(index);
    return term === undefined ? undefined : { index, term, voters: log.votersAt(index), data };
  }

  /** Drops the entries that `snapshot` (durable, from `snapshotAt`) stands for. */
  compact(snapshot: Snapshot): void {
    this.#state.log.compact(snapshot);
  }

  /** How sending a snapshot to `to` went. Optional: an unanswered one is sent again in time. */
  reportSnapshot(to: number, ok: boolean): void {
    this.#state.peers.get(to)?.snapshotReported(ok);
  }

  /** True when `ready` has something to do. False while a `Ready` is out. */
  hasReady(): boolean {
    const state = this.#state;
    if (this.#outstanding !== undefined) return false;
    return (
      state.outbox.length > 0 ||
      state.readStates.length > 0 ||
      state.log.pendingSnapshot !== undefined ||
      state.log.stable < state.log.lastIndex ||
      state.log.applied < state.log.commit ||
      isFlushDue(state) ||
      this.#isChanged()
    );
  }

  ready(): Ready {
    assert(this.#outstanding === undefined, "one Ready is out at a time");
    const state = this.#state;
    flush(state);
    const hardState = hardStateOf(state);
    const snapshot = state.log.pendingSnapshot;
    const entries = state.log.unstable();
    const handed = this.#handedHardState;
    const isVoteNew = hardState.term !== handed.term || hardState.vote !== handed.vote;
    const ready: Ready = {
      ...(isVoteNew || hardState.commit !== handed.commit ? { hardState } : {}),
      ...(snapshot === undefined ? {} : { snapshot }),
      entries,
      mustSync: isVoteNew || entries.length > 0 || snapshot !== undefined,
      messages: state.outbox,
      committed: state.log.unapplied(),
      readStates: state.readStates,
      leader: state.leader,
      role: state.role,
    };
    state.outbox = [];
    state.readStates = [];
    this.#handedHardState = hardState;
    this.#handedLeader = state.leader;
    this.#handedRole = state.role;
    this.#outstanding = ready;
    return ready;
  }

  /** Everything in `ready` is done: durable, sent, applied. */
  advance(ready: Ready): void {
    assert(ready === this.#outstanding, "what advances is the Ready that is out");
    this.#outstanding = undefined;
    const state = this.#state;
    if (ready.snapshot !== undefined) state.log.markInstalled(ready.snapshot);
    state.log.markStable(ready.entries);
    const applied = ready.committed.at(-1);
    if (applied !== undefined) state.log.markApplied(applied.index);
    if (ready.hardState !== undefined) voteDurable(state, ready.hardState);
    // A leader counts its own entries like everyone's: once they are durable.
    if (state.role === "leader") advanceCommit(state);
  }

  #isChanged(): boolean {
    const { term, vote, leader, role, log } = this.#state;
    const handed = this.#handedHardState;
    if (leader !== this.#handedLeader || role !== this.#handedRole) return true;
    return term !== handed.term || vote !== handed.vote || log.commit !== handed.commit;
  }
}

function hardStateOf(state: RaftState): HardState {
  return { term: state.term, vote: state.vote, commit: state.log.commit };
}
