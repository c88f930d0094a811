/**
 * Reads one segment from its file: finds where to begin, by the index or where the reader left off,
 * and has the next piece read for who reads on. The file may be cut or deleted meanwhile: the log,
 * which knows, then throws the result away.
 */
import type { Clock, Crc32c, FileHandle, FileSystem } from "@strandline/platform";
import { type Hole, type IndexFiles, rebuildSegment } from "./index-files.js";
import { type ColdRequest, type ColdResult, type NextPiece, PieceReader } from "./piece-reader.js";
import type { ReadAhead } from "./read-ahead.js";
import type { ReadEnds } from "./read-ends.js";
import type { Segment, SegmentIndexes } from "./segment.js";

/** Smallest piece read ahead. */
const AHEAD_BYTES_MIN = 128 * 1024;

export interface ColdOptions {
  readonly indexIntervalBytes: number;
  /** Offsets may be left out between batches. */
  readonly hasGaps: boolean;
  readonly holes: readonly Hole[];
}

export interface ColdReaderPorts {
  readonly clock: Clock;
  readonly crc32c: Crc32c;
  readonly fileSystem: FileSystem;
}

export class ColdReader {
  readonly #ports: ColdReaderPorts;
  readonly #indexFiles: IndexFiles;
  /** Makes an empty segment like the one given, to count a file anew. */
  readonly #scratch: (baseOffset: number) => Segment;
  readonly #readAhead: ReadAhead | undefined;

  constructor(
    ports: ColdReaderPorts,
    indexFiles: IndexFiles,
    options: {
      readonly scratch: (baseOffset: number) => Segment;
      readonly readAhead: ReadAhead | undefined;
    },
  ) {
    this.#ports = ports;
    this.#indexFiles = indexFiles;
    this.#scratch = options.scratch;
    this.#readAhead = options.readAhead;
  }

  /**
   * Batches of the segment from the one that holds `fromOffset`, or the first after it. Nothing
   * is read inside of `holes`, which are what is known to be damaged.
   */
  async read(segment: Segment, request: ColdRequest, options: ColdOptions): Promise<ColdResult> {
    const logBytes = segment.writtenBytes;
    const handle = await segment.file.acquire({ create: false });
    try {
      segment.usedAtMs = this.#ports.clock.monotonicMs();
      const { offsets } = await this.indexes(segment, handle, options);
      let position = offsets.positionBefore(request.fromOffset);
      let expected = offsets.offsetAt(position);
      // Behind an index entry the offset that is due is not known; its last one is.
      let dueOffset = position === 0 ? segment.baseOffset : undefined;
      for (const hole of options.holes) {
        if (hole.toOffset > request.fromOffset) continue;
        if (hole.toPosition === undefined || hole.toPosition <= position) continue;
        position = hole.toPosition;
        expected = undefined;
        dueOffset = hole.toOffset;
      }
      const { readEnds } = segment;
      const readOn = readEnds.take(request.fromOffset);
      if (readOn !== undefined && readOn > position) {
        position = readOn;
        expected = undefined;
        dueOffset = request.fromOffset;
      }
      const { hasGaps } = options;
      const start = { segment, logBytes, request, offsets, dueOffset, hasGaps };
      const read = new PieceReader(handle, this.#ports.crc32c, start);
      const ahead = await this.#takeAhead(readEnds, request);
      const result = await read.run(position, expected, ahead);
      if (readOn !== undefined && request.lease !== undefined) {
        this.#beginAhead(segment, readEnds, read.next);
      }
      return result;
    } finally {
      segment.file.release();
    }
  }

  async #takeAhead(owner: ReadEnds, { fromOffset, lease }: ColdRequest) {
    if (lease === undefined) return undefined;
    return await this.#readAhead?.take(owner, fromOffset, lease);
  }

  /**
   * For a reader that has read on once, and so will most likely again. What goes through the
   * system's cache the system reads ahead itself.
   */
  #beginAhead(segment: Segment, owner: ReadEnds, next: NextPiece | undefined): void {
    if (next === undefined || next.length < AHEAD_BYTES_MIN || !next.isLikelyOnly) return;
    const { position, isLikelyOnly } = next;
    this.#readAhead?.begin({ owner, ...next }, async (target) => {
      // What was asked for goes to the network first.
      await this.#ports.fileSystem.afterSends?.();
      const handle = await segment.file.acquire({ create: false });
      try {
        return await handle.read(target, position, { isLikelyOnly });
      } finally {
        segment.file.release();
      }
    });
  }

  /** The segment's indexes: in memory, or from their files, or made anew. */
  async indexes(
    segment: Segment,
    handle: FileHandle,
    options: ColdOptions,
  ): Promise<SegmentIndexes> {
    if (segment.indexes !== undefined) return segment.indexes;
    const logBytes = segment.writtenBytes;
    const endOffset = segment.writtenEndOffset;
    const loaded = await this.#indexFiles.load(segment, handle, { logBytes, endOffset });
    if (loaded === undefined) return await this.rebuild(segment, handle, options);
    segment.indexes ??= loaded;
    return segment.indexes;
  }

  /** Makes a segment's indexes anew from its file, and stores them. */
  async rebuild(
    segment: Segment,
    handle: FileHandle,
    options: ColdOptions,
  ): Promise<SegmentIndexes> {
    const scratch = this.#scratch(segment.baseOffset);
    const logBytes = segment.writtenBytes;
    await rebuildSegment(scratch, handle, { ...options, logBytes });
    const indexes = scratch.indexes ?? scratch.resetIndexes();
    // In a segment that grows, entries may be missing at the end now: a lookup only walks further.
    segment.indexes = indexes;
    segment.storedOffsetEntries = 0;
    segment.storedTimeEntries = 0;
    if (!segment.isSealed) return indexes;
    scratch.seal();
    // Reads must not fail because the disk takes no writes: then it is made again next time.
    await this.#indexFiles.store(scratch, { sync: false }).catch(() => undefined);
    return indexes;
  }
}
