/**
 * Stored records that cannot be read: found, remembered until they are repaired, never cut.
 */
import type { Crc32c, FileHandle } from "@strandline/platform";
import {
  BATCH_HEADER_BYTES,
  baseOffset,
  batchBytes,
  lastOffset,
  lastOffsetDelta,
} from "@strandline/record";
import { headerProblem, type WalkRange, walkBatches } from "./batch-walk.js";
import type { OffsetIndex } from "./offset-index.js";
import type { Segment } from "./segment.js";

export interface Damage {
  readonly segment: Segment;
  /** Records from here up to `toOffset` are lost to this replica. */
  readonly fromOffset: number;
  readonly toOffset: number;
  /** Where they stood in the segment's file. */
  readonly fromPosition: number;
  /** Undefined when not even that is known: the file and all facts about it are gone. */
  readonly toPosition: number | undefined;
}

/** The known damages of one log, in offset order, without overlap. */
export class Damages {
  #list: readonly Damage[] = [];

  get first(): Damage | undefined {
    return this.#list[0];
  }

  /** The first damage that ends after `offset`. */
  after(offset: number): Damage | undefined {
    return this.#list.find((damage) => damage.toOffset > offset);
  }

  /** Replaces what is known of one segment. */
  replace(segment: Segment, damages: readonly Damage[]): void {
    const others = this.#list.filter((damage) => damage.segment !== segment);
    this.#list = [...others, ...damages].sort((a, b) => a.fromOffset - b.fromOffset);
  }

  of(segment: Segment): readonly Damage[] {
    return this.#list.filter((damage) => damage.segment === segment);
  }

  /** Keeps what is in the segments of the log. */
  retain(segments: readonly Segment[]): void {
    this.#list = this.#list.filter((damage) => segments.includes(damage.segment));
  }
}

/**
 * Checks all of a segment's first `logBytes`, which end at `endOffset`, and returns the stretches
 * that are not what was written. Behind one it goes on at the next batch that proves to be one.
 */
export async function findDamages(
  segment: Segment,
  handle: FileHandle,
  options: {
    readonly logBytes: number;
    readonly endOffset: number;
    readonly offsets: OffsetIndex | undefined;
    readonly crc32c: Crc32c;
    readonly hasGaps: boolean;
  },
): Promise<Damage[]> {
  const { logBytes, endOffset, offsets } = options;
  const check = { crc32c: options.crc32c, epochMin: -1, hasGaps: options.hasGaps };
  const found: Damage[] = [];
  let position = 0;
  let fromOffset = segment.baseOffset;
  while (position < logBytes) {
    const end = await walk(handle, { from: position, to: logBytes, fromOffset, check });
    if (!end.isProblem) break;
    const { hasGaps } = options;
    const next = await resynchronise(handle, { ...end, logBytes, endOffset, offsets, hasGaps });
    const last = found.at(-1);
    if (last?.toPosition === end.position) {
      found[found.length - 1] = { ...last, toOffset: next.offset, toPosition: next.position };
    } else {
      found.push({
        segment,
        fromOffset: end.nextOffset,
        toOffset: next.offset,
        fromPosition: end.position,
        toPosition: next.position,
      });
    }
    position = next.position;
    fromOffset = next.offset;
  }
  return found;
}

interface Place {
  readonly position: number;
  readonly offset: number;
}

/** Walks to the first problem. A read that fails is one: the disk has lost that stretch. */
async function walk(
  handle: FileHandle,
  range: WalkRange,
): Promise<{ position: number; nextOffset: number; isProblem: boolean }> {
  let position = range.from;
  let nextOffset = range.fromOffset;
  try {
    const end = await walkBatches(handle, range, (bytes, at, batch) => {
      position = batch.position + batch.sizeBytes;
      nextOffset = lastOffset(bytes, at) + 1;
      return true;
    });
    const { problem } = end;
    return { position: end.position, nextOffset: end.nextOffset, isProblem: problem !== undefined };
  } catch {
    return { position, nextOffset, isProblem: true };
  }
}

/** Where good batches go on after the bad one at `position`; the segment's end if nowhere. */
async function resynchronise(
  handle: FileHandle,
  bad: BadBatch & {
    logBytes: number;
    endOffset: number;
    offsets: OffsetIndex | undefined;
    hasGaps: boolean;
  },
): Promise<Place> {
  const { logBytes, endOffset, offsets, hasGaps } = bad;
  const end = { position: logBytes, offset: endOffset };
  // The length may be right: then the next batch stands behind it, and continues its offsets.
  const header = await readHeader(handle, bad.position, logBytes);
  if (header !== undefined && headerProblem(header, 0) === undefined) {
    const behind = bad.position + batchBytes(header, 0);
    // Not by the batch's own offset, which may be what is wrong with it.
    const offset = bad.nextOffset + lastOffsetDelta(header, 0) + 1;
    if (behind === logBytes && (offset === endOffset || (hasGaps && offset < endOffset))) {
      return end;
    }
    const next = await readHeader(handle, behind, logBytes);
    const isNext = next !== undefined && headerProblem(next, 0) === undefined;
    if (isNext && baseOffset(next, 0) === offset) return { position: behind, offset };
    // Behind a gap the next batch says itself where it begins.
    if (isNext && hasGaps && isBetween(baseOffset(next, 0), offset, endOffset)) {
      return { position: behind, offset: baseOffset(next, 0) };
    }
  }
  let position = offsets?.positionAfter(bad.position);
  while (position !== undefined) {
    const entry = await readHeader(handle, position, logBytes);
    const isGood = entry !== undefined && headerProblem(entry, 0) === undefined;
    if (isGood && lastOffset(entry, 0) === offsets?.offsetAt(position)) {
      const offset = baseOffset(entry, 0);
      if (offset > bad.nextOffset) return { position, offset };
    }
    position = offsets?.positionAfter(position);
  }
  return end;
}

function isBetween(offset: number, from: number, to: number): boolean {
  return offset > from && offset < to;
}

interface BadBatch {
  readonly position: number;
  readonly nextOffset: number;
}

/** A batch header; undefined where there is none, or none that can be read. */
async function readHeader(
  handle: FileHandle,
  position: number,
  logBytes: number,
): Promise<Uint8Array | undefined> {
  if (position + BATCH_HEADER_BYTES > logBytes) return undefined;
  const header = new Uint8Array(BATCH_HEADER_BYTES);
  try {
    return (await handle.read(header, position)) === header.length ? header : undefined;
  } catch {
    return undefined;
  }
}
