/**
 * Which segments of a log a round of compaction is about, and whether one is due. Pure: facts in,
 * a plan out.
 *
 * The log falls into three parts. Clean is what earlier rounds have been through: each key stands
 * there once. Dirty is what came after and may be compacted. The rest must be left alone: the
 * active segment, what is not committed, what is too young, what is damaged.
 */
import { INT32_MAX } from "@strandline/model";

export interface CompactionConfig {
  /** A segment is left alone until its last append is this long ago. */
  readonly lagMsMin: number;
  /** A dirty segment whose first append is this long ago makes a round due by itself. */
  readonly lagMsMax: number;
  /** Tombstones stay for this long after the first round that meets them. */
  readonly deleteRetentionMs: number;
  /** Share of the bytes that must be dirty for a round to be due; 0 to 1. */
  readonly dirtyRatioMin: number;
}

export interface PlannedSegment {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly sizeBytes: number;
  /** Wall time of the first and the last append; -1 for none. */
  readonly firstAppendMs: number;
  readonly lastAppendMs: number;
}

export interface CompactionFacts<Segment extends PlannedSegment> {
  /** In offset order, without the active one. */
  readonly segments: readonly Segment[];
  /** Whether a segment may be rewritten now, apart from its age. */
  readonly isSettled: (segment: Segment) => boolean;
  /** Everything below was compacted before. */
  readonly cleanedTo: number;
  /** Nothing at or above it is touched: what is below is committed and decided. */
  readonly endOffset: number;
  readonly config: CompactionConfig;
  readonly nowMs: number;
}

export interface CompactionPlan<Segment extends PlannedSegment> {
  /** From the log's start to the last that may be compacted. */
  readonly segments: readonly Segment[];
  /** The first offset that is dirty. */
  readonly fromOffset: number;
  /** Where the dirty part ends, at the end of a segment. */
  readonly endOffset: number;
  /** Share of the bytes that is dirty. */
  readonly dirtyRatio: number;
  /** A record has waited for as long as it may. */
  readonly isOverdue: boolean;
}

/** What a round would do now; undefined when none is due. */
export function planCompaction<Segment extends PlannedSegment>(
  facts: CompactionFacts<Segment>,
): CompactionPlan<Segment> | undefined {
  const segments = compactible(facts);
  const first = segments[0];
  const last = segments.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const { config, nowMs } = facts;
  const fromOffset = Math.max(facts.cleanedTo, first.baseOffset);
  if (last.nextOffset <= fromOffset) return undefined;
  let dirtyBytes = 0;
  let allBytes = 0;
  let isOverdue = false;
  for (const segment of segments) {
    allBytes += segment.sizeBytes;
    if (segment.nextOffset <= fromOffset) continue;
    dirtyBytes += segment.sizeBytes;
    const ageMs = segment.firstAppendMs < 0 ? 0 : nowMs - segment.firstAppendMs;
    if (ageMs > Math.max(config.lagMsMax, config.lagMsMin)) isOverdue = true;
  }
  if (dirtyBytes === 0) return undefined;
  const dirtyRatio = dirtyBytes / allBytes;
  if (!isOverdue && dirtyRatio < config.dirtyRatioMin) return undefined;
  return { segments, fromOffset, endOffset: last.nextOffset, dirtyRatio, isOverdue };
}

function compactible<Segment extends PlannedSegment>(facts: CompactionFacts<Segment>): Segment[] {
  const { lagMsMin } = facts.config;
  const found: Segment[] = [];
  for (const segment of facts.segments) {
    if (segment.nextOffset > facts.endOffset || !facts.isSettled(segment)) break;
    const isDirty = segment.nextOffset > facts.cleanedTo;
    if (isDirty && lagMsMin > 0 && facts.nowMs - segment.lastAppendMs < lagMsMin) break;
    found.push(segment);
  }
  return found;
}

/**
 * Neighbours that fit into one segment together: what rounds leave of many becomes one file again.
 * Only segments that begin below `endOffset` are asked for.
 */
export function groupSegments<Segment extends PlannedSegment>(
  segments: readonly Segment[],
  options: { readonly segmentBytesMax: number; readonly endOffset: number },
): Segment[][] {
  const bytesMax = Math.min(options.segmentBytesMax, INT32_MAX);
  const groups: Segment[][] = [];
  let bytes = 0;
  for (const segment of segments) {
    if (segment.baseOffset >= options.endOffset) break;
    const group = groups.at(-1);
    const first = group?.[0];
    const fits =
      first !== undefined &&
      bytes + segment.sizeBytes <= bytesMax &&
      segment.nextOffset - first.baseOffset <= INT32_MAX;
    if (fits) {
      group?.push(segment);
      bytes += segment.sizeBytes;
    } else {
      groups.push([segment]);
      bytes = segment.sizeBytes;
    }
  }
  return groups;
}
