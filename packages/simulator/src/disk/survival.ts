/**
 * What a power cut leaves of changes that were written and not synced.
 *
 * The page cache goes to the disk in any order, one 512-byte sector at a time and each at its own
 * moment: so every sector shows some prefix of the changes made to it, whatever its neighbours
 * show. The length is metadata and has a moment of its own: it may be ahead of the data, which then
 * reads as zeros, or behind it.
 */
import type { SimRandom } from "../random.js";
import type { GrowingBytes } from "./growing-bytes.js";

export type Change =
  | { readonly kind: "write"; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly lengthBytes: number };

export const SECTOR_BYTES = 512;

export interface Survival {
  /** How many of the changes show in this sector. */
  readonly changesInSector: (sector: number) => number;
  /** How many of the changes show in the length. */
  readonly changesInLength: number;
}

const SURVIVAL_MODES = ["none", "all", "torn", "torn", "sectors", "sectors", "length"] as const;

/** Draws how far each sector and the length got with `count` changes. */
export function drawSurvival(random: SimRandom, count: number): Survival {
  const mode = random.pick(SURVIVAL_MODES);
  const reached = random.below(count + 1);
  const cutSector = random.below(64);
  switch (mode) {
    case "none":
      return { changesInSector: () => 0, changesInLength: 0 };
    case "all":
      return { changesInSector: () => count, changesInLength: count };
    case "length":
      return { changesInSector: () => 0, changesInLength: count };
    case "torn":
      // In order, up to the middle of one change; `cutSector` repeats so that large writes tear too.
      return {
        changesInSector: (sector) =>
          sector % 64 <= cutSector ? reached : Math.max(0, reached - 1),
        changesInLength: reached,
      };
    case "sectors":
      return {
        changesInSector: remembered(() => drawReach(random, count)),
        changesInLength: drawReach(random, count),
      };
  }
}

function drawReach(random: SimRandom, count: number): number {
  const extreme = random.below(5);
  if (extreme <= 1) return 0;
  return extreme <= 3 ? count : random.below(count + 1);
}

function remembered(draw: () => number): (sector: number) => number {
  const drawn = new Map<number, number>();
  return (sector) => {
    let value = drawn.get(sector);
    if (value === undefined) {
      value = draw();
      drawn.set(sector, value);
    }
    return value;
  };
}

/** Brings to `target` what survived of `changes`. */
export function applySurvivors(
  target: GrowingBytes,
  changes: readonly Change[],
  survival: Survival,
): void {
  const length = lengthAfter(target.length, changes.slice(0, survival.changesInLength));
  for (const [index, change] of changes.entries()) {
    if (change.kind === "truncate") {
      if (index < survival.changesInLength) target.zero(change.lengthBytes, target.length);
      continue;
    }
    const end = change.position + change.bytes.length;
    for (let from = change.position; from < end; ) {
      const sector = Math.floor(from / SECTOR_BYTES);
      const to = Math.min(end, (sector + 1) * SECTOR_BYTES);
      if (index < survival.changesInSector(sector)) {
        target.write(from, change.bytes.subarray(from - change.position, to - change.position));
      }
      from = to;
    }
  }
  target.setLength(length);
}

function lengthAfter(before: number, changes: readonly Change[]): number {
  let length = before;
  for (const change of changes) {
    if (change.kind === "truncate") length = change.lengthBytes;
    else length = Math.max(length, change.position + change.bytes.length);
  }
  return length;
}
