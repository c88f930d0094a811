/**
 * Reads a partition from its start to where it ended when the reading began, committed records
 * only, in pieces with a pause after each: a long log must not hold up everything else.
 *
 * The log may have been compacted: offsets have holes, batches may be empty, and control batches
 * hold nothing for a coordinator.
 */
import { BrokerError } from "@strandline/model";
import type { Compressors, Logger, Timers } from "@strandline/platform";
import {
  batchBytes,
  compressionOf,
  decodeBatch,
  nextOffset,
  readBatchHeader,
} from "@strandline/record";
import type { ShardRecord } from "./shard.js";
import type { ShardPartition } from "./shard-partition.js";

const PIECE_BYTES = 256 * 1024;
/** What one batch may unpack to. Coordinators store batches as they are; tools may not. */
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024;

export interface ShardLoaderParts {
  readonly partition: ShardPartition;
  /** Throws when the leadership that is loaded for has ended. */
  requireLoading(): void;
  /** Resolves when more is committed, or the leadership has ended. */
  committedMore(): Promise<void>;
  replay(record: ShardRecord, timestampMs: number): void;
}

export interface Loaded {
  readonly records: number;
  readonly endOffset: number;
}

export class ShardLoader {
  readonly #ports: { timers: Timers; compressors: Compressors; logger: Logger };
  readonly #parts: ShardLoaderParts;
  readonly #decompress: ReturnType<typeof compressionOf>["decompress"];
  #records = 0;

  constructor(
    ports: { timers: Timers; compressors: Compressors; logger: Logger },
    parts: ShardLoaderParts,
  ) {
    this.#ports = ports;
    this.#parts = parts;
    this.#decompress = compressionOf(ports.compressors).decompress;
  }

  /** Throws what stopped it: the leadership has ended, or the log cannot be read. */
  async load(): Promise<Loaded> {
    const { partition } = this.#parts;
    // Also what an earlier shard of this leadership appended without hearing what became of it.
    const end = partition.log.logEndOffset;
    let offset = partition.log.logStartOffset;
    while (offset < end) {
      this.#parts.requireLoading();
      const limit = Math.min(end, partition.highWatermark);
      if (offset >= limit) {
        await this.#parts.committedMore();
        continue;
      }
      offset = await this.#piece(offset, limit);
      await this.#pause();
    }
    this.#parts.requireLoading();
    return { records: this.#records, endOffset: end };
  }

  /** Replays what one read gives; returns the offset after it. */
  async #piece(offset: number, limit: number): Promise<number> {
    const { log } = this.#parts.partition;
    const chunks = await this.#read(offset, limit);
    this.#parts.requireLoading();
    if (chunks === undefined) return log.logStartOffset;
    let next = offset;
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += batchBytes(chunk, at)) {
        this.#batch(chunk, at, offset);
        next = nextOffset(chunk, at);
      }
    }
    // Nothing there: what is left below the limit is a hole.
    return chunks.length === 0 ? limit : next;
  }

  /** Undefined when the start of the log has moved past `offset` meanwhile. */
  async #read(offset: number, limit: number): Promise<readonly Uint8Array[] | undefined> {
    const { log } = this.#parts.partition;
    try {
      return await log.read(offset, PIECE_BYTES, limit);
    } catch (error) {
      const isGone = error instanceof BrokerError && error.code === "OFFSET_OUT_OF_RANGE";
      if (isGone && log.logStartOffset > offset) return undefined;
      throw error;
    }
  }

  #batch(chunk: Uint8Array, at: number, from: number): void {
    const header = readBatchHeader(chunk, at);
    if (header.isControl || header.recordCount === 0) return;
    const options = { decompress: this.#decompress, outputBytesMax: UNPACKED_BYTES_MAX };
    for (const record of decodeBatch(chunk, at, options)) {
      if (record.offset < from || record.key === null) continue;
      this.#replay({ key: record.key, value: record.value }, record.timestampMs, record.offset);
    }
  }

  /** One record that makes no sense must not keep every other from being loaded. */
  #replay(record: ShardRecord, timestampMs: number, offset: number): void {
    this.#records += 1;
    try {
      this.#parts.replay(record, timestampMs);
    } catch (error) {
      this.#ports.logger.error(
        { partition: this.#parts.partition.key, offset, error: String(error) },
        "a stored record makes no sense to the coordinator; left out",
      );
    }
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#ports.timers.after(0, resolve);
    });
  }
}
