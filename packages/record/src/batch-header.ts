/** The header of a record batch as one object, for code that is not per record. */
import {
  BATCH_HEADER_BYTES,
  COMPRESSION_MASK,
  CONTROL_BIT,
  LOG_APPEND_TIME_BIT,
  SEQUENCE_MAX,
  TRANSACTIONAL_BIT,
} from "./batch-layout.js";
import {
  attributes,
  baseOffset,
  baseSequence,
  baseTimestamp,
  batchBytes,
  lastOffsetDelta,
  leaderEpoch,
  maxTimestamp,
  producerEpoch,
  producerId,
  recordCount,
} from "./batch-view.js";
import { type CompressionName, compressionName } from "./compression.js";
import { RecordError } from "./record-error.js";

/** Whose clock a batch's timestamps are from: the producer's, or the broker's at the append. */
export type TimestampType = "create" | "append";

export interface BatchHeader {
  readonly baseOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
  readonly nextOffset: number;
  /** The whole batch, header included. */
  readonly sizeBytes: number;
  /** -1 when nobody stamped one. */
  readonly leaderEpoch: number;
  readonly attributes: number;
  readonly compression: CompressionName;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly timestampType: TimestampType;
  /** -1 for none. */
  readonly baseTimestampMs: number;
  /** As stated: some clients leave -1 here although their records have timestamps. */
  readonly maxTimestampMs: number;
  /** -1 when the producer is not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  /** -1 when there is none. */
  readonly baseSequence: number;
  /** Inclusive; wraps after 2^31 - 1; -1 when there is no base sequence. */
  readonly lastSequence: number;
  /** May be less than `lastOffset - baseOffset + 1`, down to 0, after a compaction. */
  readonly recordCount: number;
}

/** Sequence of the record `delta` places after `base`; -1 when `base` is. */
export function sequenceAfter(base: number, delta: number): number {
  if (base < 0) return -1;
  const sequence = base + delta;
  return sequence > SEQUENCE_MAX ? sequence - SEQUENCE_MAX - 1 : sequence;
}

/**
 * Reads the header at `at`. Throws {@link RecordError} when the header is not all there, or holds
 * what no field can: use {@link batchProblem} first where bytes are not trusted.
 */
export function readBatchHeader(bytes: Uint8Array, at: number): BatchHeader {
  if (bytes.length - at < BATCH_HEADER_BYTES) {
    throw new RecordError("the data ends inside a batch header");
  }
  const flags = attributes(bytes, at);
  const compression = compressionName(flags & COMPRESSION_MASK);
  if (compression === undefined) throw new RecordError("the batch's compression has no name");
  const base = baseOffset(bytes, at);
  const last = base + lastOffsetDelta(bytes, at);
  return {
    baseOffset: safe(base, "base offset"),
    lastOffset: safe(last, "last offset"),
    nextOffset: safe(last + 1, "next offset"),
    sizeBytes: batchBytes(bytes, at),
    leaderEpoch: leaderEpoch(bytes, at),
    attributes: flags,
    compression,
    isTransactional: (flags & TRANSACTIONAL_BIT) !== 0,
    isControl: (flags & CONTROL_BIT) !== 0,
    timestampType: (flags & LOG_APPEND_TIME_BIT) !== 0 ? "append" : "create",
    baseTimestampMs: safe(baseTimestamp(bytes, at), "base timestamp"),
    maxTimestampMs: safe(maxTimestamp(bytes, at), "maximal timestamp"),
    producerId: safe(producerId(bytes, at), "producer id"),
    producerEpoch: producerEpoch(bytes, at),
    baseSequence: baseSequence(bytes, at),
    lastSequence: sequenceAfter(baseSequence(bytes, at), lastOffsetDelta(bytes, at)),
    recordCount: recordCount(bytes, at),
  };
}

function safe(value: number, field: string): number {
  if (!Number.isSafeInteger(value)) {
    throw new RecordError(`the batch's ${field} is beyond 2^53 - 1`);
  }
  return value;
}
