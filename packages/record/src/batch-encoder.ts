/**
 * Builds record batches: the producer's hot path. Records are written straight into one growing
 * buffer that begins with room for the header; nothing is allocated per record.
 */

import type { Crc32c } from "@strandline/model";
import { assert } from "@strandline/model";
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_AT,
  BATCH_PREFIX_BYTES,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  MAGIC_AT,
  MAGIC_V2,
  MAX_TIMESTAMP_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORD_COUNT_AT,
  TRANSACTIONAL_BIT,
} from "./batch-layout.js";
import { computeCrc, stampBatch } from "./batch-view.js";
import { writeInt16, writeInt32, writeInt64 } from "./big-endian.js";
import { type BatchCompressor, compressionId } from "./compression.js";
import type { RecordHeader } from "./record-cursor.js";
import { utf8Bytes, writeUtf8 } from "./utf8.js";
import {
  VARINT_BYTES_MAX,
  VARLONG_BYTES_MAX,
  varintBytes,
  varlongBytes,
  writeVarint,
  writeVarlong,
} from "./varint.js";

export interface RecordInput {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Milliseconds since 1970, an integer up to 2^53 - 2; -1 for none. The caller sees to that. */
  readonly timestampMs: number;
  readonly headers?: readonly RecordHeader[] | undefined;
}

export interface FinishOptions {
  readonly crc32c: Crc32c;
  /** The three producer fields are -1, none, unless given. */
  readonly producerId?: number | undefined;
  readonly producerEpoch?: number | undefined;
  readonly baseSequence?: number | undefined;
  /** Left out when it would not make the batch smaller. */
  readonly compression?: BatchCompressor | undefined;
  readonly isTransactional?: boolean | undefined;
}

const INITIAL_BYTES_DEFAULT = 16 * 1024;

/** Below this many bytes a loop beats the call of `set`. */
const LOOP_COPY_BYTES_MAX = 32;

/** Bytes of a record besides its key, value and headers, at most. */
const RECORD_OVERHEAD_BYTES_MAX = 1 + VARLONG_BYTES_MAX + 5 * VARINT_BYTES_MAX;

const EMPTY = new Uint8Array(0);

export class BatchEncoder {
  readonly #initialBytes: number;
  /** Length 0 while the last batch's owner has it. */
  #buffer = EMPTY;
  /** What the next buffer begins with: batches are mostly as large as the one before. */
  #startBytes: number;
  #position = BATCH_HEADER_BYTES;
  #recordCount = 0;
  #baseTimestampMs = -1;
  #maxTimestampMs = -1;
  #isFinished = false;

