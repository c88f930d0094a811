/**
 * Reads of a log that go to its files, made safe against what happens to the log meanwhile: a read
 * that raced with a truncation or a deletion is thrown away and begun again, or refused.
 */
import { BATCH_BYTES_LIMIT, BrokerError } from "@strandline/model";
import type { Lease } from "@strandline/platform";
import {
  baseOffset,
  batchBytes,
  compressionOf,
  decodeBatch,
  largestTimestamp,
  lastOffset,
  leaderEpoch,
  maxTimestamp,
  nextOffset,
} from "@strandline/record";
import { CheckedStretches } from "./checked-stretches.js";
import { type Damage, findDamages } from "./damage.js";
import type { LogContents } from "./log-contents.js";
import { PIECE_BYTES } from "./log-options.js";
import { asError } from "./log-writer.js";
import type { Segment } from "./segment.js";

export interface ReadRequest {
  readonly fromOffset: number;
  readonly bytesMax: number;
  readonly endOffset: number;
  /** Holds what is read, and has the memory for it. */
  readonly lease?: Lease | undefined;
}

/** Told of damage that a read has found. */
export type OnDamaged = (damage: Damage) => void;

/** One suspicion may be a damage, and another its index: then it must be clear. */
const SUSPICIONS_MAX = 2;

export async function readLog(
  log: LogContents,
  request: ReadRequest,
  onDamaged: OnDamaged,
): Promise<Uint8Array[]> {
  let { fromOffset } = request;
  let suspicions = 0;
  for (;;) {
    requireInside(log, fromOffset);
    const endOffset = Math.min(request.endOffset, readableEnd(log));
    const recent = log.recent.read(fromOffset, request.bytesMax, endOffset, request.lease);
    if (recent !== undefined) return recent;
    const damage = log.damages.after(fromOffset);
    if (damage !== undefined && damage.fromOffset <= fromOffset) throw damagedError(damage);
    const { generation } = log;
    const segment = log.segmentAt(fromOffset);
    const end = Math.min(endOffset, damage?.fromOffset ?? endOffset);
    const found = await readSegment(log, segment, { ...request, fromOffset, endOffset: end });
    // We were suspended: what was read may have been cut, and other records put in its place.
    if (generation !== log.generation) continue;
    if (found === "suspect") {
      suspicions += 1;
      if (suspicions > SUSPICIONS_MAX) throw unstableError(segment);
      await inspect(log, segment, onDamaged);
      continue;
    }
    if (found.length > 0 || segment.nextOffset >= end) return found;
    // The rest of the segment is a gap in the offsets; the next batch is in the next one.
    fromOffset = segment.nextOffset;
  }
}

/** Where reads end: once the disk has failed, what never became durable is not shown. */
export function readableEnd(log: LogContents): number {
  return log.writer.failure === undefined ? log.logEndOffset : log.writer.durableEndOffset;
}

function requireInside(log: LogContents, offset: number): void {
  if (log.isClosed) throw new BrokerError("KAFKA_STORAGE_ERROR", "the log is closed");
  if (offset >= log.logStartOffset && offset <= log.logEndOffset) return;
  const message = `offset ${offset} is not in [${log.logStartOffset}, ${log.logEndOffset}]`;
  throw new BrokerError("OFFSET_OUT_OF_RANGE", message);
}

async function readSegment(
  log: LogContents,
  segment: Segment,
  request: ReadRequest,
): Promise<Uint8Array[] | "suspect"> {
  const { generation } = log;
  const { path } = segment.file;
  try {
    const result = await log.reader.read(segment, request, log.coldOptions(segment));
    if (result.kind === "batches") return result.chunks;
    if (generation === log.generation) {
      log.ports.logger.error({ file: path, reason: result.message }, "a segment reads wrongly");
    }
    return "suspect";
  } catch (error) {
    // The file left the log between the look-up and the opening.
    if (generation !== log.generation) return [];
    log.ports.logger.error(
      { file: path, error: asError(error).message },
      "could not read a segment",
    );
    if (isLoss(error)) return "suspect";
    throw storageError(error);
  }
}

/** Finds out what of a segment is damaged; if nothing is, its index was wrong, and is made anew. */
async function inspect(log: LogContents, segment: Segment, onDamaged: OnDamaged): Promise<void> {
  const { generation } = log;
  try {
    const handle = await segment.file.acquire({ create: false });
    try {
      const logBytes = segment.writtenBytes;
      const end = { logBytes, endOffset: segment.writtenEndOffset };
      const indexes = segment.indexes ?? (await log.indexFiles.load(segment, handle, end));
      const { hasGaps } = log.coldOptions(segment);
      const options = { ...end, offsets: indexes?.offsets, crc32c: log.ports.crc32c, hasGaps };
      const damages = await findDamages(segment, handle, options);
      if (generation !== log.generation) return;
      note(log, segment, damages, onDamaged);
      if (damages.length === 0) {
        await log.reader.rebuild(segment, handle, log.coldOptions(segment));
      }
    } finally {
      segment.file.release();
    }
  } catch (error) {
    if (generation !== log.generation) return;
    if (!isLoss(error)) throw storageError(error);
    note(log, segment, [wholeSegment(segment)], onDamaged);
  }
}

function note(
  log: LogContents,
  segment: Segment,
  damages: readonly Damage[],
  onDamaged: OnDamaged,
): void {
  const known = log.damages.of(segment);
  // Records that never had a place in this file cannot be found missing in it.
  const lost = known.filter((damage) => damage.toPosition === undefined);
  segment.checked = new CheckedStretches();
  log.damages.replace(segment, [...damages, ...lost]);
  for (const damage of damages) {
    if (!known.some((one) => one.fromOffset === damage.fromOffset)) onDamaged(damage);
  }
}

