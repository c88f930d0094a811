/** Which records a compaction may have dropped from a log: those with a later one of their key. */

/** The key of a record, by its payload; undefined for one that nothing supersedes. */
export type KeyOf = (payload: string) => string | undefined;

export interface LastOffsets {
  /** Whether the log has a later record of the same key. */
  isSuperseded(record: { readonly offset: number; readonly payload: string }): boolean;
}

export function lastOffsets(
  records: readonly { readonly offset: number; readonly payload: string }[],
  keyOf: KeyOf = () => undefined,
): LastOffsets {
  const offsets = new Map<string, number>();
  for (const { offset, payload } of records) {
    const key = keyOf(payload);
    if (key !== undefined) offsets.set(key, Math.max(offset, offsets.get(key) ?? -1));
  }
  return {
    isSuperseded({ offset, payload }) {
      const key = keyOf(payload);
      return key !== undefined && (offsets.get(key) ?? -1) > offset;
    },
  };
}
