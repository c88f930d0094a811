import { portableCrc32c as crc32c } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { readBatchHeader, sequenceAfter } from "./batch-header.js";
import { ATTRIBUTES_AT, PRODUCER_ID_AT } from "./batch-layout.js";
import { stampLogAppendTime } from "./batch-view.js";
import { writeInt16 } from "./big-endian.js";
import { RecordError } from "./record-error.js";
import { BY_HAND, smallBatch } from "./testdata/batches.js";

describe(readBatchHeader, () => {
  it("reads the header of a batch written by hand", () => {
    expect(readBatchHeader(Uint8Array.of(0, ...BY_HAND), 1)).toEqual({
      baseOffset: 0,
      lastOffset: 2,
      nextOffset: 3,
      sizeBytes: 96,
      leaderEpoch: -1,
      attributes: 0x10,
      compression: "none",
      isTransactional: true,
      isControl: false,
      timestampType: "create",
      baseTimestampMs: 1000,
      maxTimestampMs: 9192,
      producerId: 0x1_2345_6789_abcd,
      producerEpoch: 0x0102,
      baseSequence: 0x7fff_fffe,
      lastSequence: 0,
      recordCount: 3,
    });
  });

  it("tells whose clock the timestamps are from, and what the bits mean", () => {
    const batch = smallBatch(2);
    stampLogAppendTime(batch, 0, 5000, crc32c);
    expect(readBatchHeader(batch, 0)).toMatchObject({
      timestampType: "append",
      maxTimestampMs: 5000,
    });
    writeInt16(batch, ATTRIBUTES_AT, 0x24);
    expect(readBatchHeader(batch, 0)).toMatchObject({ compression: "zstd", isControl: true });
  });

  it("throws a RecordError when the bytes end inside the header", () => {
    const batch = smallBatch(1);
    for (let length = 0; length < 61; length++) {
      expect(() => readBatchHeader(batch.subarray(0, length), 0)).toThrow(RecordError);
    }
  });

  it("throws a RecordError for what no field can hold", () => {
    for (const at of [0, 27, 35, PRODUCER_ID_AT]) {
      const batch = smallBatch(1);
      batch[at] = 0x40;
      expect(() => readBatchHeader(batch, 0)).toThrow(RecordError);
    }
    const batch = smallBatch(1);
    batch[ATTRIBUTES_AT + 1] = 5;
    expect(() => readBatchHeader(batch, 0)).toThrow(RecordError);
  });
});

describe(sequenceAfter, () => {
  it("wraps from the largest int32 to 0", () => {
    expect(sequenceAfter(0, 4)).toBe(4);
    expect(sequenceAfter(0x7fff_ffff, 0)).toBe(0x7fff_ffff);
    expect(sequenceAfter(0x7fff_ffff, 1)).toBe(0);
    expect(sequenceAfter(0x7fff_fff0, 0x20)).toBe(16);
  });

  it("is -1 without a base", () => {
    expect(sequenceAfter(-1, 4)).toBe(-1);
  });
});