  constructor(options: { readonly initialBytes?: number } = {}) {
    this.#initialBytes = options.initialBytes ?? INITIAL_BYTES_DEFAULT;
    this.#startBytes = this.#initialBytes;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Bytes of the batch as it stands, with its header, before compression. */
  get sizeBytes(): number {
    return this.#position;
  }

  /** Most bytes that a batch grows by when `record` is added. */
  static recordBytesMax(record: RecordInput): number {
    let bytes = RECORD_OVERHEAD_BYTES_MAX;
    bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
    if (record.headers === undefined) return bytes;
    for (const header of record.headers) {
      bytes += 2 * VARINT_BYTES_MAX + 3 * header.key.length + (header.value?.length ?? 0);
    }
    return bytes;
  }

  /** Adds a record; its bytes are copied. */
  append(record: RecordInput): void {
    const { key, value, timestampMs, headers } = record;
    assert(!this.#isFinished, "a finished encoder is reset before it takes records");
    assert(isTimestamp(timestampMs), "a record's timestamp is an integer from -1 to 2^53 - 2");
    if (this.#recordCount === 0) this.#baseTimestampMs = timestampMs;
    if (timestampMs > this.#maxTimestampMs) this.#maxTimestampMs = timestampMs;
    const timestampDelta = timestampMs - this.#baseTimestampMs;
    const contentBytes =
      1 +
      varlongBytes(timestampDelta) +
      varintBytes(this.#recordCount) +
      fieldBytes(key) +
      fieldBytes(value) +
      headersBytes(headers);
    this.#reserve(VARINT_BYTES_MAX + contentBytes);
    const buffer = this.#buffer;
    let at = writeVarint(buffer, this.#position, contentBytes);
    buffer[at++] = 0;
    at = writeVarlong(buffer, at, timestampDelta);
    at = writeVarint(buffer, at, this.#recordCount);
    at = writeField(buffer, at, key);
    at = writeField(buffer, at, value);
    this.#position = writeHeaders(buffer, at, headers);
    this.#recordCount++;
  }

  /**
   * Ends the batch and returns it, owned by the caller: base offset 0, leader epoch -1, to be
   * stamped by the broker. At least one record was added. `reset` comes before the next record.
   */
  finish(options: FinishOptions): Uint8Array {
    assert(!this.#isFinished, "a batch is finished once");
    assert(this.#recordCount > 0, "a batch holds at least one record");
    assert(this.#position <= 0x7fff_ffff, "a batch's length fits an int32");
    this.#isFinished = true;
    const compressor = options.compression;
    let attributes = options.isTransactional === true ? TRANSACTIONAL_BIT : 0;
    let batch: Uint8Array | undefined;
    if (compressor !== undefined) {
      batch = this.#compressed(compressor);
      if (batch !== undefined) attributes |= compressionId(compressor.name);
    }
    batch ??= this.#uncompressed();
    this.#writeHeader(batch, attributes, options);
    return batch;
  }

  /** Forgets the records, finished or not, and begins the next batch. */
  reset(): void {
    this.#position = BATCH_HEADER_BYTES;
    this.#recordCount = 0;
    this.#baseTimestampMs = -1;
    this.#maxTimestampMs = -1;
    this.#isFinished = false;
  }

  /** Makes room for `bytes` more. */
  #reserve(bytes: number): void {
    const needed = this.#position + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#buffer.length, this.#startBytes));
    grown.set(this.#buffer.subarray(0, this.#position));
    this.#buffer = grown;
  }

  /** The batch with packed records, header still blank; undefined when that saves nothing. */
  #compressed(compressor: BatchCompressor): Uint8Array | undefined {
    const records = this.#buffer.subarray(BATCH_HEADER_BYTES, this.#position);
    const packed = compressor.compress(records);
    if (packed.length >= records.length) return undefined;
    const batch = new Uint8Array(BATCH_HEADER_BYTES + packed.length);
    batch.set(packed, BATCH_HEADER_BYTES);
    return batch;
  }

  /** The batch with its records as they are, header still blank. */
  #uncompressed(): Uint8Array {
    const buffer = this.#buffer;
    if (this.#position >= buffer.length / 2) {
      this.#startBytes = buffer.length;
      this.#buffer = EMPTY;
      return buffer.subarray(0, this.#position);
    }
    // A half-empty buffer is copied from and kept, rather than held in memory by its batch;
    // one that an earlier, larger batch left behind is let go.
    const batch = buffer.slice(0, this.#position);
    if (buffer.length > this.#initialBytes) {
      this.#startBytes = this.#initialBytes;
      this.#buffer = EMPTY;
    }
    return batch;
  }

  #writeHeader(batch: Uint8Array, attributes: number, options: FinishOptions): void {
    stampBatch(batch, 0, 0, -1);
    writeInt32(batch, BATCH_LENGTH_AT, batch.length - BATCH_PREFIX_BYTES);
    batch[MAGIC_AT] = MAGIC_V2;
    writeInt16(batch, ATTRIBUTES_AT, attributes);
    writeInt32(batch, LAST_OFFSET_DELTA_AT, this.#recordCount - 1);
    writeInt64(batch, BASE_TIMESTAMP_AT, this.#baseTimestampMs);
    writeInt64(batch, MAX_TIMESTAMP_AT, this.#maxTimestampMs);
    writeInt64(batch, PRODUCER_ID_AT, options.producerId ?? -1);
    writeInt16(batch, PRODUCER_EPOCH_AT, options.producerEpoch ?? -1);
    writeInt32(batch, BASE_SEQUENCE_AT, options.baseSequence ?? -1);
    writeInt32(batch, RECORD_COUNT_AT, this.#recordCount);
    writeInt32(batch, CRC_AT, computeCrc(batch, 0, options.crc32c));
  }
}

/** The bound is such that the difference of any two is a safe integer. */
function isTimestamp(value: number): boolean {
  return Number.isSafeInteger(value) && value >= -1 && value < Number.MAX_SAFE_INTEGER;
}

function fieldBytes(field: Uint8Array | null): number {
  return field === null ? 1 : varintBytes(field.length) + field.length;
}

function headersBytes(headers: readonly RecordHeader[] | undefined): number {
  if (headers === undefined) return 1;
  let bytes = varintBytes(headers.length);
  for (const header of headers) {
    const keyBytes = utf8Bytes(header.key);
    bytes += varintBytes(keyBytes) + keyBytes + fieldBytes(header.value);
  }
  return bytes;
}

function writeField(target: Uint8Array, at: number, field: Uint8Array | null): number {
  if (field === null) return writeVarint(target, at, -1);
  at = writeVarint(target, at, field.length);
  if (field.length > LOOP_COPY_BYTES_MAX) {
    target.set(field, at);
  } else {
    for (let index = 0; index < field.length; index++) target[at + index] = field[index] as number;
  }
  return at + field.length;
}

function writeHeaders(
  target: Uint8Array,
  at: number,
  headers: readonly RecordHeader[] | undefined,
): number {
  if (headers === undefined) return writeVarint(target, at, 0);
  at = writeVarint(target, at, headers.length);
  for (const header of headers) {
    at = writeVarint(target, at, utf8Bytes(header.key));
    at = writeUtf8(target, at, header.key);
    at = writeField(target, at, header.value);
  }
  return at;
}
