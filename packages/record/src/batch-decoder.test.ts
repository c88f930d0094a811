import { AssertionError, portableCrc32c as crc32c } from "@strandline/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchesIn, decodeBatch, producedRecordsProblem } from "./batch-decoder.js";
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_AT,
  LAST_OFFSET_DELTA_AT,
  RECORD_COUNT_AT,
} from "./batch-layout.js";
import { stampBatch, stampLogAppendTime } from "./batch-view.js";
import { writeInt16, writeInt32, writeInt64 } from "./big-endian.js";
import { type CompressionName, compressionId, compressionOf } from "./compression.js";
import { RecordError } from "./record-error.js";
import {
  ascii,
  BY_HAND,
  BY_HAND_RECORDS,
  batchOf,
  bytesOf,
  CAPTURED,
  CAPTURED_SNAPPY,
  smallBatch,
} from "./testdata/batches.js";
import { toyCompressors } from "./testdata/toy-compressors.js";

const { decompress, compressor } = compressionOf(toyCompressors);
const options = { decompress, outputBytesMax: 1 << 16 };
const decode = (bytes: Uint8Array, at = 0) => [...decodeBatch(bytes, at, options)];

/** A batch whose records are `records`, said to be `count` with offsets up to `count - 1`. */
function batchAround(records: Uint8Array, count: number, name: CompressionName = "none") {
  const batch = new Uint8Array(BATCH_HEADER_BYTES + records.length);
  batch.set(smallBatch(1).subarray(0, BATCH_HEADER_BYTES));
  batch.set(records, BATCH_HEADER_BYTES);
  writeInt32(batch, BATCH_LENGTH_AT, batch.length - 12);
  writeInt16(batch, ATTRIBUTES_AT, compressionId(name));
  writeInt32(batch, RECORD_COUNT_AT, count);
  writeInt32(batch, LAST_OFFSET_DELTA_AT, count - 1);
  return batch;
}

