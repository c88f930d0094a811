/** Names of a segment's files: its base offset in 20 digits, as Kafka's tools expect them. */

const OFFSET_DIGITS = 20;

/** Files that are no longer part of the log end with this until they are removed. */
export const DELETED_SUFFIX = ".deleted";

/** A compacted log file ends with this until it takes the place of those it was made of. */
export const CLEANED_SUFFIX = ".cleaned";

export function offsetText(offset: number): string {
  return String(offset).padStart(OFFSET_DIGITS, "0");
}

export function logName(baseOffset: number): string {
  return `${offsetText(baseOffset)}.log`;
}

export function indexName(baseOffset: number): string {
  return `${offsetText(baseOffset)}.index`;
}

export function timeIndexName(baseOffset: number): string {
  return `${offsetText(baseOffset)}.timeindex`;
}

/** Base offset of a segment by the name of its log file; undefined for any other name. */
export function baseOffsetOfName(name: string): number | undefined {
  const digits = /^(\d{20})\.log$/.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const offset = Number(digits);
  return Number.isSafeInteger(offset) ? offset : undefined;
}

export function isIndexName(name: string): boolean {
  return /^\d{20}\.(time)?index$/.test(name);
}
