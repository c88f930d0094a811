/**
 * The configuration of the quorum, as entries of the log carry it.
 *
 * An entry holds the whole voter list, never a difference: a node that joins with an empty log
 * must not depend on what others were started with. A configuration counts from the moment its
 * entry is APPENDED, committed or not, and is taken back when the entry is truncated. That is the
 * rule with a published proof; counting it only once applied would let a leader of the old and a
 * candidate of the new configuration disagree on what a majority is after a restart that forgot
 * the commit index.
 */
import { assert } from "@strandline/model";

const BYTES_PER_VOTER = 4;
const INT32_MAX = 2_147_483_647;

/** Orders a voter list: lists that hold the same voters are then equal element by element. */
export function sortedVoters(voters: readonly number[]): readonly number[] {
  const sorted = [...new Set(voters)].sort((a, b) => a - b);
  assert(sorted.length === voters.length, "a voter is listed once");
  return sorted;
}

/** The data of a configuration entry: the ids as big-endian int32. */
export function encodeVoters(voters: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(voters.length * BYTES_PER_VOTER);
  const view = new DataView(bytes.buffer);
  for (const [at, voter] of voters.entries()) view.setInt32(at * BYTES_PER_VOTER, voter);
  return bytes;
}

/** Reads the data of a configuration entry; undefined when the bytes are not one. */
export function decodeVoters(bytes: Uint8Array): readonly number[] | undefined {
  if (bytes.length % BYTES_PER_VOTER !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const voters: number[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_VOTER) voters.push(view.getInt32(at));
  return votersProblem(voters) === undefined ? voters : undefined;
}

/** Returns why a voter list from outside is refused, or undefined when it is legal. */
export function votersProblem(voters: readonly unknown[]): string | undefined {
  let previous = -1;
  for (const voter of voters) {
    if (typeof voter !== "number" || !Number.isInteger(voter)) return "a voter is an integer";
    if (voter < 0 || voter > INT32_MAX) return "a voter id is 0 to 2^31 - 1";
    if (voter <= previous) return "voters are listed in ascending order, each once";
    previous = voter;
  }
  return undefined;
}

interface Point {
  readonly index: number;
  readonly voters: readonly number[];
}

/** Which configuration holds at which index of the log, from its snapshot on. */
export class VoterHistory {
  /** Ascending by index; the first one is at the snapshot (or 0), so there is always one. */
  #points: Point[];

  constructor(index: number, voters: readonly number[]) {
    this.#points = [{ index, voters: sortedVoters(voters) }];
  }

  get latest(): Point {
    return this.#last((): boolean => true);
  }

  at(index: number): readonly number[] {
    return this.#last((point) => point.index <= index).voters;
  }

  add(index: number, voters: readonly number[]): void {
    assert(index > this.latest.index, "configurations are appended in order");
    this.#points.push({ index, voters: sortedVoters(voters) });
  }

  /** The entries from `index` on are gone: so are their configurations. */
  truncateFrom(index: number): void {
    this.#points = this.#points.filter((point, at) => at === 0 || point.index < index);
  }

  /** The log now begins after `index`. */
  compactTo(index: number): void {
    const base = { index, voters: this.at(index) };
    this.#points = [base, ...this.#points.filter((point) => point.index > index)];
  }

  #last(matches: (point: Point) => boolean): Point {
    const point = this.#points.findLast(matches);
    assert(point !== undefined, "a configuration is known for every index of the log");
    return point;
  }
}
