/**
 * Reads of a log that go to its files, made safe against what happens to the log meanwhile: a read
 * that raced with a truncation or a deletion is thrown away and begun again, or refused.
 */
import { BATCH_BYTES_LIMIT, BrokerError } from "@strandline/model";
import {
  baseOffset,
  baseTimestamp,
  batchBytes,
  compressionOf,
  decodeBatch,
  lastOffset,
  leaderEpoch,
  maxTimestamp,
  nextOffset,
} from "@strandline/record";
import { type Damage, findDamages } from "./damage.js";
import type { LogContents } from "./log-contents.js";
import { PIECE_BYTES } from "./log-options.js";
import { asError } from "./log-writer.js";
import type { Segment } from "./segment.js";

export interface ReadRequest {
  readonly fromOffset: number;
  readonly bytesMax: number;
  readonly endOffset: number;
}

/** Told of damage that a read has found. */
export type OnDamaged = (damage: Damage) => void;

export async function readLog(
  log: LogContents,
  request: ReadRequest,
  onDamaged: OnDamaged,
): Promise<Uint8Array[]> {
  let { fromOffset } = request;
  for (;;) {
    requireInside(log, fromOffset);
    const endOffset = Math.min(request.endOffset, readableEnd(log));
    const recent = log.recent.read(fromOffset, request.bytesMax, endOffset);
    if (recent !== undefined) return recent;
    const damage = log.damages.after(fromOffset);
    if (damage !== undefined && damage.fromOffset <= fromOffset) throw damagedError(damage);
    const { generation } = log;
    const segment = log.segmentAt(fromOffset);
    const end = Math.min(endOffset, damage?.fromOffset ?? endOffset);
    const found = await readSegment(log, segment, { ...request, fromOffset, endOffset: end });
    // We were suspended: what was read may have been cut, and other records put in its place.
    if (generation !== log.generation) continue;
    if (found === "damaged") {
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
): Promise<Uint8Array[] | "damaged"> {
  const { generation } = log;
  try {
    const result = await log.reader.read(segment, request, log.config.indexIntervalBytes);
    if (result.kind === "batches") return result.chunks;
    if (generation === log.generation) {
      const { path } = segment.file;
      log.ports.logger.error({ file: path, reason: result.message }, "stored records are damaged");
    }
    return "damaged";
  } catch (error) {
    // The file left the log between the look-up and the opening.
    if (generation !== log.generation) return [];
    const { path } = segment.file;
    log.ports.logger.error(
      { file: path, error: asError(error).message },
      "could not read a segment",
    );
    if (isLoss(error)) return "damaged";
    throw storageError(error);
  }
}

/** Finds out how much of a segment is damaged. The reader then meets the damage, or goes on. */
async function inspect(log: LogContents, segment: Segment, onDamaged: OnDamaged): Promise<void> {
  const { generation } = log;
  const damages = await damagesOf(log, segment);
  if (generation !== log.generation) return;
  if (damages.length === 0) {
    // It was wrong a moment ago and is right now: a disk like that is not to be argued with.
    const message = `${segment.file.path} does not read the same twice`;
    throw new BrokerError("KAFKA_STORAGE_ERROR", message);
  }
  segment.checkedFrom = 0;
  segment.checkedTo = 0;
  log.damages.replace(segment, damages);
  onDamaged(damages[0] as Damage);
}

async function damagesOf(log: LogContents, segment: Segment): Promise<Damage[]> {
  const logBytes = segment.writtenBytes;
  const endOffset = segment.writtenEndOffset;
  const whole: Damage = {
    segment,
    fromOffset: segment.baseOffset,
    toOffset: endOffset,
    fromPosition: 0,
    toPosition: logBytes,
  };
  try {
    const handle = await segment.file.acquire({ create: false });
    try {
      const offsets = segment.indexes?.offsets;
      const { crc32c } = log.ports;
      return await findDamages(segment, handle, { logBytes, endOffset, offsets, crc32c });
    } finally {
      segment.file.release();
    }
  } catch (error) {
    if (isLoss(error)) return [whole];
    throw storageError(error);
  }
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
        const largest = Math.max(maxTimestamp(chunk, at), baseTimestamp(chunk, at));
        const found = largest < timestampMs ? undefined : firstInBatch(log, chunk, at, timestampMs);
        if (found !== undefined) return found;
        fromOffset = nextOffset(chunk, at);
      }
    }
  }
  return undefined;
}

/** An offset before which no record is as late as `timestampMs`. */
async function timestampStart(log: LogContents, timestampMs: number): Promise<number> {
  const segment = log.segments.find((one) => one.maxTimestampMs >= timestampMs);
  if (segment === undefined) return log.logEndOffset;
  if (segment.indexes !== undefined) return segment.indexes.times.offsetBefore(timestampMs);
  try {
    const handle = await segment.file.acquire({ create: false });
    try {
      const interval = log.config.indexIntervalBytes;
      const { times } = await log.reader.indexes(segment, handle, interval);
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
