/**
 * Whether bytes are a record batch that a log may hold.
 *
 * Structure and checksum only; the records inside are not looked at. What
 * {@link producedBatchProblem} lets in, {@link batchProblem} must let pass for ever after: a
 * follower that refused what its leader accepted could never catch up.
 */

import type { Crc32c } from "@strandline/model";
import { BATCH_BYTES_LIMIT, type Refusal } from "@strandline/model";
import {
  BATCH_HEADER_BYTES,
  BATCH_PREFIX_BYTES,
  COMPRESSION_MASK,
  CONTROL_BIT,
  DELETE_HORIZON_BIT,
  LOG_APPEND_TIME_BIT,
  MAGIC_AT,
  MAGIC_V2,
  TRANSACTIONAL_BIT,
} from "./batch-layout.js";
import {
  attributes,
  baseOffset,
  baseSequence,
  baseTimestamp,
  batchBytes,
  computeCrc,
  crc,
  lastOffset,
  lastOffsetDelta,
  leaderEpoch,
  magic,
  maxTimestamp,
  producerEpoch,
  producerId,
  recordCount,
} from "./batch-view.js";
import { compressionName } from "./compression.js";

export interface BatchProblem {
  /**
   * incomplete: the bytes end before the batch does. corrupt: these are not the bytes that were
   * written. invalid: they are, by the checksum, but they contradict the format.
   */
  readonly kind: "incomplete" | "corrupt" | "invalid";
  readonly message: string;
}

/** Checks the stored or replicated batch at `at`, of which bytes up to `end` are at hand. */
export function batchProblem(
  bytes: Uint8Array,
  at: number,
  end: number,
  crc32c: Crc32c,
): BatchProblem | undefined {
  const available = Math.min(end, bytes.length) - at;
  if (available < BATCH_PREFIX_BYTES) {
    return { kind: "incomplete", message: "the data ends before the batch's length" };
  }
  const sizeBytes = batchBytes(bytes, at);
  // A length that no batch can have would otherwise be waited for, or stepped by, for ever.
  if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > BATCH_BYTES_LIMIT) {
    return { kind: "corrupt", message: `no batch has ${sizeBytes} bytes` };
  }
  if (available > MAGIC_AT && magic(bytes, at) !== MAGIC_V2) {
    return { kind: "corrupt", message: `format version ${magic(bytes, at)} is not in use` };
  }
  if (sizeBytes > available) {
    return { kind: "incomplete", message: `the batch has ${sizeBytes} bytes, not ${available}` };
  }
  if (computeCrc(bytes, at, crc32c) !== crc(bytes, at)) {
    return { kind: "corrupt", message: "the checksum does not match" };
  }
  // These two are outside the checksum, so a wrong value is damage like any other.
  if (!isBetween(baseOffset(bytes, at), 0, Number.MAX_SAFE_INTEGER)) {
    return { kind: "corrupt", message: "the base offset is out of range" };
  }
  if (leaderEpoch(bytes, at) < -1) {
    return { kind: "corrupt", message: "the leader epoch is out of range" };
  }
  const message = fieldsProblem(bytes, at);
  return message === undefined ? undefined : { kind: "invalid", message };
}

/** What is wrong with the fields under the checksum, for any batch. */
function fieldsProblem(bytes: Uint8Array, at: number): string | undefined {
  const lastDelta = lastOffsetDelta(bytes, at);
  if (compressionName(attributes(bytes, at) & COMPRESSION_MASK) === undefined) {
    return "the compression is unknown";
  }
  if (lastDelta < 0) return "the last offset is before the base offset";
  if (lastOffset(bytes, at) >= Number.MAX_SAFE_INTEGER) return "the last offset is out of range";
  // A compaction leaves gaps, so fewer records than offsets are fine; more are not.
  if (!isBetween(recordCount(bytes, at), 0, lastDelta + 1)) return "the record count is wrong";
  if (!isTimestamp(baseTimestamp(bytes, at))) return "the base timestamp is out of range";
  if (!isTimestamp(maxTimestamp(bytes, at))) return "the maximal timestamp is out of range";
  if (!isBetween(producerId(bytes, at), -1, Number.MAX_SAFE_INTEGER)) {
    return "the producer id is out of range";
  }
  if (producerEpoch(bytes, at) < -1) return "the producer epoch is out of range";
  if (baseSequence(bytes, at) < -1) return "the base sequence is out of range";
  return undefined;
}

function isBetween(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

/** Milliseconds since 1970, or -1 for none. */
function isTimestamp(value: number): boolean {
  return isBetween(value, -1, Number.MAX_SAFE_INTEGER);
}

/**
 * Checks what a client sent to be appended: exactly one whole batch of its own records.
 * Does not open compressed records; {@link producedRecordsProblem} looks inside.
 */
export function producedBatchProblem(bytes: Uint8Array, crc32c: Crc32c): Refusal | undefined {
  if (bytes.length === 0) return invalid("there is no record batch");
  if (bytes.length > BATCH_BYTES_LIMIT) {
    return { code: "MESSAGE_TOO_LARGE", message: `no batch may pass ${BATCH_BYTES_LIMIT} bytes` };
  }
  if (bytes.length > MAGIC_AT && magic(bytes, 0) !== MAGIC_V2) {
    return invalid(`format version ${magic(bytes, 0)} is not supported, only ${MAGIC_V2}`);
  }
  const problem = batchProblem(bytes, 0, bytes.length, crc32c);
  if (problem !== undefined && problem.kind !== "invalid") {
    return { code: "CORRUPT_MESSAGE", message: problem.message };
  }
  if (batchBytes(bytes, 0) !== bytes.length) return invalid("more than one record batch was sent");
  const flags = attributes(bytes, 0);
  if (compressionName(flags & COMPRESSION_MASK) === undefined) {
    return { code: "UNSUPPORTED_COMPRESSION_TYPE", message: "the compression is unknown" };
  }
  if (!isTimestamp(baseTimestamp(bytes, 0)) || !isTimestamp(maxTimestamp(bytes, 0))) {
    return { code: "INVALID_TIMESTAMP", message: "a timestamp is out of range" };
  }
  // Readers take that batch's maximum as the time of the append, which only a broker knows.
  if ((flags & LOG_APPEND_TIME_BIT) !== 0) {
    return { code: "INVALID_TIMESTAMP", message: "only a broker sets the time of the append" };
  }
  if (problem !== undefined) return invalid(problem.message);
  return producerFieldsProblem(bytes, flags);
}

function producerFieldsProblem(bytes: Uint8Array, flags: number): Refusal | undefined {
  if ((flags & CONTROL_BIT) !== 0) return invalid("a client may not write control records");
  if ((flags & DELETE_HORIZON_BIT) !== 0) return invalid("a client may not set a delete horizon");
  if (baseOffset(bytes, 0) !== 0) return invalid("a producer's base offset is 0");
  const count = recordCount(bytes, 0);
  if (count < 1) return invalid("the batch holds no records");
  if (count !== lastOffsetDelta(bytes, 0) + 1) return invalid("the offsets have gaps");
  const hasProducer = producerId(bytes, 0) >= 0;
  if (hasProducer && producerEpoch(bytes, 0) < 0) return invalid("the producer epoch is missing");
  if (hasProducer && baseSequence(bytes, 0) < 0) return invalid("the base sequence is missing");
  if (!hasProducer && (flags & TRANSACTIONAL_BIT) !== 0) {
    return invalid("a transactional batch has no producer id");
  }
  return undefined;
}

function invalid(message: string): Refusal {
  return { code: "INVALID_RECORD", message };
}