describe(decodeBatch, () => {
  it("reads the batch written by hand", () => {
    expect(decode(Uint8Array.of(7, ...BY_HAND, 7), 1)).toEqual(
      BY_HAND_RECORDS.map((record, offset) => ({ headers: [], ...record, offset })),
    );
  });

  it("reads a batch of another client", () => {
    expect(decode(CAPTURED)).toEqual([
      {
        offset: 0,
        timestampMs: 0x1a1_fb89_2919,
        key: ascii("k1"),
        value: ascii("v1"),
        headers: [{ key: "h1", value: ascii("x") }],
      },
    ]);
  });

  it("reads another client's batch of one raw block of snappy", () => {
    const values = decode(CAPTURED_SNAPPY).map((record) => record.value);
    expect(values).toEqual([ascii("a".repeat(40)), ascii("b".repeat(44))]);
  });

  it("gives views of an uncompressed batch, not copies", () => {
    const batch = smallBatch(2);
    for (const record of decode(batch)) expect(record.value?.buffer).toBe(batch.buffer);
  });

  it("counts offsets from the base offset", () => {
    const batch = smallBatch(3);
    stampBatch(batch, 0, 1000, 1);
    expect(decode(batch).map((record) => record.offset)).toEqual([1000, 1001, 1002]);
  });

  it("gives every record the time of the append when the broker set it", () => {
    const batch = smallBatch(3);
    stampLogAppendTime(batch, 0, 77_000, crc32c);
    expect(decode(batch).map((record) => record.timestampMs)).toEqual([77_000, 77_000, 77_000]);
  });

  it("reads what a compaction left, gaps included, and batches without records", () => {
    // Offsets 1 and 4 of five.
    const records = bytesOf("0e 00 00 02 01 02 61 00  0e 00 00 08 01 02 62 00");
    const batch = batchAround(records, 2);
    writeInt32(batch, LAST_OFFSET_DELTA_AT, 4);
    expect(decode(batch).map((record) => record.offset)).toEqual([1, 4]);
    expect(decode(batchAround(new Uint8Array(0), 0))).toEqual([]);
  });

  it("reads a record only when it is asked for", () => {
    const batch = smallBatch(3);
    batch.fill(0xff, batch.length - 10);
    const records = decodeBatch(batch, 0, options);
    expect(records.next().value?.offset).toBe(0);
    expect(records.next().value?.offset).toBe(1);
    expect(() => records.next()).toThrow(RecordError);
  });

  it("throws a RecordError for a batch cut off at any byte", () => {
    for (const batch of [BY_HAND, CAPTURED_SNAPPY]) {
      for (let length = 0; length < batch.length; length++) {
        expect(() => decode(batch.subarray(0, length))).toThrow(RecordError);
      }
    }
  });

  it("throws a RecordError for records cut off at any byte", () => {
    const records = BY_HAND.subarray(BATCH_HEADER_BYTES);
    for (let length = 0; length < records.length; length++) {
      expect(() => decode(batchAround(records.subarray(0, length), 3))).toThrow(RecordError);
    }
  });

  it.each([
    ["a length below zero", "01 00 00 00 01 02 61 00"],
    ["a length beyond the batch", "10 00 00 00 01 02 61 00"],
    ["a length shorter than its fields", "0c 00 00 00 01 02 61 00"],
    ["a length longer than its fields", "10 00 00 00 01 02 61 00 00"],
    ["a key longer than the record", "0e 00 00 00 08 02 61 00"],
    ["a key of a negative length but -1", "0e 00 00 00 03 02 61 00"],
    ["a value longer than the record", "0e 00 00 00 01 06 61 00"],
    ["a negative count of headers", "0e 00 00 00 01 02 61 01"],
    ["more headers than there are", "0e 00 00 00 01 02 61 02"],
    ["more headers than there are bytes", "16 00 00 00 01 02 61 feffffff0f"],
    ["a header without a key", "12 00 00 00 01 02 61 02 01 01"],
    ["a negative offset", "0e 00 00 01 01 02 61 00"],
    ["an offset past the last", "0e 00 00 02 01 02 61 00"],
    ["data after the last record", "0e 00 00 00 01 02 61 00 00"],
    ["no data", ""],
  ])("throws a RecordError for a record with %s", (_, hex) => {
    expect(() => decode(batchAround(bytesOf(hex), 1))).toThrow(RecordError);
  });

  it("throws a RecordError for offsets that do not rise", () => {
    const records = bytesOf("0e 00 00 02 01 02 61 00  0e 00 00 02 01 02 62 00");
    expect(() => decode(batchAround(records, 2))).toThrow(RecordError);
  });

  it("throws a RecordError for a timestamp beyond numbers", () => {
    const batch = batchAround(bytesOf("1c 00 feffffffffffff1f 00 01 02 61 00"), 1);
    writeInt64(batch, BASE_TIMESTAMP_AT, 0);
    expect(decode(batch)[0]?.timestampMs).toBe(Number.MAX_SAFE_INTEGER);
    writeInt64(batch, BASE_TIMESTAMP_AT, 1);
    expect(() => decode(batch)).toThrow(RecordError);
  });

  it("throws nothing but RecordErrors for random records, however many are declared", () => {
    const byte = fc.oneof(fc.constantFrom(0, 1, 2, 0x0e, 0x10, 0x80), fc.nat(255));
    const name = fc.constantFrom<CompressionName>("none", "gzip", "snappy", "lz4", "zstd");
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 80 }), name, (list, compression) => {
        const batch = batchAround(Uint8Array.from(list), 0x7fff_ffff, compression);
        let count = 0;
        try {
          for (const _ of decodeBatch(batch, 0, options)) count++;
        } catch (error) {
          expect(error).toBeInstanceOf(RecordError);
        }
        // No record takes fewer than seven bytes.
        expect(count).toBeLessThanOrEqual(options.outputBytesMax / 7);
      }),
      { numRuns: 5000 },
    );
  });

  it("throws nothing but RecordErrors for random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(10), (bytes, at) => {
        expect(() => decode(bytes, at)).toThrow(RecordError);
      }),
    );
  });

  it("refuses format versions it does not know", () => {
    const batch = smallBatch(1);
    batch[16] = 3;
    expect(() => decode(batch)).toThrow(RecordError);
  });
});

