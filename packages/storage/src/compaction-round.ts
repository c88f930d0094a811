/**
 * What one round of compaction keeps. Pure: batches in, verdicts out.
 *
 * First it is shown the dirty batches, in order, and remembers where each key stands last. Then it
 * is shown all batches from the log's start, and says what is to be left of each. A record stays
 * when no later one has its key; a record without a value (a tombstone) stays at first too, and
 * its batch is given a time from which a later round may drop it. Records without a key go.
 *
 * Offsets and order never change. What an idempotent producer numbered last stays, if only as a
 * header without records, because its next batch is checked against it.
 */
import type { Crc32c } from "@strandline/platform";
import {
  baseOffset,
  CleanedBatch,
  type Compression,
  decodeBatch,
  deleteHorizon,
  emptyBatch,
  isControlBatch,
  isTransactionalBatch,
  lastOffset,
  nextOffset,
  producerId,
  type RecordCursor,
  RecordError,
  recordCount,
} from "@strandline/record";
import { OffsetMap } from "./offset-map.js";

/** What the records of one batch may unpack to. A batch beyond that is left as it is. */
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024;

/** Types of the control records, by their keys, that end a transaction. */
const ABORT_MARKER = 0;
const COMMIT_MARKER = 1;

export interface RoundOptions {
  /** Keys that are remembered at most; the round ends before a batch that has more. */
  readonly keysMax: number;
  readonly seed: number;
  /** Wall time of the round. */
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
  /** Offset of the last record of each producer that is remembered. */
  readonly producerEnds: ReadonlyMap<number, number>;
  readonly crc32c: Crc32c;
  /** Without it compressed batches are left as they are. */
  readonly compression: Compression | undefined;
}

export type Verdict =
  | { readonly kind: "keep" | "drop" }
  | { readonly kind: "replace"; readonly bytes: Uint8Array };

const KEEP: Verdict = { kind: "keep" };
const DROP: Verdict = { kind: "drop" };

/** A transaction whose end was not seen yet: its keys count only if it is committed. */
interface OpenTransaction {
  readonly fromOffset: number;
  readonly hashes: Int32Array[];
  readonly offsets: number[];
}

interface AbortedTransaction {
  readonly fromOffset: number;
  readonly toOffset: number;
}

export class CompactionRound {
  readonly #options: RoundOptions;
  readonly #keys: OffsetMap;
  readonly #open = new Map<number, OpenTransaction>();
  readonly #aborted = new Map<number, AbortedTransaction[]>();
  /** Producers of which the current transaction has records that stay. */
  readonly #keepsRecords = new Set<number>();
  #waitingCount = 0;
  #endOffset: number;
  #droppedCount = 0;

  /** `fromOffset`: where the dirty part begins. */
  constructor(fromOffset: number, options: RoundOptions) {
    this.#options = options;
    this.#keys = new OffsetMap(options.seed);
    this.#endOffset = fromOffset;
  }

