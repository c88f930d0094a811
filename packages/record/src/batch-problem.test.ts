import { BATCH_BYTES_LIMIT, portableCrc32c as crc32c } from "@strandline/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  BASE_TIMESTAMP_AT,
  BATCH_LENGTH_AT,
  LAST_OFFSET_DELTA_AT,
  LEADER_EPOCH_AT,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  RECORD_COUNT_AT,
} from "./batch-layout.js";
import { batchProblem, producedBatchProblem } from "./batch-problem.js";
import { stampBatch } from "./batch-view.js";
import { writeInt16, writeInt32, writeInt64 } from "./big-endian.js";
import { BY_HAND, CAPTURED, CAPTURED_SNAPPY, changed, smallBatch } from "./testdata/batches.js";

const kindOf = (bytes: Uint8Array, at = 0, end = bytes.length) =>
  batchProblem(bytes, at, end, crc32c)?.kind;

describe(batchProblem, () => {
  it("finds nothing in whole batches, wherever they are", () => {
    for (const batch of [BY_HAND, CAPTURED, CAPTURED_SNAPPY, smallBatch(20)]) {
      expect(kindOf(batch)).toBeUndefined();
      expect(kindOf(Uint8Array.of(1, 2, ...batch, 3), 2)).toBeUndefined();
    }
  });

  it("finds every flipped bit but those of what a broker stamps", () => {
    const batch = smallBatch(3);
    // With and without another batch behind it, which a longer length would reach into.
    for (const bytes of [batch, Uint8Array.of(...batch, ...batch)]) {
      for (let bit = 0; bit < 8 * batch.length; bit++) {
        const at = bit >> 3;
        if (at < BATCH_LENGTH_AT || (at >= LEADER_EPOCH_AT && at < MAGIC_AT)) continue;
        const flipped = bytes.slice();
        flipped[at] = (flipped[at] as number) ^ (1 << (bit & 7));
        expect(kindOf(flipped), `bit ${bit}`).toBeDefined();
      }
    }
  });

  it("leaves base offset and leader epoch to the log, which knows what they must be", () => {
    const batch = smallBatch(1);
    stampBatch(batch, 0, 12_345, 6);
    expect(kindOf(batch)).toBeUndefined();
    batch[0] = 0x80;
    expect(kindOf(batch)).toBe("corrupt");
    batch[0] = 0x40;
    expect(kindOf(batch)).toBe("corrupt");
    stampBatch(batch, 0, 0, -2);
    expect(kindOf(batch)).toBe("corrupt");
  });

  it("calls a batch incomplete at every byte that is missing", () => {
    const batch = smallBatch(3);
    for (let length = 0; length < batch.length; length++) {
      expect(kindOf(batch.subarray(0, length))).toBe("incomplete");
      expect(kindOf(batch, 0, length)).toBe("incomplete");
    }
  });

  it("does not read past the bytes there are, whatever end it is told", () => {
    const batch = smallBatch(3);
    expect(kindOf(batch.subarray(0, batch.length - 1), 0, batch.length)).toBe("incomplete");
  });

  it("calls a tail of zeros corrupt, so that nobody steps through it", () => {
    expect(kindOf(new Uint8Array(4096))).toBe("corrupt");
    expect(kindOf(new Uint8Array(12))).toBe("corrupt");
  });

  it("calls a length corrupt that no batch has, before anyone waits for it", () => {
    for (const length of [-1, -(2 ** 31), 48, BATCH_BYTES_LIMIT - 11, 2 ** 31 - 1]) {
      const batch = smallBatch(1);
      writeInt32(batch, BATCH_LENGTH_AT, length);
      expect(kindOf(batch)).toBe("corrupt");
    }
    const largest = smallBatch(1);
    writeInt32(largest, BATCH_LENGTH_AT, BATCH_BYTES_LIMIT - 12);
    expect(kindOf(largest)).toBe("incomplete");
  });

  it.each<[string, (batch: Uint8Array) => void]>([
    ["an unknown compression", (batch) => writeInt16(batch, ATTRIBUTES_AT, 5)],
    ["a negative last offset", (batch) => writeInt32(batch, LAST_OFFSET_DELTA_AT, -1)],
    ["more records than offsets", (batch) => writeInt32(batch, RECORD_COUNT_AT, 4)],
    ["a negative record count", (batch) => writeInt32(batch, RECORD_COUNT_AT, -1)],
    ["a base timestamp below -1", (batch) => writeInt64(batch, BASE_TIMESTAMP_AT, -2)],
    ["a maximal timestamp beyond numbers", (batch) => writeInt64(batch, MAX_TIMESTAMP_AT, 2 ** 60)],
    ["a producer id below -1", (batch) => writeInt64(batch, PRODUCER_ID_AT, -2)],
    ["a producer epoch below -1", (batch) => writeInt16(batch, PRODUCER_EPOCH_AT, -2)],
    ["a base sequence below -1", (batch) => writeInt32(batch, BASE_SEQUENCE_AT, -2)],
  ])("calls %s invalid under a right checksum", (_, change) => {
    expect(kindOf(changed(smallBatch(3), change))).toBe("invalid");
  });

  it("calls a last offset beyond numbers invalid", () => {
    const batch = smallBatch(3);
    stampBatch(batch, 0, Number.MAX_SAFE_INTEGER - 3, 0);
    expect(kindOf(batch)).toBeUndefined();
    stampBatch(batch, 0, Number.MAX_SAFE_INTEGER - 2, 0);
    expect(kindOf(batch)).toBe("invalid");
  });

  it("lets pass what a compaction leaves: gaps, and no records at all", () => {
    for (const count of [0, 1, 2]) {
      const batch = changed(smallBatch(3), (copy) => writeInt32(copy, RECORD_COUNT_AT, count));
      expect(kindOf(batch)).toBeUndefined();
    }
  });

  it("says something about any bytes, and never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), (bytes, at) => {
        expect(kindOf(bytes, at)).toBeDefined();
      }),
    );
  });
});

