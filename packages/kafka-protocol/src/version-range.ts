/** Ranges of versions, written as in the protocol's own tables: "3+", "0-12", "5", "none". */
import { assert } from "@strandline/model";

/** Both ends are part of it. */
export interface VersionRange {
  readonly from: number;
  readonly to: number;
}

/** Versions are int16 on the wire, so this one stands for "and all that follow". */
const OPEN_END = 32_767;

export const ALL_VERSIONS: VersionRange = { from: 0, to: OPEN_END };
export const NO_VERSIONS: VersionRange = { from: 0, to: -1 };

export function versionRange(text: string): VersionRange {
  if (text === "none") return NO_VERSIONS;
  const found = /^(\d+)(\+|-(\d+))?$/.exec(text);
  assert(found !== null, `"${text}" is a range of versions`);
  const from = Number(found[1]);
  if (found[2] === undefined) return { from, to: from };
  return { from, to: found[3] === undefined ? OPEN_END : Number(found[3]) };
}

export function includesVersion(range: VersionRange, version: number): boolean {
  return version >= range.from && version <= range.to;
}
