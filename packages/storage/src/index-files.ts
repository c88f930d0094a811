/**
 * The index files of segments: read, judged, rebuilt and written. Never trusted over the log.
 *
 * An index is right when its entries grow, lie inside the log, and its last entry names a batch
 * that is there. Readers check each entry they use in the same way.
 */
import type { FileHandle, FileSystem } from "@strandline/platform";
import { BATCH_HEADER_BYTES, batchBytes, largestTimestamp, lastOffset } from "@strandline/record";
import { headerProblem, type WalkEnd, walkBatches } from "./batch-walk.js";
import { OFFSET_ENTRY_BYTES, OffsetIndex } from "./offset-index.js";
import type { Segment, SegmentIndexes } from "./segment.js";
import { indexName, timeIndexName } from "./segment-name.js";
import { TIME_ENTRY_BYTES, TimeIndex } from "./time-index.js";

export class IndexFiles {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;

  constructor(fileSystem: FileSystem, directory: string) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
  }

  /**
   * The stored indexes of the segment's first `logBytes`, whose records end at `endOffset`.
   * Undefined when they are missing or do not fit the log, which `handle` reads.
   */
  async load(
    segment: Segment,
    handle: FileHandle,
    end: { readonly logBytes: number; readonly endOffset: number },
  ): Promise<SegmentIndexes | undefined> {
    const { baseOffset } = segment;
    // An index has no more entries than the log has batches; a file beyond that is not one.
    const entriesMax = Math.ceil(end.logBytes / BATCH_HEADER_BYTES) + 1;
    const [offsetBytes, timeBytes] = await Promise.all([
      this.#contents(indexName(baseOffset), entriesMax * OFFSET_ENTRY_BYTES),
      this.#contents(timeIndexName(baseOffset), entriesMax * TIME_ENTRY_BYTES),
    ]);
    if (offsetBytes === undefined || timeBytes === undefined) return undefined;
    const offsets = OffsetIndex.decode(baseOffset, offsetBytes, end.logBytes);
    const times = TimeIndex.decode(baseOffset, timeBytes, end.endOffset);
    if (offsets === undefined || times === undefined) return undefined;
    if (!(await isEntryRight(offsets, handle))) return undefined;
    segment.storedOffsetEntries = offsets.entryCount;
    segment.storedTimeEntries = times.entryCount;
    return { offsets, times };
  }

  /**
   * Writes what the files do not hold yet. With `sync` it is durable when this resolves, and the
   * files are there even when they are empty.
   */
  async store(segment: Segment, options: { readonly sync: boolean }): Promise<void> {
    const { indexes, baseOffset } = segment;
    if (indexes === undefined) return;
    const { offsets, times } = indexes;
    const offsetEntries = offsets.entryCount;
    const timeEntries = times.entryCount;
    const isStored =
      offsetEntries === segment.storedOffsetEntries && timeEntries === segment.storedTimeEntries;
    if (isStored && !options.sync) return;
    await this.#write(indexName(baseOffset), {
      bytes: offsets.encode(segment.storedOffsetEntries),
      position: segment.storedOffsetEntries * OFFSET_ENTRY_BYTES,
      sync: options.sync,
    });
    await this.#write(timeIndexName(baseOffset), {
      bytes: times.encode(segment.storedTimeEntries),
      position: segment.storedTimeEntries * TIME_ENTRY_BYTES,
      sync: options.sync,
    });
    segment.storedOffsetEntries = offsetEntries;
    segment.storedTimeEntries = timeEntries;
  }

  async remove(baseOffset: number): Promise<void> {
    await this.#fileSystem.remove(`${this.#directory}/${indexName(baseOffset)}`);
    await this.#fileSystem.remove(`${this.#directory}/${timeIndexName(baseOffset)}`);
  }

  async #contents(name: string, bytesMax: number): Promise<Uint8Array | undefined> {
    const path = `${this.#directory}/${name}`;
    if (!(await this.#fileSystem.exists(path))) return undefined;
    const handle = await this.#fileSystem.open(path, { create: false });
    try {
      const sizeBytes = await handle.sizeBytes();
      if (sizeBytes > bytesMax) return undefined;
      const bytes = new Uint8Array(sizeBytes);
      const count = await handle.read(bytes, 0);
      return count === bytes.length ? bytes : undefined;
    } finally {
      await handle.close();
    }
  }

  async #write(
    name: string,
    part: { readonly bytes: Uint8Array; readonly position: number; readonly sync: boolean },
  ): Promise<void> {
    const handle = await this.#fileSystem.open(`${this.#directory}/${name}`, { create: true });
    try {
      const sizeBytes = part.position + part.bytes.length;
      // A leftover of an earlier index must not follow the entries of this one.
      if ((await handle.sizeBytes()) > part.position) await handle.truncate(part.position);
      if (part.bytes.length > 0) await handle.write([part.bytes], part.position);
      if (part.sync && sizeBytes > 0) await handle.dataSync();
    } finally {
      await handle.close();
    }
  }
}

