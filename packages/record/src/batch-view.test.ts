import { portableCrc32c as crc32c } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { batchProblem } from "./batch-problem.js";
import * as view from "./batch-view.js";
import { BY_HAND, bytesOf, smallBatch } from "./testdata/batches.js";

/** A header in which every field differs from every other, behind three foreign bytes. */
const HEADER = bytesOf(`
  aabbcc 0000000123456789 00000031 0000000a 02 89abcdef 0018 00000007 0000018bcfe56800
  0000018bcfe56be8 0000000000abcdef 0203 04050607 00000008`);

describe("a view of a batch", () => {
  it("reads every field where the format has it", () => {
    expect(view.batchBytes(HEADER, 3)).toBe(12 + 0x31);
    expect(view.baseOffset(HEADER, 3)).toBe(0x1_2345_6789);
    expect(view.lastOffset(HEADER, 3)).toBe(0x1_2345_6790);
    expect(view.nextOffset(HEADER, 3)).toBe(0x1_2345_6791);
    expect(view.leaderEpoch(HEADER, 3)).toBe(10);
    expect(view.magic(HEADER, 3)).toBe(2);
    expect(view.crc(HEADER, 3)).toBe(0x89ab_cdef);
    expect(view.attributes(HEADER, 3)).toBe(0x18);
    expect(view.lastOffsetDelta(HEADER, 3)).toBe(7);
    expect(view.baseTimestamp(HEADER, 3)).toBe(1_700_000_000_000);
    expect(view.maxTimestamp(HEADER, 3)).toBe(1_700_000_001_000);
    expect(view.producerId(HEADER, 3)).toBe(0xab_cdef);
    expect(view.producerEpoch(HEADER, 3)).toBe(0x0203);
    expect(view.baseSequence(HEADER, 3)).toBe(0x0405_0607);
    expect(view.recordCount(HEADER, 3)).toBe(8);
  });

  it("reads -1 where a field says none", () => {
    const batch = smallBatch(1);
    expect(view.leaderEpoch(batch, 0)).toBe(-1);
    expect(view.producerId(batch, 0)).toBe(-1);
    expect(view.producerEpoch(batch, 0)).toBe(-1);
    expect(view.baseSequence(batch, 0)).toBe(-1);
  });
});

describe(view.stampBatch, () => {
  it("gives the batch its place and leaves the checksum right", () => {
    const batch = BY_HAND.slice();
    view.stampBatch(batch, 0, 0x12_3456_789a, 0x0102_0304);
    expect(batch.subarray(0, 8)).toEqual(bytesOf("000000123456789a"));
    expect(batch.subarray(12, 16)).toEqual(bytesOf("01020304"));
    expect(batch.subarray(16)).toEqual(BY_HAND.subarray(16));
    expect(batchProblem(batch, 0, batch.length, crc32c)).toBeUndefined();
  });

  it("touches no other batch in the same bytes", () => {
    const bytes = Uint8Array.of(...BY_HAND, ...BY_HAND, ...BY_HAND);
    view.stampBatch(bytes, BY_HAND.length, 77, 5);
    expect(bytes.subarray(0, BY_HAND.length)).toEqual(BY_HAND);
    expect(bytes.subarray(2 * BY_HAND.length)).toEqual(BY_HAND);
    expect(view.baseOffset(bytes, BY_HAND.length)).toBe(77);
  });
});

describe(view.stampLogAppendTime, () => {
  it("sets the time of the append and makes the checksum right", () => {
    const bytes = Uint8Array.of(9, 9, ...BY_HAND, 9);
    view.stampLogAppendTime(bytes, 2, 1_700_000_000_000, crc32c);
    expect(view.maxTimestamp(bytes, 2)).toBe(1_700_000_000_000);
    expect(view.attributes(bytes, 2)).toBe(0x18);
    expect(batchProblem(bytes, 2, bytes.length - 1, crc32c)).toBeUndefined();
    expect(bytes.at(-1)).toBe(9);
  });
});
