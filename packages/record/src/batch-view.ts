/**
 * The fields of a record batch, read and stamped in place: nothing is allocated.
 *
 * `at` is the batch's position in `bytes`. The caller knows that the whole header is there; what
 * the fields of untrusted bytes mean is only known after {@link batchProblem} found nothing.
 */

import type { Crc32c } from "@strandline/model";
import {
  ATTRIBUTES_AT,
  BASE_OFFSET_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_LENGTH_AT,
  BATCH_PREFIX_BYTES,
  CHECKED_FROM,
  CONTROL_BIT,
  CRC_AT,
  DELETE_HORIZON_BIT,
  LAST_OFFSET_DELTA_AT,
  LEADER_EPOCH_AT,
  LOG_APPEND_TIME_BIT,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORD_COUNT_AT,
  TRANSACTIONAL_BIT,
} from "./batch-layout.js";
import {
  readInt8,
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from "./big-endian.js";

/** Bytes of the whole batch, as it declares. Needs 12 bytes. */
export function batchBytes(bytes: Uint8Array, at: number): number {
  return BATCH_PREFIX_BYTES + readInt32(bytes, at + BATCH_LENGTH_AT);
}

export function baseOffset(bytes: Uint8Array, at: number): number {
  return readInt64(bytes, at + BASE_OFFSET_AT);
}

/** Offset of the last record; inclusive. */
export function lastOffset(bytes: Uint8Array, at: number): number {
  return baseOffset(bytes, at) + lastOffsetDelta(bytes, at);
}

/** Offset after the last record. */
export function nextOffset(bytes: Uint8Array, at: number): number {
  return lastOffset(bytes, at) + 1;
}

/** Leader epoch of the partition when the batch was appended; -1 when nobody stamped one. */
export function leaderEpoch(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + LEADER_EPOCH_AT);
}

/** Format version. */
export function magic(bytes: Uint8Array, at: number): number {
  return readInt8(bytes, at + MAGIC_AT);
}

/** The checksum as the batch states it. Unsigned. */
export function crc(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at + CRC_AT);
}

export function attributes(bytes: Uint8Array, at: number): number {
  return readInt16(bytes, at + ATTRIBUTES_AT);
}

export function lastOffsetDelta(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + LAST_OFFSET_DELTA_AT);
}

/** What the records' timestamps are relative to. Milliseconds since 1970; -1 for none. */
export function baseTimestamp(bytes: Uint8Array, at: number): number {
  return readInt64(bytes, at + BASE_TIMESTAMP_AT);
}

/** Largest timestamp, or the time of the append. Milliseconds since 1970; -1 for none. */
export function maxTimestamp(bytes: Uint8Array, at: number): number {
  return readInt64(bytes, at + MAX_TIMESTAMP_AT);
}

/**
 * When a compaction may drop the batch's tombstones, once one has said so; undefined before.
 * Milliseconds since 1970.
 */
export function deleteHorizon(bytes: Uint8Array, at: number): number | undefined {
  if ((attributes(bytes, at) & DELETE_HORIZON_BIT) === 0) return undefined;
  return baseTimestamp(bytes, at);
}

/**
 * No record has a larger timestamp; -1 when there is none to have one. Some clients state no
 * maximum: the first record's timestamp is then the best there is.
 */
export function largestTimestamp(bytes: Uint8Array, at: number): number {
  if (recordCount(bytes, at) === 0) return -1;
  if (deleteHorizon(bytes, at) !== undefined) return maxTimestamp(bytes, at);
  return Math.max(maxTimestamp(bytes, at), baseTimestamp(bytes, at));
}

export function isControlBatch(bytes: Uint8Array, at: number): boolean {
  return (attributes(bytes, at) & CONTROL_BIT) !== 0;
}

export function isTransactionalBatch(bytes: Uint8Array, at: number): boolean {
  return (attributes(bytes, at) & TRANSACTIONAL_BIT) !== 0;
}

/** Whether a compaction has written the batch anew: its checksum is not the producer's then. */
export function isCleaned(bytes: Uint8Array, at: number): boolean {
  const isPartial = recordCount(bytes, at) !== lastOffsetDelta(bytes, at) + 1;
  return isPartial || deleteHorizon(bytes, at) !== undefined;
}

/** -1 when the producer is not idempotent. */
export function producerId(bytes: Uint8Array, at: number): number {
  return readInt64(bytes, at + PRODUCER_ID_AT);
}

export function producerEpoch(bytes: Uint8Array, at: number): number {
  return readInt16(bytes, at + PRODUCER_EPOCH_AT);
}

/** Sequence of the first record; -1 when there is none. */
export function baseSequence(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + BASE_SEQUENCE_AT);
}

export function recordCount(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + RECORD_COUNT_AT);
}

/** The checksum as it should be. The whole batch is there. */
export function computeCrc(bytes: Uint8Array, at: number, crc32c: Crc32c): number {
  return crc32c(bytes.subarray(at + CHECKED_FROM, at + batchBytes(bytes, at)));
}

/** Gives the batch its place in the log. Both fields are outside the checksum. */
export function stampBatch(
  bytes: Uint8Array,
  at: number,
  baseOffset: number,
  leaderEpoch: number,
): void {
  writeInt64(bytes, at + BASE_OFFSET_AT, baseOffset);
  writeInt32(bytes, at + LEADER_EPOCH_AT, leaderEpoch);
}

/** Makes `timestampMs` the timestamp of all records, and the checksum right again. */
export function stampLogAppendTime(
  bytes: Uint8Array,
  at: number,
  timestampMs: number,
  crc32c: Crc32c,
): void {
  writeInt16(bytes, at + ATTRIBUTES_AT, attributes(bytes, at) | LOG_APPEND_TIME_BIT);
  writeInt64(bytes, at + MAX_TIMESTAMP_AT, timestampMs);
  writeInt32(bytes, at + CRC_AT, computeCrc(bytes, at, crc32c));
}