/** The last entry names a batch of the log. */
async function isEntryRight(offsets: OffsetIndex, handle: FileHandle): Promise<boolean> {
  if (offsets.entryCount === 0) return true;
  const header = new Uint8Array(BATCH_HEADER_BYTES);
  const count = await handle.read(header, offsets.lastPosition);
  if (count < BATCH_HEADER_BYTES || headerProblem(header, 0) !== undefined) return false;
  return lastOffset(header, 0) === offsets.lastOffset;
}

/** Counts the batch at `at`, which stands at the segment's end. */
export function noteBatch(
  segment: Segment,
  bytes: Uint8Array,
  at: number,
  indexIntervalBytes: number,
): void {
  const maxTimestampMs = largestTimestamp(bytes, at);
  segment.note(batchBytes(bytes, at), lastOffset(bytes, at), maxTimestampMs, indexIntervalBytes);
}

/** A stretch of a file to be passed over. */
export interface Hole {
  readonly fromPosition: number;
  readonly toPosition: number | undefined;
  /** Where the offsets go on behind it. */
  readonly toOffset: number;
}

/**
 * Makes the indexes of the segment's first `logBytes` anew from the log. Counts the segment from
 * zero, so that afterwards its size and end are what was found; the rest is the caller's.
 */
export async function rebuildSegment(
  segment: Segment,
  handle: FileHandle,
  options: {
    readonly logBytes: number;
    readonly indexIntervalBytes: number;
    readonly holes?: readonly Hole[] | undefined;
  },
): Promise<WalkEnd> {
  segment.resetIndexes();
  segment.sizeBytes = 0;
  segment.nextOffset = segment.baseOffset;
  segment.maxTimestampMs = -1;
  segment.maxTimestampOffset = -1;
  let fromOffset = segment.baseOffset;
  for (const hole of options.holes ?? []) {
    if (hole.fromPosition > segment.sizeBytes) {
      await countTo(segment, handle, { ...options, fromOffset, to: hole.fromPosition });
    }
    segment.sizeBytes = hole.toPosition ?? options.logBytes;
    fromOffset = hole.toOffset;
    segment.nextOffset = hole.toOffset;
  }
  return await countTo(segment, handle, { ...options, fromOffset, to: options.logBytes });
}

/** Counts the batches from the segment's size on. */
async function countTo(
  segment: Segment,
  handle: FileHandle,
  options: {
    readonly fromOffset: number;
    readonly to: number;
    readonly indexIntervalBytes: number;
  },
): Promise<WalkEnd> {
  const { fromOffset, to } = options;
  const range = { from: segment.sizeBytes, to, fromOffset };
  return await walkBatches(handle, range, (bytes, at) => {
    noteBatch(segment, bytes, at, options.indexIntervalBytes);
    return true;
  });
}
