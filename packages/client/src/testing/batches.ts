/** Stored batches made by hand, for what no producer of ours sends. */
import { crc32c, nodeCompressors } from "@strandline/platform";
import { BatchEncoder, type CompressionName, compressionOf, stampBatch } from "@strandline/record";

export interface MadeBatch {
  readonly baseOffset: number;
  readonly values: readonly string[];
  readonly isControl?: boolean;
  readonly compression?: CompressionName;
}

const ATTRIBUTES_AT = 21;
const CONTROL_BIT = 0x20;

export function madeBatch(options: MadeBatch): Uint8Array {
  const encoder = new BatchEncoder();
  const text = new TextEncoder();
  for (const value of options.values) {
    encoder.append({ key: null, value: text.encode(value), timestampMs: 1 });
  }
  const compression = compressionOf(nodeCompressors).compressor(options.compression ?? "none");
  const batch = encoder.finish({ crc32c, compression });
  stampBatch(batch, 0, options.baseOffset, 0);
  if (options.isControl === true) {
    const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
    view.setInt16(ATTRIBUTES_AT, view.getInt16(ATTRIBUTES_AT) | CONTROL_BIT);
    view.setUint32(17, crc32c(batch.subarray(ATTRIBUTES_AT)));
  }
  return batch;
}
