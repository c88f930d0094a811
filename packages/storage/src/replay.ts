/** Brings producer states up to date with a stretch of the log, from batch headers alone. */
import {
  attributes,
  baseOffset,
  baseSequence,
  crc,
  isCleaned,
  lastOffset,
  lastOffsetDelta,
  maxTimestamp,
  producerEpoch,
  producerId,
  sequenceAfter,
} from "@strandline/record";
import type { AppendedBatch, ProducerStates } from "@strandline/replication";
import { walkBatches } from "./batch-walk.js";
import type { ColdOptions, ColdReader } from "./cold-reader.js";
import type { Segment } from "./segment.js";

/** Attribute: the broker stamped its own time into the batch. */
const LOG_APPEND_TIME_BIT = 0x08;

/** The producer fields of the batch at `at`. */
export function producerBatch(bytes: Uint8Array, at: number): AppendedBatch {
  const base = baseSequence(bytes, at);
  const isStamped = (attributes(bytes, at) & LOG_APPEND_TIME_BIT) !== 0;
  // Either changes the checksum, which then says nothing about what the producer sent.
  const hasOwnCrc = !isStamped && !isCleaned(bytes, at);
  return {
    producerId: producerId(bytes, at),
    producerEpoch: producerEpoch(bytes, at),
    baseSequence: base,
    lastSequence: sequenceAfter(base, lastOffsetDelta(bytes, at)),
    crc: hasOwnCrc ? crc(bytes, at) : undefined,
    baseOffset: baseOffset(bytes, at),
    lastOffset: lastOffset(bytes, at),
    timestampMs: maxTimestamp(bytes, at),
  };
}

export interface ReplayRange {
  readonly segments: readonly Segment[];
  readonly fromOffset: number;
  readonly toOffset: number;
  /** How a segment's file is read. */
  readonly options: (segment: Segment) => ColdOptions;
}

/**
 * Observes the batches in `segments` from `fromOffset` up to `toOffset`. What cannot be read is
 * passed over: a damaged range must not stop the log, and costs at most a retry its answer.
 */
export async function replayProducers(
  producers: ProducerStates,
  reader: ColdReader,
  range: ReplayRange,
): Promise<void> {
  await replayBatches(reader, range, (bytes, at) => {
    if (producerId(bytes, at) >= 0) producers.observe(producerBatch(bytes, at));
  });
}

/** Shows the headers of the batches in a range, in order, as far as they can be read. */
export async function replayBatches(
  reader: ColdReader,
  range: ReplayRange,
  visit: (bytes: Uint8Array, at: number) => void,
): Promise<void> {
  const { fromOffset, toOffset } = range;
  for (const segment of range.segments) {
    if (segment.nextOffset <= fromOffset || segment.baseOffset >= toOffset) continue;
    if (segment.writtenBytes === 0) continue;
    const handle = await segment.file.acquire({ create: false });
    try {
      const indexes = await reader.indexes(segment, handle, range.options(segment));
      const walk = {
        from: indexes.offsets.positionBefore(fromOffset),
        to: segment.writtenBytes,
        fromOffset: segment.baseOffset,
      };
      await walkBatches(handle, walk, (bytes, at) => {
        if (baseOffset(bytes, at) >= toOffset) return false;
        if (baseOffset(bytes, at) >= fromOffset) visit(bytes, at);
        return true;
      });
    } finally {
      segment.file.release();
    }
  }
}
