/** What recovery begins with: the stored state, made to fit the files that are there. */
import type { LogState } from "./log-checkpoints.js";

const NO_APPENDS = {
  maxTimestampMs: -1,
  maxTimestampOffset: -1,
  firstAppendMs: -1,
  lastAppendMs: -1,
};

/**
 * Without a stored state nothing says what was synced. Segments before the last were, once they
 * were full; so only the last may have a torn tail.
 */
export function assumedState(bases: readonly number[]): LogState {
  const last = bases.at(-1) ?? 0;
  return {
    version: 1,
    logStartOffset: bases[0] ?? 0,
    highWatermark: bases[0] ?? 0,
    recoveryPoint: { offset: last, baseOffset: last, position: 0 },
    epochs: [],
    active: { nextOffset: last, sizeBytes: 0, ...NO_APPENDS },
    isClean: bases.length === 0,
    // Nothing says that it was never compacted.
    hasGaps: bases.length > 0,
    cleanedTo: 0,
  };
}

/** The segments that are not wholly below the log's start. */
export function liveBases(bases: readonly number[], state: LogState): number[] {
  const { baseOffset: activeBase } = state.recoveryPoint;
  return bases.filter((base, index) => {
    const next = bases[index + 1] ?? Number.POSITIVE_INFINITY;
    const end = activeBase > base ? Math.min(next, activeBase) : next;
    return end > state.logStartOffset;
  });
}

/** The state, with its recovery point moved on if the segment it was in is below the log's start. */
export function withPointIn(live: readonly number[], state: LogState): LogState {
  const { baseOffset } = state.recoveryPoint;
  const first = live[0];
  if (first === undefined || first <= baseOffset || first > state.logStartOffset) return state;
  return {
    ...state,
    recoveryPoint: { offset: first, baseOffset: first, position: 0 },
    active: { nextOffset: first, sizeBytes: 0, ...NO_APPENDS },
    isClean: false,
  };
}
