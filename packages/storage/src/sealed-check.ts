/** Looks at a segment that should be whole, cheaply; only what looks wrong is read. */
import type { Crc32c, FileSystem } from "@strandline/platform";
import { BATCH_HEADER_BYTES, baseOffset } from "@strandline/record";
import { headerProblem } from "./batch-walk.js";
import { type Damage, findDamages } from "./damage.js";
import { type IndexFiles, rebuildSegment } from "./index-files.js";
import type { Segment, SegmentFacts } from "./segment.js";

export interface SealedCheckOptions {
  readonly fileSystem: FileSystem;
  readonly crc32c: Crc32c;
  readonly indexFiles: IndexFiles;
  readonly indexIntervalBytes: number;
  readonly hasGaps: boolean;
  /** What is remembered of the segment; undefined when nothing is. */
  readonly facts: SegmentFacts | undefined;
  readonly wallMs: number;
}

/**
 * Takes over what is remembered of a segment, and compares the file's size and first header with
 * it. Returns the damages; a full verification is left to the first reads.
 */
export async function checkSealedSegment(
  segment: Segment,
  options: SealedCheckOptions,
): Promise<Damage[]> {
  const { fileSystem, facts } = options;
  if (facts !== undefined) segment.restore(facts);
  if (!(await fileSystem.exists(segment.file.path))) {
    segment.isSealed = true;
    return [missing(segment)];
  }
  segment.isCreated = true;
  const handle = await segment.file.acquire({ create: false });
  try {
    const sizeBytes = await handle.sizeBytes();
    if (facts === undefined) {
      // Only the file can tell what it holds. Its age starts again, so that it stays long enough.
      const end = await rebuildSegment(segment, handle, { ...options, logBytes: sizeBytes });
      segment.setEnd(segment.sizeBytes, end.nextOffset);
      segment.firstAppendMs = options.wallMs;
      segment.lastAppendMs = options.wallMs;
      segment.seal();
      return [];
    }
    const header = new Uint8Array(BATCH_HEADER_BYTES);
    const count = await handle.read(header, 0);
    const isGood =
      sizeBytes >= facts.sizeBytes &&
      count === header.length &&
      headerProblem(header, 0) === undefined &&
      baseOffset(header, 0) >= segment.baseOffset &&
      baseOffset(header, 0) < segment.nextOffset;
    if (isGood) return [];
    const logBytes = facts.sizeBytes;
    const endOffset = facts.nextOffset;
    const indexes = await options.indexFiles.load(segment, handle, { logBytes, endOffset });
    const offsets = indexes?.offsets;
    return await findDamages(segment, handle, { ...options, logBytes, endOffset, offsets });
  } finally {
    segment.file.release();
    segment.file.closeIdle();
  }
}

function missing(segment: Segment): Damage {
  return {
    segment,
    fromOffset: segment.baseOffset,
    toOffset: segment.nextOffset,
    fromPosition: 0,
    toPosition: segment.sizeBytes,
  };
}

/** Makes `segment` stand for records of which nothing is left, up to `toOffset`. */
export function gapSegment(segment: Segment, toOffset: number): Damage {
  segment.nextOffset = toOffset;
  segment.writtenEndOffset = toOffset;
  segment.isSealed = true;
  return {
    segment,
    fromOffset: segment.baseOffset,
    toOffset,
    fromPosition: 0,
    toPosition: undefined,
  };
}
