/** Batches of records with keys, and what is left of them in a log, for tests of compaction. */
import { crc32c } from "@strandline/platform";
import {
  BatchEncoder,
  baseOffset,
  batchBytes,
  type Compression,
  type CompressionName,
  decodeBatch,
  deleteHorizon,
  lastOffset,
  stampBatch,
} from "@strandline/record";
import type { CompactionConfig } from "../compaction-plan.js";
import type { Log } from "../log.js";
import type { ManualTime } from "./world.js";

export const COMPACTION: CompactionConfig = {
  lagMsMin: 0,
  lagMsMax: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 1000,
  dirtyRatioMin: 0,
};

/** Key and value; a value that is null is a tombstone, a key that is null none. */
export type Keyed = readonly [key: string | null, value: string | null];

export interface KeyedBatchOptions {
  readonly epoch?: number;
  readonly timestampMs?: number;
  readonly producerId?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
  readonly compression?: { readonly name: CompressionName; readonly with: Compression };
}

export function keyedBatch(
  base: number,
  records: readonly Keyed[],
  options: KeyedBatchOptions = {},
): Uint8Array {
  const { epoch = 0, timestampMs = 1000, compression } = options;
  const encoder = new BatchEncoder();
  records.forEach(([key, value], index) => {
    encoder.append({
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      timestampMs: timestampMs + index,
    });
  });
  const bytes = encoder
    .finish({
      crc32c,
      producerId: options.producerId,
      producerEpoch: options.producerId === undefined ? undefined : 0,
      baseSequence: options.producerId === undefined ? undefined : (options.baseSequence ?? 0),
      isTransactional: options.isTransactional,
      compression: compression?.with.compressor(compression.name),
    })
    .slice();
  stampBatch(bytes, 0, base, epoch);
  return bytes;
}

/** Appends one batch and returns its base offset. */
export function appendKeyed(
  log: Log,
  records: readonly Keyed[],
  options: KeyedBatchOptions = {},
): number {
  const offset = log.logEndOffset;
  log.append(keyedBatch(offset, records, options));
  return offset;
}

/** One batch of a log as it reads now. */
export interface SeenBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly horizonMs: number | undefined;
  /** "key=value" or "key" for a tombstone, by offset. */
  readonly records: Readonly<Record<number, string>>;
}

/** Every batch from `fromOffset` on, read as a consumer would. */
export async function seenBatches(
  log: Log,
  fromOffset: number = log.logStartOffset,
  compression?: Compression,
): Promise<SeenBatch[]> {
  const seen: SeenBatch[] = [];
  let offset = fromOffset;
  while (offset < log.logEndOffset) {
    const chunks = await log.read(offset, 500, log.logEndOffset);
    if (chunks.length === 0) throw new Error(`nothing at ${offset}, before ${log.logEndOffset}`);
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += batchBytes(chunk, at)) {
        seen.push(seenBatch(chunk, at, compression));
        offset = lastOffset(chunk, at) + 1;
      }
    }
  }
  return seen;
}

export function seenBatch(bytes: Uint8Array, at: number, compression?: Compression): SeenBatch {
  const records: Record<number, string> = {};
  const options = { decompress: compression?.decompress, outputBytesMax: 1 << 20 };
  for (const { offset, key, value } of decodeBatch(bytes, at, options)) {
    const text = (part: Uint8Array | null): string => Buffer.from(part ?? []).toString();
    records[offset] = value === null ? text(key) : `${text(key)}=${text(value)}`;
  }
  return {
    baseOffset: baseOffset(bytes, at),
    lastOffset: lastOffset(bytes, at),
    horizonMs: deleteHorizon(bytes, at),
    records,
  };
}

/** All records of a log by offset. */
export async function seenRecords(
  log: Log,
  compression?: Compression,
): Promise<Record<number, string>> {
  const all: Record<number, string> = {};
  for (const { records } of await seenBatches(log, log.logStartOffset, compression)) {
    Object.assign(all, records);
  }
  return all;
}

/** Lets a round of compaction run to its end: its pauses pass as soon as they are waited for. */
export async function compacted(
  log: Log,
  time: ManualTime,
  options: { readonly endOffset?: number; readonly keysMax?: number } = {},
): ReturnType<Log["compact"]> {
  const { endOffset = log.durableEndOffset, keysMax = 1000 } = options;
  let isDone = false;
  const round = log.compact({ endOffset, keysMax, seed: 1 }).finally(() => {
    isDone = true;
  });
  // The caller sees it; this only keeps the process from thinking that nobody does.
  round.catch(() => undefined);
  for (let step = 0; step < 10_000 && !isDone; step++) {
    for (let turn = 0; turn < 20 && !isDone; turn++) await Promise.resolve();
    if (!isDone) time.advance(1);
  }
  return await round;
}
