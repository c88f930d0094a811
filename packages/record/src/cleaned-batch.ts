/**
 * Writes a stored batch anew with some of its records, as a compaction leaves it.
 *
 * What says where the batch stands in the log stays as it is: its offsets, its leader epoch, and
 * what its producer numbered it with. So readers pass over the offsets that are gone, and the
 * producer's next batch still follows the last.
 */

import type { Crc32c } from "@strandline/model";
import { assert } from "@strandline/model";
import { type DecodeOptions, openRecords, timestampOf, wholeBatchHeader } from "./batch-decoder.js";
import type { BatchHeader } from "./batch-header.js";
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_AT,
  BATCH_PREFIX_BYTES,
  COMPRESSION_MASK,
  CRC_AT,
  DELETE_HORIZON_BIT,
  MAX_TIMESTAMP_AT,
  RECORD_COUNT_AT,
} from "./batch-layout.js";
import { attributes, computeCrc } from "./batch-view.js";
import { writeInt16, writeInt32, writeInt64 } from "./big-endian.js";
import type { CompressionName } from "./compression.js";
import type { RecordCursor } from "./record-cursor.js";
import { RecordError } from "./record-error.js";
import {
  VARINT_BYTES_MAX,
  VARLONG_BYTES_MAX,
  varlongBytes,
  writeVarint,
  writeVarlong,
} from "./varint.js";

/** Bytes that a record can grow by when its timestamp is told relative to another one. */
const GROWTH_BYTES_MAX = VARINT_BYTES_MAX + VARLONG_BYTES_MAX;

/** Records of an opened batch that are to stay: places in its unpacked bytes. */
interface KeptRecord {
  readonly startsAt: number;
  readonly offsetDeltaAt: number;
  readonly endsAt: number;
  readonly timestampMs: number;
}

export interface CleanedWriteOptions {
  readonly crc32c: Crc32c;
  /** Needed for compressed batches only. */
  readonly compress?: ((name: CompressionName, bytes: Uint8Array) => Uint8Array) | undefined;
  /** When the tombstones may go. Milliseconds since 1970; undefined: as the batch has it. */
  readonly deleteHorizonMs: number | undefined;
}

/** The records of one stored batch, to be looked at one by one and kept or not. */
export class CleanedBatch {
  readonly header: BatchHeader;
  readonly #batch: Uint8Array;
  readonly #at: number;
  readonly #kept: KeptRecord[] = [];
  readonly #isWhole: boolean;
  #records: Uint8Array;

  /**
   * Opens the whole batch at `at` and asks about each record. Throws {@link RecordError} where
   * `decodeBatch` would.
   */
  constructor(
    bytes: Uint8Array,
    at: number,
    options: DecodeOptions & {
      readonly keeps: (record: RecordCursor, offset: number) => boolean;
    },
  ) {
    const header = wholeBatchHeader(bytes, at);
    const cursor = openRecords(bytes, at, header, options);
    this.header = header;
    this.#batch = bytes;
    this.#at = at;
    this.#records = cursor.bytes;
    const lastDelta = header.lastOffset - header.baseOffset;
    let previousDelta = -1;
    for (let index = 0; index < header.recordCount; index++) {
      cursor.next();
      const { offsetDelta, startsAt, offsetDeltaAt, endsAt } = cursor;
      if (offsetDelta <= previousDelta || offsetDelta > lastDelta) {
        throw new RecordError("a record's offset is not between those around it");
      }
      previousDelta = offsetDelta;
      const timestampMs = timestampOf(header.baseTimestampMs, cursor.timestampDeltaMs);
      if (!options.keeps(cursor, header.baseOffset + offsetDelta)) continue;
      this.#kept.push({ startsAt, offsetDeltaAt, endsAt, timestampMs });
    }
    if (cursor.remainingBytes > 0) throw new RecordError("there is data after the last record");
    this.#isWhole = this.#kept.length === header.recordCount;
  }

  get keptCount(): number {
    return this.#kept.length;
  }

  /** No record has to go. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** The batch with the kept records, compressed as it was. At least one is kept. */
  write(options: CleanedWriteOptions): Uint8Array {
    assert(this.#kept.length > 0, "a batch without records is written by emptyBatch");
    const { header } = this;
    const baseTimestampMs = options.deleteHorizonMs ?? header.baseTimestampMs;
    const records = this.#joined(baseTimestampMs);
    const packed = pack(header.compression, records, options);
    const batch = new Uint8Array(BATCH_HEADER_BYTES + packed.length);
    batch.set(this.#batch.subarray(this.#at, this.#at + BATCH_HEADER_BYTES));
    batch.set(packed, BATCH_HEADER_BYTES);
    let flags = attributes(batch, 0);
    if (options.deleteHorizonMs !== undefined) flags |= DELETE_HORIZON_BIT;
    writeInt16(batch, ATTRIBUTES_AT, flags);
    writeInt64(batch, BASE_TIMESTAMP_AT, baseTimestampMs);
    if (header.timestampType === "create") {
      const largest = this.#kept.reduce((most, one) => Math.max(most, one.timestampMs), -1);
      writeInt64(batch, MAX_TIMESTAMP_AT, largest);
    }
    return finished(batch, this.#kept.length, options.crc32c);
  }

  /** The kept records one after the other, with timestamps relative to `baseTimestampMs`. */
  #joined(baseTimestampMs: number): Uint8Array {
    const isMoved = baseTimestampMs !== this.header.baseTimestampMs;
    const growthBytesMax = isMoved ? GROWTH_BYTES_MAX : 0;
    let bytesMax = 0;
    for (const { startsAt, endsAt } of this.#kept) bytesMax += endsAt - startsAt + growthBytesMax;
    const joined = new Uint8Array(bytesMax);
    let at = 0;
    for (const { startsAt, offsetDeltaAt, endsAt, timestampMs } of this.#kept) {
      let from = startsAt;
      if (isMoved) {
        const deltaMs = timestampMs - baseTimestampMs;
        const contentBytes = 1 + varlongBytes(deltaMs) + endsAt - offsetDeltaAt;
        at = writeVarint(joined, at, contentBytes);
        joined[at++] = 0;
        at = writeVarlong(joined, at, deltaMs);
        from = offsetDeltaAt;
      }
      joined.set(this.#records.subarray(from, endsAt), at);
      at += endsAt - from;
    }
    return joined.subarray(0, at);
  }
}

/** The header of the batch at `at` for no records: keeps its offsets and its producer's place. */
export function emptyBatch(bytes: Uint8Array, at: number, crc32c: Crc32c): Uint8Array {
  const batch = bytes.slice(at, at + BATCH_HEADER_BYTES);
  const flags = attributes(batch, 0) & ~(COMPRESSION_MASK | DELETE_HORIZON_BIT);
  writeInt16(batch, ATTRIBUTES_AT, flags);
  writeInt64(batch, BASE_TIMESTAMP_AT, -1);
  return finished(batch, 0, crc32c);
}

function pack(
  name: CompressionName,
  records: Uint8Array,
  { compress }: CleanedWriteOptions,
): Uint8Array {
  if (name === "none") return records;
  assert(compress !== undefined, "who opened a compressed batch can compress it");
  return compress(name, records);
}

function finished(batch: Uint8Array, recordCount: number, crc32c: Crc32c): Uint8Array {
  writeInt32(batch, BATCH_LENGTH_AT, batch.length - BATCH_PREFIX_BYTES);
  writeInt32(batch, RECORD_COUNT_AT, recordCount);
  writeInt32(batch, CRC_AT, computeCrc(batch, 0, crc32c));
  return batch;
}
