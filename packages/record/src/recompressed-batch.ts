/** A batch under another compression: the same records, at the same offsets, from the same producer. */

import type { Crc32c } from "@strandline/model";
import { type DecodeOptions, openRecords, wholeBatchHeader } from "./batch-decoder.js";
import {
  ATTRIBUTES_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_AT,
  BATCH_PREFIX_BYTES,
  COMPRESSION_MASK,
  CRC_AT,
} from "./batch-layout.js";
import { attributes, computeCrc } from "./batch-view.js";
import { writeInt16, writeInt32 } from "./big-endian.js";
import { type CompressionName, compressionId } from "./compression.js";

export interface RecompressOptions extends DecodeOptions {
  readonly compress: (name: CompressionName, bytes: Uint8Array) => Uint8Array;
  readonly crc32c: Crc32c;
}

/**
 * The batch at the start of `batch`, compressed by `name`; the batch itself when it is so already.
 * The records are not looked at. Throws {@link RecordError} when they cannot be unpacked.
 */
export function recompressedBatch(
  batch: Uint8Array,
  name: CompressionName,
  options: RecompressOptions,
): Uint8Array {
  const header = wholeBatchHeader(batch, 0);
  if (header.compression === name) return batch;
  const unpacked =
    header.compression === "none"
      ? batch.subarray(BATCH_HEADER_BYTES, header.sizeBytes)
      : openRecords(batch, 0, header, options).bytes;
  const records = options.compress(name, unpacked);
  const made = new Uint8Array(BATCH_HEADER_BYTES + records.length);
  made.set(batch.subarray(0, BATCH_HEADER_BYTES));
  made.set(records, BATCH_HEADER_BYTES);
  writeInt32(made, BATCH_LENGTH_AT, made.length - BATCH_PREFIX_BYTES);
  const others = attributes(batch, 0) & ~COMPRESSION_MASK;
  writeInt16(made, ATTRIBUTES_AT, others | compressionId(name));
  writeInt32(made, CRC_AT, computeCrc(made, 0, options.crc32c));
  return made;
}
