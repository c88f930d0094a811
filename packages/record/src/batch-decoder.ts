/**
 * The records of a batch, one at a time, and the batches of a stretch of log.
 *
 * Lazy: a record is read when it is asked for. The checksum is not checked here; see
 * `batchProblem`.
 */
import { AssertionError, type RecordProblem, type Refusal } from "@strandline/model";
import { type BatchHeader, readBatchHeader } from "./batch-header.js";
import { BATCH_HEADER_BYTES, BATCH_PREFIX_BYTES, MAGIC_V2 } from "./batch-layout.js";
import { batchBytes, magic } from "./batch-view.js";
import type { Decompress } from "./compression.js";
import { RecordCursor, type RecordHeader } from "./record-cursor.js";
import { RecordError } from "./record-error.js";

export interface DecodedRecord {
  readonly offset: number;
  /** Milliseconds since 1970; -1 for none. */
  readonly timestampMs: number;
  /** Key and value are views: of the batch, or of its unpacked records when compressed. */
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

export interface DecodeOptions {
  /** Needed for compressed batches only. */
  readonly decompress?: Decompress | undefined;
  /** Most bytes that the records of a compressed batch may unpack to. */
  readonly outputBytesMax: number;
}

/**
 * Reads the records of the batch at `at`. Throws {@link RecordError} when the bytes are malformed,
 * are no whole batch, or unpack to more than the bound.
 */
export function* decodeBatch(
  bytes: Uint8Array,
  at: number,
  options: DecodeOptions,
): Generator<DecodedRecord, void, undefined> {
  const header = wholeBatchHeader(bytes, at);
  const cursor = openRecords(bytes, at, header, options);
  const { baseOffset, baseTimestampMs, recordCount } = header;
  const appendTimeMs = header.timestampType === "append" ? header.maxTimestampMs : undefined;
  const lastDelta = header.lastOffset - baseOffset;
  let previousDelta = -1;
  for (let index = 0; index < recordCount; index++) {
    cursor.next();
    const delta = cursor.offsetDelta;
    if (delta <= previousDelta || delta > lastDelta) {
      throw new RecordError("a record's offset is not between those around it");
    }
    previousDelta = delta;
    yield {
      offset: baseOffset + delta,
      timestampMs: appendTimeMs ?? timestampOf(baseTimestampMs, cursor.timestampDeltaMs),
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers(),
    };
  }
  if (cursor.remainingBytes > 0) throw new RecordError("there is data after the last record");
}

export function wholeBatchHeader(bytes: Uint8Array, at: number): BatchHeader {
  const header = readBatchHeader(bytes, at);
  if (magic(bytes, at) !== MAGIC_V2) throw new RecordError("the batch's format is not version 2");
  if (header.sizeBytes < BATCH_HEADER_BYTES) {
    throw new RecordError(`no batch has ${header.sizeBytes} bytes`);
  }
  if (header.sizeBytes > bytes.length - at) throw new RecordError("the data ends inside a batch");
  if (header.recordCount < 0) throw new RecordError("the batch has a negative record count");
  return header;
}

export function timestampOf(baseMs: number, deltaMs: number): number {
  const timestampMs = baseMs + deltaMs;
  if (!Number.isSafeInteger(timestampMs)) throw new RecordError("a timestamp is beyond 2^53 - 1");
  return timestampMs;
}

/** A cursor before the first record of a whole batch, which is unpacked when compressed. */
export function openRecords(
  bytes: Uint8Array,
  at: number,
  header: BatchHeader,
  options: DecodeOptions,
): RecordCursor {
  const from = at + BATCH_HEADER_BYTES;
  const end = at + header.sizeBytes;
  if (header.compression === "none") return new RecordCursor(bytes, from, end);
  const { decompress, outputBytesMax } = options;
  if (decompress === undefined) {
    throw new RecordError(
      `the batch is compressed by ${header.compression}, and nothing unpacks it`,
    );
  }
  const unpacked = unpack(() =>
    decompress(header.compression, bytes.subarray(from, end), outputBytesMax),
  );
  if (unpacked.length > outputBytesMax) throw new RecordError("the batch unpacks past the bound");
  return new RecordCursor(unpacked, 0, unpacked.length);
}

/** A decompressor's failure is the batch's: callers know one error for bytes they cannot read. */
function unpack(decompress: () => Uint8Array): Uint8Array {
  try {
    return decompress();
  } catch (error) {
    if (error instanceof RecordError || error instanceof AssertionError) throw error;
    throw new RecordError("the batch could not be unpacked", { cause: error });
  }
}

/** More of them would only make the refusal larger than what a client can use of it. */
const RECORD_PROBLEMS_MAX = 1_000;
const KEY_IS_MISSING = "a record of a compacted topic has no key";

/**
 * Looks inside a client's batch, in which `producedBatchProblem` found nothing: a record that is
 * malformed or counted wrongly would stop every later reader of the partition. With `needsKeys` each
 * record without a key is named, so that a client can tell them from the others.
 */
export function producedRecordsProblem(
  bytes: Uint8Array,
  options: DecodeOptions & { readonly needsKeys?: boolean },
): Refusal | undefined {
  try {
    const header = wholeBatchHeader(bytes, 0);
    const cursor = openRecords(bytes, 0, header, options);
    const records: RecordProblem[] = [];
    for (let index = 0; index < header.recordCount; index++) {
      cursor.next();
      if (cursor.offsetDelta !== index) throw new RecordError("the offsets have gaps");
      timestampOf(header.baseTimestampMs, cursor.timestampDeltaMs);
      const isRefused = options.needsKeys === true && cursor.keyBytes < 0;
      if (isRefused && records.length < RECORD_PROBLEMS_MAX) {
        records.push({ index, message: KEY_IS_MISSING });
      }
    }
    if (cursor.remainingBytes > 0) throw new RecordError("there is data after the last record");
    if (records.length === 0) return undefined;
    return { code: "INVALID_RECORD", message: KEY_IS_MISSING, records };
  } catch (error) {
    if (error instanceof RecordError) return { code: "INVALID_RECORD", message: error.message };
    throw error;
  }
}

/**
 * The whole batches in `bytes`, which begin with one; an incomplete last one is left out. Throws
 * {@link RecordError} at a length that no batch has.
 */
export function* batchesIn(
  bytes: Uint8Array,
): Generator<{ readonly at: number; readonly sizeBytes: number }, void, undefined> {
  let at = 0;
  while (bytes.length - at >= BATCH_PREFIX_BYTES) {
    const sizeBytes = batchBytes(bytes, at);
    if (sizeBytes < BATCH_HEADER_BYTES) throw new RecordError(`no batch has ${sizeBytes} bytes`);
    if (sizeBytes > bytes.length - at) return;
    yield { at, sizeBytes };
    at += sizeBytes;
  }
}
