/** The log of one partition, with the memory for producers that a broker has. */
import { BrokerError } from "@strandline/model";
import { nodeCompressors } from "@strandline/platform";
import { compressionOf, decodeBatch, readBatchHeader, stampBatch } from "@strandline/record";

interface KnownBatch {
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
}

interface KnownProducer {
  epoch: number;
  /** The last five, oldest first. */
  batches: KnownBatch[];
}

const BATCHES_KEPT = 5;
const SEQUENCES = 2 ** 31;

const { decompress } = compressionOf(nodeCompressors);

export interface StoredText {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
}

export class FakePartition {
  leaderId: number;
  leaderEpoch = 0;
  logStartOffset = 0;
  /** Stored batches, stamped. */
  batches: Uint8Array[] = [];
  endOffset = 0;
  readonly #producers = new Map<number, KnownProducer>();
  readonly listeners = new Set<() => void>();

  constructor(leaderId: number) {
    this.leaderId = leaderId;
  }

  /** Appends as a leader does. Returns the base offset: the first one's, for a duplicate. */
  append(batch: Uint8Array): number {
    const header = readBatchHeader(batch, 0);
    if (header.baseOffset !== 0) throw new BrokerError("INVALID_RECORD", "base offset is not 0");
    if (header.producerId >= 0) {
      const known = this.#known(header);
      if (known !== undefined) return known;
    }
    const baseOffset = this.endOffset;
    const stored = batch.slice();
    stampBatch(stored, 0, baseOffset, this.leaderEpoch);
    this.batches.push(stored);
    this.endOffset += header.lastOffset + 1;
    if (header.producerId >= 0) this.#remember(header, baseOffset);
    for (const listener of this.listeners) listener();
    return baseOffset;
  }

  /** Puts a batch into the log as it is, whatever it holds: control batches, gaps. */
  put(batch: Uint8Array, nextOffset: number): void {
    this.batches.push(batch);
    this.endOffset = nextOffset;
    for (const listener of this.listeners) listener();
  }

  /** Forgets what producers sent, and optionally records from the end: an unclean failover. */
  lose(batchCount: number): void {
    this.batches.splice(this.batches.length - batchCount, batchCount);
    const last = this.batches.at(-1);
    this.endOffset = last === undefined ? 0 : readBatchHeader(last, 0).nextOffset;
    for (const producer of this.#producers.values()) {
      producer.batches = producer.batches.filter((each) => each.baseOffset < this.endOffset);
    }
  }

  /** Batches from the one that holds `offset` on, at least one if there is any. */
  read(offset: number, bytesMax: number): { readonly bytes: Uint8Array; readonly next: number } {
    if (offset < this.logStartOffset || offset > this.endOffset) {
      throw new BrokerError("OFFSET_OUT_OF_RANGE", `offset ${offset} is not in the log`);
    }
    const chosen: Uint8Array[] = [];
    let size = 0;
    let next = offset;
    for (const batch of this.batches) {
      const header = readBatchHeader(batch, 0);
      if (header.nextOffset <= offset) continue;
      if (size > 0 && size + batch.length > bytesMax) break;
      chosen.push(batch);
      size += batch.length;
      next = header.nextOffset;
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const batch of chosen) {
      bytes.set(batch, at);
      at += batch.length;
    }
    return { bytes, next };
  }

  /** What is stored, as text. */
  texts(): readonly StoredText[] {
    const decoder = new TextDecoder();
    const text = (bytes: Uint8Array | null): string | null =>
      bytes === null ? null : decoder.decode(bytes);
    return this.batches.flatMap((batch) =>
      [...decodeBatch(batch, 0, { decompress, outputBytesMax: 1 << 26 })].map((record) => ({
        offset: record.offset,
        key: text(record.key),
        value: text(record.value),
      })),
    );
  }

  #known(header: ReturnType<typeof readBatchHeader>): number | undefined {
    const producer = this.#producers.get(header.producerId);
    if (producer === undefined || producer.batches.length === 0) return undefined;
    if (header.producerEpoch < producer.epoch) {
      throw new BrokerError("INVALID_PRODUCER_EPOCH", "an older epoch");
    }
    if (header.producerEpoch > producer.epoch) {
      if (header.baseSequence === 0) return undefined;
      throw new BrokerError("OUT_OF_ORDER_SEQUENCE_NUMBER", "a later epoch begins at 0");
    }
    const same = producer.batches.find(
      (each) =>
        each.baseSequence === header.baseSequence && each.lastSequence === header.lastSequence,
    );
    if (same !== undefined) return same.baseOffset;
    const last = producer.batches.at(-1)?.lastSequence ?? -1;
    if (header.baseSequence === (last + 1) % SEQUENCES) return undefined;
    const message = `sequence ${header.baseSequence} after ${last}`;
    throw new BrokerError("OUT_OF_ORDER_SEQUENCE_NUMBER", message);
  }

  #remember(header: ReturnType<typeof readBatchHeader>, baseOffset: number): void {
    const producer = this.#producers.get(header.producerId) ?? { epoch: 0, batches: [] };
    if (producer.epoch !== header.producerEpoch) producer.batches = [];
    producer.epoch = header.producerEpoch;
    const { baseSequence, lastSequence } = header;
    producer.batches = [
      ...producer.batches.slice(1 - BATCHES_KEPT),
      { baseSequence, lastSequence, baseOffset },
    ];
    this.#producers.set(header.producerId, producer);
  }
}