describe("a compressed batch", () => {
  const record = { timestampMs: 1, key: null, value: new Uint8Array(1000).fill(5) };
  const batch = batchOf([record], { compression: compressor("gzip") });

  it("is read within the bound and refused beyond it", () => {
    const recordsBytes = 1000 + 9;
    const within = decodeBatch(batch, 0, { decompress, outputBytesMax: recordsBytes });
    expect([...within]).toHaveLength(1);
    const beyond = decodeBatch(batch, 0, { decompress, outputBytesMax: recordsBytes - 1 });
    expect(() => [...beyond]).toThrow(RecordError);
  });

  it("is refused beyond the bound even if the decompressor does not keep to it", () => {
    const careless = () => new Uint8Array(2000);
    const records = decodeBatch(batch, 0, { decompress: careless, outputBytesMax: 1999 });
    expect(() => records.next()).toThrow(RecordError);
  });

  it("is refused when nothing unpacks it", () => {
    expect(() => decodeBatch(batch, 0, { outputBytesMax: 5000 }).next()).toThrow(RecordError);
  });

  it("turns a decompressor's error into a RecordError with its cause", () => {
    const cause = new Error("bad block");
    const failing = () => {
      throw cause;
    };
    const records = decodeBatch(batch, 0, { decompress: failing, outputBytesMax: 5000 });
    expect(() => records.next()).toThrow(
      expect.objectContaining({ name: "RecordError", cause }) as Error,
    );
  });

  it("does not hide a bug of the decompressor", () => {
    const buggy = () => {
      throw new AssertionError("bug");
    };
    const records = decodeBatch(batch, 0, { decompress: buggy, outputBytesMax: 5000 });
    expect(() => records.next()).toThrow(AssertionError);
  });
});

describe(producedRecordsProblem, () => {
  it("finds nothing in what clients send", () => {
    for (const batch of [BY_HAND, CAPTURED, CAPTURED_SNAPPY, smallBatch(20)]) {
      expect(producedRecordsProblem(batch, options)).toBeUndefined();
    }
  });

  it("refuses offsets with a gap, which a reader of a stored batch accepts", () => {
    const records = bytesOf("0e 00 00 02 01 02 61 00");
    const batch = batchAround(records, 1);
    writeInt32(batch, LAST_OFFSET_DELTA_AT, 1);
    expect(decode(batch)).toHaveLength(1);
    expect(producedRecordsProblem(batch, options)).toEqual({
      code: "INVALID_RECORD",
      message: "the offsets have gaps",
    });
  });

  it("names each record without a key, where keys are needed", () => {
    const records = [ascii("k"), null, ascii(""), null].map((key) => ({
      timestampMs: 1_000,
      key,
      value: ascii("v"),
    }));
    const problem = producedRecordsProblem(batchOf(records), { ...options, needsKeys: true });
    expect(problem?.code).toBe("INVALID_RECORD");
    expect(problem?.records?.map(({ index }) => index)).toEqual([1, 3]);
  });

  it("refuses exactly the batches that a reader would stop at", () => {
    const byte = fc.oneof(fc.constantFrom(0, 1, 2, 4, 0x0e, 0x10), fc.nat(255));
    const change = fc.tuple(fc.nat(34), byte);
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
        const batch = BY_HAND.slice();
        for (const [at, value] of changes) batch[BATCH_HEADER_BYTES + at] = value;
        let isReadable = true;
        try {
          isReadable = decode(batch).every((record, index) => record.offset === index);
        } catch (error) {
          expect(error).toBeInstanceOf(RecordError);
          isReadable = false;
        }
        expect(producedRecordsProblem(batch, options) === undefined).toBe(isReadable);
      }),
      { numRuns: 2000 },
    );
  });
});

describe(batchesIn, () => {
  const first = smallBatch(1);
  const second = smallBatch(5);
  const both = Uint8Array.of(...first, ...second);

  it("finds the whole batches and leaves out one that is cut off", () => {
    const whole = [
      { at: 0, sizeBytes: first.length },
      { at: first.length, sizeBytes: second.length },
    ];
    for (let length = 0; length <= both.length; length++) {
      const count = length === both.length ? 2 : length >= first.length ? 1 : 0;
      expect([...batchesIn(both.subarray(0, length))]).toEqual(whole.slice(0, count));
    }
  });

  it("throws a RecordError at a length that no batch has", () => {
    expect(() => [...batchesIn(new Uint8Array(100))]).toThrow(RecordError);
    expect(() => [...batchesIn(Uint8Array.of(...first, ...new Uint8Array(12)))]).toThrow(
      RecordError,
    );
  });

  it("comes to an end with any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          for (const { at, sizeBytes } of batchesIn(bytes)) {
            expect(at + sizeBytes).toBeLessThanOrEqual(bytes.length);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(RecordError);
        }
      }),
    );
  });
});
