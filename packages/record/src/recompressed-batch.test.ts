import { portableCrc32c as crc32c } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { decodeBatch } from "./batch-decoder.js";
import { readBatchHeader } from "./batch-header.js";
import { BATCH_HEADER_BYTES } from "./batch-layout.js";
import { batchProblem } from "./batch-problem.js";
import { COMPRESSION_NAMES, compressionId, compressionOf } from "./compression.js";
import { recompressedBatch } from "./recompressed-batch.js";
import { RecordError } from "./record-error.js";
import { ascii, BY_HAND, batchOf, CAPTURED_SNAPPY } from "./testdata/batches.js";
import { toyCompressors } from "./testdata/toy-compressors.js";

const { compress, decompress, compressor } = compressionOf(toyCompressors);
const options = { compress, decompress, outputBytesMax: 1 << 16, crc32c };
const records = Array.from({ length: 20 }, (_, at) => ({
  timestampMs: 1_000 + at,
  key: ascii(`key ${at}`),
  value: ascii("the same again and again"),
}));

function decoded(batch: Uint8Array) {
  return [...decodeBatch(batch, 0, options)];
}

describe(recompressedBatch, () => {
  it.each(COMPRESSION_NAMES)("makes a valid batch of the same records with %s", (name) => {
    for (const from of COMPRESSION_NAMES) {
      const batch = batchOf(records, { compression: compressor(from) });
      const made = recompressedBatch(batch, name, options);
      expect(batchProblem(made, 0, made.length, crc32c)).toBeUndefined();
      expect(decoded(made)).toEqual(decoded(batch));
      const { attributes, compression, sizeBytes, ...rest } = readBatchHeader(made, 0);
      expect([compression, attributes]).toEqual([name, compressionId(name)]);
      expect(sizeBytes).toBe(made.length);
      expect(readBatchHeader(batch, 0)).toMatchObject(rest);
    }
  });

  it("leaves a batch alone that is compressed so already", () => {
    expect(recompressedBatch(BY_HAND, "none", options)).toBe(BY_HAND);
    expect(recompressedBatch(CAPTURED_SNAPPY, "snappy", options)).toBe(CAPTURED_SNAPPY);
  });

  it("refuses records that cannot be unpacked, or unpack to too much", () => {
    const broken = CAPTURED_SNAPPY.slice();
    broken.fill(0xff, BATCH_HEADER_BYTES + 4);
    expect(() => recompressedBatch(broken, "none", options)).toThrow(RecordError);
    const small = { ...options, outputBytesMax: 3 };
    expect(() => recompressedBatch(CAPTURED_SNAPPY, "gzip", small)).toThrow(RecordError);
  });
});