describe(producedBatchProblem, () => {
  const codeOf = (bytes: Uint8Array) => producedBatchProblem(bytes, crc32c)?.code;

  it("finds nothing in what clients send", () => {
    for (const batch of [BY_HAND, CAPTURED, CAPTURED_SNAPPY, smallBatch(20)]) {
      expect(codeOf(batch)).toBeUndefined();
    }
  });

  it("accepts the 0 that some clients send in place of no producer epoch and sequence", () => {
    const batch = changed(smallBatch(3), (copy) => {
      writeInt16(copy, PRODUCER_EPOCH_AT, 0);
      writeInt32(copy, BASE_SEQUENCE_AT, 0);
    });
    expect(codeOf(batch)).toBeUndefined();
  });

  it("accepts a maximal timestamp that was left out", () => {
    const batch = changed(smallBatch(3), (copy) => writeInt64(copy, MAX_TIMESTAMP_AT, -1));
    expect(codeOf(batch)).toBeUndefined();
  });

  it("refuses no batch, and more than one", () => {
    const batch = smallBatch(1);
    expect(codeOf(new Uint8Array(0))).toBe("INVALID_RECORD");
    expect(codeOf(Uint8Array.of(...batch, ...batch))).toBe("INVALID_RECORD");
    expect(codeOf(Uint8Array.of(...batch, 0))).toBe("INVALID_RECORD");
  });

  it("refuses older formats by name, before it looks at a checksum they do not have", () => {
    const batch = smallBatch(1);
    batch[MAGIC_AT] = 1;
    expect(producedBatchProblem(batch, crc32c)).toEqual({
      code: "INVALID_RECORD",
      message: "format version 1 is not supported, only 2",
    });
  });

  it("refuses bytes that were damaged or cut off on the way", () => {
    const batch = smallBatch(3);
    for (let length = 1; length < batch.length; length++) {
      expect(codeOf(batch.subarray(0, length))).toBe("CORRUPT_MESSAGE");
    }
    batch[70] = (batch[70] as number) ^ 1;
    expect(codeOf(batch)).toBe("CORRUPT_MESSAGE");
  });

  it("refuses a batch beyond any limit for its size", () => {
    expect(codeOf(new Uint8Array(BATCH_BYTES_LIMIT + 1))).toBe("MESSAGE_TOO_LARGE");
  });

  it.each<[string, string, (batch: Uint8Array) => void]>([
    [
      "an unknown compression",
      "UNSUPPORTED_COMPRESSION_TYPE",
      (b) => writeInt16(b, ATTRIBUTES_AT, 7),
    ],
    ["a base timestamp below -1", "INVALID_TIMESTAMP", (b) => writeInt64(b, BASE_TIMESTAMP_AT, -2)],
    [
      "a maximum beyond numbers",
      "INVALID_TIMESTAMP",
      (b) => writeInt64(b, MAX_TIMESTAMP_AT, 2 ** 60),
    ],
    ["the time of an append", "INVALID_TIMESTAMP", (b) => writeInt16(b, ATTRIBUTES_AT, 0x08)],
    ["control records", "INVALID_RECORD", (b) => writeInt16(b, ATTRIBUTES_AT, 0x20)],
    ["a delete horizon", "INVALID_RECORD", (b) => writeInt16(b, ATTRIBUTES_AT, 0x40)],
    ["a transaction of nobody", "INVALID_RECORD", (b) => writeInt16(b, ATTRIBUTES_AT, 0x10)],
    ["a base offset", "INVALID_RECORD", (b) => stampBatch(b, 0, 1, -1)],
    ["no records", "INVALID_RECORD", (b) => writeInt32(b, RECORD_COUNT_AT, 0)],
    ["fewer records than offsets", "INVALID_RECORD", (b) => writeInt32(b, RECORD_COUNT_AT, 2)],
    ["more records than offsets", "INVALID_RECORD", (b) => writeInt32(b, RECORD_COUNT_AT, 4)],
    [
      "a last offset before the first",
      "INVALID_RECORD",
      (b) => writeInt32(b, LAST_OFFSET_DELTA_AT, -4),
    ],
    ["a producer id below -1", "INVALID_RECORD", (b) => writeInt64(b, PRODUCER_ID_AT, -2)],
    ["a producer id without an epoch", "INVALID_RECORD", (b) => writeInt64(b, PRODUCER_ID_AT, 9)],
    [
      "a producer id without a sequence",
      "INVALID_RECORD",
      (b) => {
        writeInt64(b, PRODUCER_ID_AT, 9);
        writeInt16(b, PRODUCER_EPOCH_AT, 0);
      },
    ],
  ])("refuses %s as %s", (_, code, change) => {
    expect(codeOf(changed(smallBatch(3), change))).toBe(code);
  });

  it("accepts nothing that a replica would refuse", () => {
    const change = fc.tuple(
      fc.constantFrom(21, 23, 27, 35, 43, 51, 53, 57).chain((at) => fc.nat(7).map((n) => at + n)),
      fc.constantFrom(0, 1, 2, 0x10, 0x7f, 0x80, 0xff),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
        const batch = changed(BY_HAND, (copy) => {
          for (const [at, byte] of changes) copy[at] = byte;
        });
        if (codeOf(batch) !== undefined) return;
        stampBatch(batch, 0, 1_000_000, 3);
        expect(kindOf(batch)).toBeUndefined();
      }),
      { numRuns: 3000 },
    );
  });

  it("says something about any bytes, and never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOf(bytes)).toBeDefined();
      }),
    );
  });
});