function wholeSegment(segment: Segment): Damage {
  return {
    segment,
    fromOffset: segment.baseOffset,
    toOffset: segment.writtenEndOffset,
    fromPosition: 0,
    toPosition: segment.writtenBytes,
  };
}

function unstableError(segment: Segment): BrokerError {
  const message = `${segment.file.path} does not read the same twice`;
  return new BrokerError("KAFKA_STORAGE_ERROR", message);
}

/** The file or the disk below it is gone. Anything else (say, too many open files) may pass. */
function isLoss(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "EIO";
}

function storageError(error: unknown): BrokerError {
  const cause = asError(error);
  return new BrokerError("KAFKA_STORAGE_ERROR", `could not read: ${cause.message}`, { cause });
}

function damagedError(damage: Damage): BrokerError {
  const { fromOffset, toOffset } = damage;
  const message = `offsets [${fromOffset}, ${toOffset}) are damaged on this replica`;
  return new BrokerError("KAFKA_STORAGE_ERROR", message);
}

export interface TimestampAnswer {
  readonly offset: number;
  readonly timestampMs: number;
  readonly leaderEpoch: number;
}

/** The first record below `endOffset` with this timestamp or a later one. */
export async function findTimestamp(
  log: LogContents,
  timestampMs: number,
  endOffset: number,
  onDamaged: OnDamaged,
): Promise<TimestampAnswer | undefined> {
  let fromOffset = Math.max(log.logStartOffset, await timestampStart(log, timestampMs));
  while (fromOffset < endOffset) {
    fromOffset = Math.max(fromOffset, log.logStartOffset);
    const request = { fromOffset, bytesMax: PIECE_BYTES, endOffset };
    const chunks = await readLog(log, request, onDamaged);
    if (chunks.length === 0) return undefined;
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += batchBytes(chunk, at)) {
        const largest = largestTimestamp(chunk, at);
        const found = largest < timestampMs ? undefined : firstInBatch(log, chunk, at, timestampMs);
        if (found !== undefined) return found;
        fromOffset = nextOffset(chunk, at);
      }
    }
  }
  return undefined;
}

/**
 * The first record below `endOffset` with the largest timestamp of all those. What is not below it
 * yet counts in a segment's largest timestamp too; only then the last segment is walked.
 */
export async function findMaxTimestamp(
  log: LogContents,
  endOffset: number,
  onDamaged: OnDamaged,
): Promise<TimestampAnswer | undefined> {
  const readable = Math.min(endOffset, readableEnd(log));
  let largest = -1;
  for (const segment of log.segments) {
    if (segment.baseOffset >= readable) break;
    largest = Math.max(largest, segment.maxTimestampMs);
  }
  const found = await findTimestamp(log, largest, readable, onDamaged);
  if (found !== undefined) return found;
  const committed = await largestTimestampBelow(log, readable, onDamaged);
  return committed < 0 ? undefined : await findTimestamp(log, committed, readable, onDamaged);
}

/** Over the batches below `endOffset`, by their headers; -1 for none. */
async function largestTimestampBelow(
  log: LogContents,
  endOffset: number,
  onDamaged: OnDamaged,
): Promise<number> {
  const last = log.segments.findLast(({ baseOffset }) => baseOffset < endOffset);
  let largest = -1;
  for (const segment of log.segments) {
    if (segment === last) break;
    largest = Math.max(largest, segment.maxTimestampMs);
  }
  let fromOffset = Math.max(log.logStartOffset, last?.baseOffset ?? endOffset);
  while (fromOffset < endOffset) {
    fromOffset = Math.max(fromOffset, log.logStartOffset);
    const request = { fromOffset, bytesMax: PIECE_BYTES, endOffset };
    const chunks = await readLog(log, request, onDamaged);
    if (chunks.length === 0) return largest;
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += batchBytes(chunk, at)) {
        largest = Math.max(largest, largestTimestamp(chunk, at));
        fromOffset = nextOffset(chunk, at);
      }
    }
  }
  return largest;
}

/** An offset before which no record is as late as `timestampMs`. */
async function timestampStart(log: LogContents, timestampMs: number): Promise<number> {
  const segment = log.segments.find((one) => one.maxTimestampMs >= timestampMs);
  if (segment === undefined) return log.logEndOffset;
  if (segment.indexes !== undefined) return segment.indexes.times.offsetBefore(timestampMs);
  try {
    const handle = await segment.file.acquire({ create: false });
    try {
      const { times } = await log.reader.indexes(segment, handle, log.coldOptions(segment));
      return times.offsetBefore(timestampMs);
    } finally {
      segment.file.release();
    }
  } catch {
    // An index only saves steps. If the segment itself cannot be read, the read will tell.
    return segment.baseOffset;
  }
}

function firstInBatch(
  log: LogContents,
  chunk: Uint8Array,
  at: number,
  timestampMs: number,
): TimestampAnswer | undefined {
  const epoch = leaderEpoch(chunk, at);
  const { compressors } = log.ports;
  const decompress = compressors === undefined ? undefined : compressionOf(compressors).decompress;
  try {
    const options = { decompress, outputBytesMax: BATCH_BYTES_LIMIT };
    for (const record of decodeBatch(chunk, at, options)) {
      if (record.timestampMs < timestampMs) continue;
      if (record.offset < log.logStartOffset) continue;
      return { offset: record.offset, timestampMs: record.timestampMs, leaderEpoch: epoch };
    }
    return undefined;
  } catch {
    // A batch that cannot be opened here: its first offset is never too late.
    const offset = Math.max(baseOffset(chunk, at), log.logStartOffset);
    if (offset > lastOffset(chunk, at)) return undefined;
    return { offset, timestampMs: maxTimestamp(chunk, at), leaderEpoch: epoch };
  }
}