  /** Where the round ends: at or below where the dirty part does. Known after the first pass. */
  get endOffset(): number {
    let end = this.#endOffset;
    for (const { fromOffset } of this.#open.values()) end = Math.min(end, fromOffset);
    return end;
  }

  get keyCount(): number {
    return this.#keys.size;
  }

  /** Records that were dropped. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** First pass: the next dirty batch. False when memory is full: the round ends before it. */
  index(bytes: Uint8Array, at: number): boolean {
    if (nextOffset(bytes, at) <= this.#endOffset) return true;
    const isFull = this.#keys.size + this.#waitingCount >= this.#options.keysMax;
    if (isFull) return false;
    if (isControlBatch(bytes, at)) this.#endTransaction(bytes, at);
    else if (isTransactionalBatch(bytes, at)) this.#indexTransactional(bytes, at);
    else this.#eachKey(bytes, at, (key, offset) => this.#keys.put(key, offset));
    this.#endOffset = nextOffset(bytes, at);
    return true;
  }

  /**
   * Second pass: what is to be left of the next batch. The last one of a file always stays, so
   * that the file says itself where it ends.
   */
  clean(bytes: Uint8Array, at: number, isLastOfFile: boolean): Verdict {
    if (nextOffset(bytes, at) > this.endOffset) return KEEP;
    const producer = producerId(bytes, at);
    const isProducersLast =
      producer >= 0 && this.#options.producerEnds.get(producer) === lastOffset(bytes, at);
    const stays = isLastOfFile || isProducersLast;
    if (recordCount(bytes, at) === 0) return stays ? KEEP : DROP;
    if (isControlBatch(bytes, at)) return this.#cleanMarker(bytes, at, stays);
    if (this.#isAborted(bytes, at)) return this.#without(bytes, at, stays);
    return this.#cleanRecords(bytes, at, stays);
  }

  #cleanRecords(bytes: Uint8Array, at: number, stays: boolean): Verdict {
    const { nowMs, deleteRetentionMs } = this.#options;
    const horizonMs = deleteHorizon(bytes, at);
    const mayDropTombstones = horizonMs !== undefined && horizonMs <= nowMs;
    let hasTombstones = false;
    const keeps = (record: RecordCursor, offset: number): boolean => {
      const key = record.key();
      if (key === null || this.#keys.get(key) > offset) return false;
      if (record.valueBytes >= 0) return true;
      hasTombstones ||= !mayDropTombstones;
      return !mayDropTombstones;
    };
    const batch = this.#opened(bytes, at, keeps);
    // It cannot be opened: a reader may know how, so it stays.
    if (batch === undefined) {
      this.#noteKept(bytes, at);
      return KEEP;
    }
    if (batch.keptCount === 0) return this.#without(bytes, at, stays);
    this.#noteKept(bytes, at);
    const isNewHorizon = hasTombstones && horizonMs === undefined;
    if (batch.isWhole && !isNewHorizon) return KEEP;
    this.#droppedCount += batch.header.recordCount - batch.keptCount;
    return this.#rewritten(batch, isNewHorizon ? nowMs + deleteRetentionMs : undefined);
  }

  /**
   * The end of a transaction stays as long as any of its records does, and after that for as long
   * as a tombstone: who reads the log from its start must not take what follows for a part of it.
   */
  #cleanMarker(bytes: Uint8Array, at: number, stays: boolean): Verdict {
    const { nowMs, deleteRetentionMs } = this.#options;
    if (this.#keepsRecords.delete(producerId(bytes, at))) return KEEP;
    const horizonMs = deleteHorizon(bytes, at);
    if (horizonMs !== undefined) {
      return horizonMs <= nowMs ? this.#without(bytes, at, stays) : KEEP;
    }
    const batch = this.#opened(bytes, at, () => true);
    return batch === undefined ? KEEP : this.#rewritten(batch, nowMs + deleteRetentionMs);
  }

  #rewritten(batch: CleanedBatch, deleteHorizonMs: number | undefined): Verdict {
    const { crc32c, compression } = this.#options;
    const compress = compression?.compress;
    return { kind: "replace", bytes: batch.write({ crc32c, compress, deleteHorizonMs }) };
  }

  #without(bytes: Uint8Array, at: number, stays: boolean): Verdict {
    this.#droppedCount += recordCount(bytes, at);
    if (!stays) return DROP;
    return { kind: "replace", bytes: emptyBatch(bytes, at, this.#options.crc32c) };
  }

  #noteKept(bytes: Uint8Array, at: number): void {
    if (isTransactionalBatch(bytes, at)) this.#keepsRecords.add(producerId(bytes, at));
  }

  #isAborted(bytes: Uint8Array, at: number): boolean {
    if (!isTransactionalBatch(bytes, at)) return false;
    const offset = baseOffset(bytes, at);
    const aborted = this.#aborted.get(producerId(bytes, at)) ?? [];
    return aborted.some(({ fromOffset, toOffset }) => fromOffset <= offset && offset < toOffset);
  }

  #indexTransactional(bytes: Uint8Array, at: number): void {
    const producer = producerId(bytes, at);
    let open = this.#open.get(producer);
    if (open === undefined) {
      open = { fromOffset: baseOffset(bytes, at), hashes: [], offsets: [] };
      this.#open.set(producer, open);
    }
    const { hashes, offsets } = open;
    this.#eachKey(bytes, at, (key, offset) => {
      hashes.push(this.#keys.hashOf(key));
      offsets.push(offset);
      this.#waitingCount += 1;
    });
  }

  #endTransaction(bytes: Uint8Array, at: number): void {
    const producer = producerId(bytes, at);
    const open = this.#open.get(producer);
    if (open === undefined) return;
    const type = markerType(bytes, at);
    if (type !== ABORT_MARKER && type !== COMMIT_MARKER) return;
    const isAborted = type === ABORT_MARKER;
    this.#open.delete(producer);
    this.#waitingCount -= open.offsets.length;
    if (!isAborted) {
      open.hashes.forEach((hash, index) => {
        this.#keys.putHashed(hash, open.offsets[index] as number);
      });
      return;
    }
    const aborted = this.#aborted.get(producer) ?? [];
    aborted.push({ fromOffset: open.fromOffset, toOffset: baseOffset(bytes, at) });
    this.#aborted.set(producer, aborted);
  }

  /** A batch that cannot be opened has no keys to know of: what it holds supersedes nothing. */
  #eachKey(bytes: Uint8Array, at: number, visit: (key: Uint8Array, offset: number) => void): void {
    const keys: Uint8Array[] = [];
    const offsets: number[] = [];
    const batch = this.#opened(bytes, at, (record, offset) => {
      const key = record.key();
      if (key === null) return false;
      keys.push(key);
      offsets.push(offset);
      return false;
    });
    if (batch === undefined) return;
    keys.forEach((key, index) => {
      visit(key, offsets[index] as number);
    });
  }

  #opened(
    bytes: Uint8Array,
    at: number,
    keeps: (record: RecordCursor, offset: number) => boolean,
  ): CleanedBatch | undefined {
    const decompress = this.#options.compression?.decompress;
    try {
      return new CleanedBatch(bytes, at, {
        decompress,
        outputBytesMax: UNPACKED_BYTES_MAX,
        keeps,
      });
    } catch (error) {
      if (error instanceof RecordError) return undefined;
      throw error;
    }
  }
}

/** Second int16 of a control record's key; undefined when there is none. */
function markerType(bytes: Uint8Array, at: number): number | undefined {
  try {
    for (const { key } of decodeBatch(bytes, at, { outputBytesMax: 0 })) {
      if (key === null || key.length < 4) return undefined;
      return ((key[2] as number) << 8) | (key[3] as number);
    }
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
  }
  return undefined;
}
