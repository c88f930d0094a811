/** What a node is built from, and what is wrong with it. */
import type { Entry, HardState, Snapshot } from "./messages.js";
import { decodeVoters, votersProblem } from "./voters.js";

/** What storage kept: exactly the `hardState`, `snapshot` and `entries` that `Ready` handed out. */
export interface Restored {
  readonly hardState: HardState;
  readonly snapshot?: Snapshot;
  /** Consecutive and ascending; entries up to the snapshot's index are ignored. */
  readonly entries: readonly Entry[];
}

export interface RaftOptions {
  readonly self: number;
  /**
   * The first configuration, ascending. Ignored as soon as the log or the snapshot has one. Empty
   * for a node that joins later: it is passive until a leader's log names it.
   */
  readonly voters: readonly number[];
  /** Silence after which a leader is replaced. Ticks; timeouts are drawn from [this, 2 * this). */
  readonly electionTicks: number;
  /** Ticks between two heartbeats of a leader; well below `electionTicks`. */
  readonly heartbeatTicks: number;
  /** Size at which one append message is full; a single larger entry still goes out. Bytes. */
  readonly entriesBytesMax: number;
  /** Unanswered appends allowed per follower. */
  readonly inflightMax: number;
  /** Seed of the election jitter. Nodes may share it, restarts should not. */
  readonly seed: number;
  readonly restored?: Restored | undefined;
  /** Last index that the state machine holds already; the snapshot's index counts as applied. */
  readonly applied: number;
}

/** Returns every problem of the options; empty means valid. */
export function raftOptionsProblems(options: RaftOptions): string[] {
  const problems: string[] = [];
  const voters = votersProblem(options.voters);
  if (voters !== undefined) problems.push(`voters: ${voters}`);
  if (!(options.heartbeatTicks >= 1)) problems.push("heartbeatTicks must be at least 1");
  if (!(options.electionTicks > options.heartbeatTicks)) {
    problems.push("electionTicks must exceed heartbeatTicks, or a healthy leader is replaced");
  }
  if (!(options.inflightMax >= 1)) problems.push("inflightMax must be at least 1");
  if (!(options.entriesBytesMax >= 1)) problems.push("entriesBytesMax must be at least 1");
  if (options.restored !== undefined) {
    const problem = restoredProblem(options.restored);
    if (problem !== undefined) problems.push(`restored state: ${problem}`);
  }
  return problems;
}

/**
 * Returns why a state read from disk cannot be one that this package asked to keep, or undefined.
 * A shell asks before it builds a node: such a disk is corrupt, and the node must not vote.
 */
export function restoredProblem(restored: Restored): string | undefined {
  const { hardState, snapshot, entries } = restored;
  let index = snapshot?.index ?? 0;
  let term = snapshot?.term ?? 0;
  if (snapshot !== undefined) {
    const problem = votersProblem(snapshot.voters);
    if (problem !== undefined) return `snapshot: ${problem}`;
  }
  for (const entry of entries) {
    if (entry.index <= (snapshot?.index ?? 0)) continue;
    if (entry.index !== index + 1) return `entry ${index + 1} is missing, found ${entry.index}`;
    if (entry.term < term) return `entry ${entry.index} has a lower term than the one before`;
    if (entry.type === "configuration" && decodeVoters(entry.data) === undefined) {
      return `entry ${entry.index} does not hold a voter list`;
    }
    index = entry.index;
    term = entry.term;
  }
  if (term > hardState.term) return `the log reaches term ${term}, beyond term ${hardState.term}`;
  if (hardState.commit > index) return `entries ${index + 1} to ${hardState.commit} are missing`;
  return undefined;
}
