/** Takes stored batches out of the answers read ahead, and unpacks those that hold records. */
import { BrokerError } from "@strandline/model";
import {
  type BatchHeader,
  batchProblem,
  compressionOf,
  type DecodeOptions,
  decodeBatch,
  RecordError,
  readBatchHeader,
} from "@strandline/record";
import type { ClientPorts } from "../ports.js";
import type { AssignedPartition } from "./assigned-partition.js";
import type { ResolvedConsumerOptions } from "./consumer-options.js";
import type { ConsumerBatch, ConsumerRecord } from "./consumer-record.js";

export interface ReadResult {
  /** Undefined when nothing more is there. */
  readonly batch: ConsumerBatch | undefined;
  /** Bytes that need not be held any more. */
  readonly freedBytes: number;
}

export class BatchReader {
  readonly #ports: ClientPorts;
  readonly #checksCrcs: boolean;
  readonly #decode: DecodeOptions;

  constructor(ports: ClientPorts, options: ResolvedConsumerOptions) {
    this.#ports = ports;
    this.#checksCrcs = options.checkCrcs;
    this.#decode = {
      decompress: compressionOf(ports.compressors).decompress,
      outputBytesMax: options.unpackedBytesMax,
    };
  }

  /**
   * The next batch with records to hand out. Throws `CORRUPT_MESSAGE` for bytes that are no batch;
   * the partition is still before them then.
   */
  read(partition: AssignedPartition): ReadResult {
    let freedBytes = 0;
    for (;;) {
      if (partition.isDone) freedBytes += partition.forget();
      const front = partition.front();
      if (front === undefined) return { batch: undefined, freedBytes };
      const { bytes, at } = front;
      if (at >= bytes.length) {
        freedBytes += partition.advance(0, partition.position);
        continue;
      }
      const header = this.#header(partition, bytes, at);
      const records = this.#records(partition, header, { bytes, at });
      freedBytes += partition.advance(header.sizeBytes, header.nextOffset);
      if (records.length === 0) continue;
      const { topic, highWatermark, logStartOffset, position } = partition;
      const batch: ConsumerBatch = {
        topic,
        partition: partition.partition,
        records,
        nextOffset: position,
        highWatermark,
        logStartOffset,
      };
      return { batch, freedBytes };
    }
  }

  #header(partition: AssignedPartition, bytes: Uint8Array, at: number): BatchHeader {
    if (this.#checksCrcs) {
      const problem = batchProblem(bytes, at, bytes.length, this.#ports.crc32c);
      if (problem !== undefined) throw corrupt(partition, problem.message);
    }
    try {
      return readBatchHeader(bytes, at);
    } catch (error) {
      throw asCorrupt(partition, error);
    }
  }

  #records(
    partition: AssignedPartition,
    header: BatchHeader,
    { bytes, at }: { readonly bytes: Uint8Array; readonly at: number },
  ): readonly ConsumerRecord[] {
    const { topic, position, endOffset = Number.POSITIVE_INFINITY } = partition;
    // Control batches mark the ends of transactions; they are not for readers.
    if (header.isControl || header.nextOffset <= position) return [];
    const records: ConsumerRecord[] = [];
    try {
      for (const record of decodeBatch(bytes, at, this.#decode)) {
        const { offset, timestampMs, key, value, headers } = record;
        // The first batch may begin before the asked offset, as stored batches are not cut.
        if (offset < position || offset >= endOffset) continue;
        records.push({
          topic,
          partition: partition.partition,
          offset,
          timestampMs,
          key,
          value,
          headers,
        });
      }
    } catch (error) {
      throw asCorrupt(partition, error);
    }
    return records;
  }
}

function corrupt(partition: AssignedPartition, message: string, cause?: unknown): BrokerError {
  const where = `${partition.topic}-${partition.partition} at offset ${partition.position}`;
  return new BrokerError("CORRUPT_MESSAGE", `${where}: ${message}`, { cause });
}

function asCorrupt(partition: AssignedPartition, error: unknown): unknown {
  return error instanceof RecordError ? corrupt(partition, error.message, error) : error;
}
