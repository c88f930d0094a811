/** Opens stored batches for callers that want plain records. */
import { BrokerError } from "@strandline/model";
import type { Compressors, Crc32c } from "@strandline/platform";
import {
  batchBytes,
  compressionOf,
  decodeBatch,
  lastOffset,
  RecordError,
  readBatchHeader,
} from "@strandline/record";
import type { RecordMessage } from "@strandline/rpc";

/** What one batch may unpack to. */
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024;

export class RecordReader {
  readonly #decompress: ReturnType<typeof compressionOf>["decompress"];

  constructor(ports: { compressors: Compressors; crc32c: Crc32c }) {
    this.#decompress = compressionOf(ports.compressors).decompress;
  }

  /** Offset after the last batch; `from` when there is none. */
  nextOffset(chunks: readonly Uint8Array[], from: number): number {
    const last = chunks.at(-1);
    if (last === undefined) return from;
    let at = 0;
    let next = from;
    while (at < last.length) {
      next = lastOffset(last, at) + 1;
      at += batchBytes(last, at);
    }
    return next;
  }

  /** Records at or above `from`; control batches are left out. Throws CORRUPT_MESSAGE. */
  records(chunks: readonly Uint8Array[], from: number): RecordMessage[] {
    const records: RecordMessage[] = [];
    for (const chunk of chunks) {
      let at = 0;
      while (at < chunk.length) {
        if (!readBatchHeader(chunk, at).isControl) this.#decode(chunk, at, from, records);
        at += batchBytes(chunk, at);
      }
    }
    return records;
  }

  #decode(chunk: Uint8Array, at: number, from: number, into: RecordMessage[]): void {
    try {
      const options = { decompress: this.#decompress, outputBytesMax: UNPACKED_BYTES_MAX };
      for (const record of decodeBatch(chunk, at, options)) {
        if (record.offset < from) continue;
        into.push({
          offset: record.offset,
          timestampMs: record.timestampMs,
          ...(record.key === null ? {} : { key: record.key }),
          ...(record.value === null ? {} : { value: record.value }),
          headers: record.headers.map((header) => ({
            key: header.key,
            ...(header.value === null ? {} : { value: header.value }),
          })),
        });
      }
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      throw new BrokerError(
        "CORRUPT_MESSAGE",
        `a stored batch cannot be opened: ${error.message}`,
        {
          cause: error,
        },
      );
    }
  }
}
