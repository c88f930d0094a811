/** Where a group is to go on: earliest, latest, 42, s@<ms>, a date, or so many records further. */
import { CommandError, EXIT } from "./exit-codes.js";

export type SeekTarget =
  | { readonly kind: "earliest" }
  | { readonly kind: "latest" }
  | { readonly kind: "offset"; readonly offset: number }
  | { readonly kind: "timestamp"; readonly timestampMs: number }
  /** From where it is; negative is back. */
  | { readonly kind: "shift"; readonly by: number };

export interface SeekFlags {
  readonly to?: string;
  readonly shiftBy?: string;
}

/** Exactly one of the flags. Throws a CommandError. */
export function parseSeekTarget(flags: SeekFlags): SeekTarget {
  if ((flags.to === undefined) === (flags.shiftBy === undefined)) {
    throw new CommandError(EXIT.usage, "say where to go on: either --to or --shift-by");
  }
  return flags.to === undefined ? parseShift(flags.shiftBy ?? "") : parseTo(flags.to);
}

function parseShift(text: string): SeekTarget {
  if (/^[+-]?\d+$/.test(text)) return { kind: "shift", by: Number(text) };
  throw new CommandError(EXIT.usage, `--shift-by takes a whole number, not "${text}"`);
}

function parseTo(text: string): SeekTarget {
  if (text === "earliest" || text === "beginning") return { kind: "earliest" };
  if (text === "latest" || text === "end") return { kind: "latest" };
  if (/^\d+$/.test(text)) return { kind: "offset", offset: Number(text) };
  if (/^s@\d+$/.test(text)) return { kind: "timestamp", timestampMs: Number(text.slice(2)) };
  const timestampMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(timestampMs)) return { kind: "timestamp", timestampMs };
  throw new CommandError(EXIT.usage, `"${text}" is no place to go on at`, {
    hint: "write earliest, latest, 42, s@<ms> or a date such as 2026-01-31T12:00:00Z",
  });
}

export interface SeekBounds {
  /** Where the group is; undefined when it has committed nothing. */
  readonly current: number | undefined;
  readonly start: number;
  readonly end: number;
  /** First record that is as late as the asked time; -1 when there is none. */
  readonly ofTime: number;
}

/** The offset to go on at: never before the first record that there is, nor after the end. */
export function seekOffset(target: SeekTarget, bounds: SeekBounds): number {
  const { start, end } = bounds;
  return Math.min(Math.max(unboundedOffset(target, bounds), start), end);
}

function unboundedOffset(target: SeekTarget, { current, start, end, ofTime }: SeekBounds): number {
  switch (target.kind) {
    case "earliest":
      return start;
    case "latest":
      return end;
    case "offset":
      return target.offset;
    case "timestamp":
      return ofTime < 0 ? end : ofTime;
    case "shift":
      return (current ?? start) + target.by;
  }
}
