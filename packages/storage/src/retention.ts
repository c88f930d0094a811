/** Which segments may go. Pure: facts in, a count out. */

export interface RetentionSegment {
  readonly nextOffset: number;
  readonly sizeBytes: number;
  /** Wall time of the last append; -1 when there was none. */
  readonly lastAppendMs: number;
}

export interface RetentionLimits {
  readonly nowMs: number;
  /** -1: no limit. */
  readonly retentionMs: number;
  /** -1: no limit. */
  readonly retentionBytes: number;
  /** Nothing at or above it goes. */
  readonly highWatermark: number;
  /** Segments that end at or before it go whatever the limits say. */
  readonly logStartOffset: number;
}

/**
 * How many of the oldest segments may go: the first that must stay ends the count.
 *
 * Age is that of the last append, by this broker's clock: timestamps in records are the clients',
 * and one of them from the year 2100 must not keep a segment for ever.
 */
export function deletableSegments(
  segments: readonly RetentionSegment[],
  limits: RetentionLimits,
): number {
  let sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  let count = 0;
  for (const segment of segments) {
    if (segment.sizeBytes === 0) break;
    if (segment.nextOffset > limits.highWatermark) break;
    if (!isDeletable(segment, sizeBytes, limits)) break;
    sizeBytes -= segment.sizeBytes;
    count += 1;
  }
  return count;
}

function isDeletable(
  segment: RetentionSegment,
  logBytes: number,
  limits: RetentionLimits,
): boolean {
  if (segment.nextOffset <= limits.logStartOffset) return true;
  const ageMs = limits.nowMs - segment.lastAppendMs;
  if (limits.retentionMs >= 0 && segment.lastAppendMs >= 0 && ageMs > limits.retentionMs) {
    return true;
  }
  // The log stays at least as large as it was promised.
  return limits.retentionBytes >= 0 && logBytes - limits.retentionBytes >= segment.sizeBytes;
}
