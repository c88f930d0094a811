/** Where to begin to read, as kcat says it: beginning, end, 42, -10, s@<ms>, e@<ms>. */
import { CommandError, EXIT } from "./exit-codes.js";

export type StartPosition =
  | { readonly kind: "earliest" }
  | { readonly kind: "latest" }
  | { readonly kind: "offset"; readonly offset: number }
  /** So many records before the end. */
  | { readonly kind: "before-end"; readonly count: number }
  | { readonly kind: "timestamp"; readonly timestampMs: number };

export interface ReadRange {
  readonly start: StartPosition;
  /** Stop at the first record that is as late as this; undefined to read on. */
  readonly endTimestampMs: number | undefined;
}

/** Reads one or more `-o` values; a later one of the same kind wins. Throws a CommandError. */
export function parseReadRange(values: readonly string[]): ReadRange {
  let start: StartPosition = { kind: "earliest" };
  let endTimestampMs: number | undefined;
  for (const value of values) {
    if (value === "beginning" || value === "earliest") start = { kind: "earliest" };
    else if (value === "end" || value === "latest") start = { kind: "latest" };
    else if (/^\d+$/.test(value)) start = { kind: "offset", offset: Number(value) };
    else if (/^-\d+$/.test(value)) start = { kind: "before-end", count: -Number(value) };
    else if (/^s@\d+$/.test(value))
      start = { kind: "timestamp", timestampMs: Number(value.slice(2)) };
    else if (/^e@\d+$/.test(value)) endTimestampMs = Number(value.slice(2));
    else {
      throw new CommandError(EXIT.usage, `"${value}" is no offset`, {
        hint: "write beginning, end, 42, -10 (ten before the end), s@<ms> or e@<ms>",
      });
    }
  }
  return { start, endTimestampMs };
}
