import { AssertionError, portableCrc32c as crc32c } from "@strandline/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBatch } from "./batch-decoder.js";
import { BatchEncoder } from "./batch-encoder.js";
import { readBatchHeader } from "./batch-header.js";
import { batchProblem, producedBatchProblem } from "./batch-problem.js";
import { stampBatch } from "./batch-view.js";
import { type CompressionName, compressionOf } from "./compression.js";
import {
  anyRecords,
  ascii,
  BY_HAND,
  BY_HAND_PRODUCER,
  BY_HAND_RECORDS,
  batchOf,
  CAPTURED,
  hexOf,
} from "./testdata/batches.js";
import { toyCompressors } from "./testdata/toy-compressors.js";

const compression = compressionOf(toyCompressors);
const decodeOptions = { decompress: compression.decompress, outputBytesMax: 1 << 20 };

describe(BatchEncoder, () => {
  it("writes the bytes that were written out by hand", () => {
    expect(hexOf(batchOf(BY_HAND_RECORDS, BY_HAND_PRODUCER))).toBe(hexOf(BY_HAND));
  });

  it("writes the bytes that another client writes, but for what a broker stamps", () => {
    const batch = batchOf([
      {
        timestampMs: 0x1a1_fb89_2919,
        key: ascii("k1"),
        value: ascii("v1"),
        headers: [{ key: "h1", value: ascii("x") }],
      },
    ]);
    stampBatch(batch, 0, 0, 0);
    expect(hexOf(batch)).toBe(hexOf(CAPTURED));
  });

  it("says how large the batch is, and bounds what a record adds", () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        const encoder = new BatchEncoder({ initialBytes: 1 });
        for (const record of records) {
          const before = encoder.sizeBytes;
          encoder.append(record);
          const grownBytes = encoder.sizeBytes - before;
          expect(grownBytes).toBeLessThanOrEqual(BatchEncoder.recordBytesMax(record));
        }
        const { sizeBytes, recordCount } = encoder;
        expect(recordCount).toBe(records.length);
        expect(encoder.finish({ crc32c }).length).toBe(sizeBytes);
      }),
    );
  });

  it.each<CompressionName>(["none", "gzip", "snappy", "lz4", "zstd"])(
    "returns by %s what was put in, in a batch that a broker accepts",
    (name) => {
      fc.assert(
        fc.property(anyRecords, fc.nat(1_000_000), (records, baseOffset) => {
          const batch = batchOf(records, { compression: compression.compressor(name) });
          expect(producedBatchProblem(batch, crc32c)).toBeUndefined();
          stampBatch(batch, 0, baseOffset, 7);
          expect(batchProblem(batch, 0, batch.length, crc32c)).toBeUndefined();
          expect([...decodeBatch(batch, 0, decodeOptions)]).toEqual(
            records.map((record, index) => ({
              ...record,
              headers: record.headers ?? [],
              offset: baseOffset + index,
            })),
          );
        }),
      );
    },
  );

  it("states the first and the largest timestamp", () => {
    const record = { key: null, value: null };
    const batch = batchOf([
      { ...record, timestampMs: 500 },
      { ...record, timestampMs: 900 },
      { ...record, timestampMs: -1 },
    ]);
    const header = readBatchHeader(batch, 0);
    expect([header.baseTimestampMs, header.maxTimestampMs]).toEqual([500, 900]);
  });

  it("compresses the records and says by what", () => {
    const records = [{ timestampMs: 1, key: null, value: new Uint8Array(500).fill(7) }];
    for (const name of ["gzip", "snappy", "lz4", "zstd"] as const) {
      const batch = batchOf(records, { compression: compression.compressor(name) });
      expect(readBatchHeader(batch, 0).compression).toBe(name);
      expect(batch.length).toBeLessThan(150);
    }
  });

  it("leaves out compression that would make the batch larger", () => {
    const batch = batchOf([{ timestampMs: 1, key: null, value: ascii("abcdefgh") }], {
      compression: compression.compressor("gzip"),
    });
    expect(readBatchHeader(batch, 0).compression).toBe("none");
  });

  it("does not touch a finished batch when it builds the next ones", () => {
    const encoder = new BatchEncoder({ initialBytes: 128 });
    const batches: { batch: Uint8Array; copy: Uint8Array }[] = [];
    for (const valueBytes of [10, 300, 5, 5, 40, 1000, 1]) {
      encoder.append({ timestampMs: 1, key: null, value: new Uint8Array(valueBytes).fill(1) });
      const batch = encoder.finish({ crc32c });
      batches.push({ batch, copy: batch.slice() });
      encoder.reset();
    }
    for (const { batch, copy } of batches) expect(batch).toEqual(copy);
  });

  it("does not keep a large buffer alive by a small batch", () => {
    const encoder = new BatchEncoder({ initialBytes: 128 });
    for (const valueBytes of [100_000, 10, 10]) {
      encoder.append({ timestampMs: 1, key: null, value: new Uint8Array(valueBytes) });
      const batch = encoder.finish({ crc32c });
      expect(batch.buffer.byteLength).toBeLessThanOrEqual(2 * batch.length);
      encoder.reset();
    }
  });

  it("begins anew after a reset, finished or not", () => {
    const encoder = new BatchEncoder();
    encoder.append({ timestampMs: 5, key: null, value: ascii("dropped") });
    encoder.reset();
    expect([encoder.recordCount, encoder.sizeBytes]).toEqual([0, 61]);
    for (const record of BY_HAND_RECORDS) encoder.append(record);
    expect(hexOf(encoder.finish({ crc32c, ...BY_HAND_PRODUCER }))).toBe(hexOf(BY_HAND));
  });

  it("is not used against its order", () => {
    const record = { timestampMs: 1, key: null, value: null };
    expect(() => new BatchEncoder().finish({ crc32c })).toThrow(AssertionError);
    const encoder = new BatchEncoder();
    encoder.append(record);
    encoder.finish({ crc32c });
    expect(() => encoder.append(record)).toThrow(AssertionError);
    expect(() => encoder.finish({ crc32c })).toThrow(AssertionError);
  });

  it("takes no timestamp that a batch could not state", () => {
    for (const timestampMs of [Number.NaN, 1.5, -2, 2 ** 53 - 1, Number.POSITIVE_INFINITY]) {
      const encoder = new BatchEncoder();
      expect(() => encoder.append({ timestampMs, key: null, value: null })).toThrow(AssertionError);
    }
  });
});
