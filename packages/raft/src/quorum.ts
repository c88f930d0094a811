/**
 * Majorities. Every question raft asks of its voters is one of these three, and each of them is a
 * function of the voter list and one number or answer per voter.
 */
import { assert } from "@strandline/model";

/** How many of `voterCount` are a majority. */
export function majority(voterCount: number): number {
  assert(voterCount > 0, "a quorum has voters");
  return Math.floor(voterCount / 2) + 1;
}

/**
 * The highest value that a majority of the voters has reached. Used for match indexes (what is
 * committed) and for heartbeat rounds (which reads are confirmed).
 */
export function reachedByMajority(
  voters: readonly number[],
  reached: (voter: number) => number,
): number {
  const values = voters.map(reached).sort((a, b) => b - a);
  const value = values[majority(voters.length) - 1];
  assert(value !== undefined, "a majority is at most everyone");
  return value;
}

/** True when at least a majority of the voters satisfies `holds`. */
export function isMajority(voters: readonly number[], holds: (voter: number) => boolean): boolean {
  return voters.filter(holds).length >= majority(voters.length);
}

export type Tally = "won" | "lost" | "open";

/** Counts votes. Lost as soon as the answers that are missing cannot win it any more. */
export function tally(voters: readonly number[], votes: ReadonlyMap<number, boolean>): Tally {
  if (isMajority(voters, (voter) => votes.get(voter) === true)) return "won";
  const isOpen = isMajority(voters, (voter) => votes.get(voter) !== false);
  return isOpen ? "open" : "lost";
}
