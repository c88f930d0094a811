import { portableCrc32c as crc32c } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { decodeBatch } from "./batch-decoder.js";
import { batchProblem } from "./batch-problem.js";
import {
  attributes,
  deleteHorizon,
  isCleaned,
  largestTimestamp,
  stampBatch,
  stampLogAppendTime,
} from "./batch-view.js";
import { CleanedBatch, emptyBatch } from "./cleaned-batch.js";
import { compressionOf } from "./compression.js";
import { RecordError } from "./record-error.js";
import { BY_HAND, batchOf } from "./testdata/batches.js";
import { toyCompressors } from "./testdata/toy-compressors.js";

const compression = compressionOf(toyCompressors);
const OPTIONS = { decompress: compression.decompress, outputBytesMax: 1 << 16 };
const WRITE = { crc32c, compress: compression.compress, deleteHorizonMs: undefined };

const decode = (bytes: Uint8Array) => [...decodeBatch(bytes, 0, OPTIONS)];

/** What the test's batch holds, with its records at these places left in. */
function cleaned(bytes: Uint8Array, kept: readonly number[]): CleanedBatch {
  let index = 0;
  return new CleanedBatch(bytes, 0, { ...OPTIONS, keeps: () => kept.includes(index++) });
}

describe(CleanedBatch, () => {
  it("keeps the records that it is told to, as they were", () => {
    const all = decode(BY_HAND);
    for (const kept of [[0], [1], [2], [0, 2], [1, 2], [0, 1, 2]]) {
      const batch = cleaned(BY_HAND, kept);
      expect([batch.keptCount, batch.isWhole]).toEqual([kept.length, kept.length === 3]);
      const bytes = batch.write(WRITE);
      expect(batchProblem(bytes, 0, bytes.length, crc32c)).toBeUndefined();
      expect(decode(bytes)).toEqual(kept.map((index) => all[index]));
      expect(isCleaned(bytes, 0)).toBe(kept.length < 3);
    }
    expect(cleaned(BY_HAND, [0, 1, 2]).write(WRITE)).toEqual(BY_HAND);
  });

  it("tells timestamps from the time at which tombstones may go", () => {
    const all = decode(BY_HAND);
    for (const deleteHorizonMs of [0, 5, 1_900_000_000_000]) {
      const bytes = cleaned(BY_HAND, [1, 2]).write({ ...WRITE, deleteHorizonMs });
      expect(batchProblem(bytes, 0, bytes.length, crc32c)).toBeUndefined();
      expect(decode(bytes)).toEqual(all.slice(1));
      expect([deleteHorizon(bytes, 0), isCleaned(bytes, 0)]).toEqual([deleteHorizonMs, true]);
      const largest = Math.max(...all.slice(1).map(({ timestampMs }) => timestampMs));
      expect(largestTimestamp(bytes, 0)).toBe(largest);
      // And again: the time stays, whatever else goes.
      const again = cleaned(bytes, [1]).write(WRITE);
      expect(decode(again)).toEqual(all.slice(2));
      expect(deleteHorizon(again, 0)).toBe(deleteHorizonMs);
    }
  });

  it("keeps the time of the append, which is that of every record", () => {
    const bytes = BY_HAND.slice();
    stampBatch(bytes, 0, 100, 3);
    stampLogAppendTime(bytes, 0, 777, crc32c);
    const one = cleaned(bytes, [1]).write({ ...WRITE, deleteHorizonMs: 999 });
    expect(decode(one)).toMatchObject([{ offset: 101, timestampMs: 777 }]);
    expect(largestTimestamp(one, 0)).toBe(777);
  });

  it("packs what it unpacked", () => {
    const records = [0, 1, 2].map((number) => ({
      key: Uint8Array.of(number),
      value: new Uint8Array(200).fill(number),
      timestampMs: 5,
    }));
    const bytes = batchOf(records, { crc32c, compression: compression.compressor("gzip") });
    expect(attributes(bytes, 0) & 7).toBe(1);
    const one = cleaned(bytes, [2]).write(WRITE);
    expect(attributes(one, 0) & 7).toBe(1);
    expect(decode(one)).toMatchObject([{ offset: 2, key: Uint8Array.of(2) }]);
  });

  it("refuses what cannot be read", () => {
    expect(() => cleaned(BY_HAND.subarray(0, 70), [])).toThrow(RecordError);
    const broken = BY_HAND.slice();
    broken[61] = 0x7f;
    expect(() => cleaned(broken, [])).toThrow(RecordError);
  });
});

describe(emptyBatch, () => {
  it("keeps the place in the log and the producer's numbers, and no record", () => {
    const bytes = cleaned(BY_HAND, [0]).write({ ...WRITE, deleteHorizonMs: 9 });
    stampBatch(bytes, 0, 50, 2);
    const empty = emptyBatch(bytes, 0, crc32c);
    expect(empty).toHaveLength(61);
    expect(batchProblem(empty, 0, empty.length, crc32c)).toBeUndefined();
    expect(decode(empty)).toEqual([]);
    expect([deleteHorizon(empty, 0), largestTimestamp(empty, 0)]).toEqual([undefined, -1]);
    // All but the length, the checksum, the flags, the base timestamp and the count.
    expect(empty.subarray(0, 8)).toEqual(bytes.subarray(0, 8));
    expect(empty.subarray(23, 27)).toEqual(bytes.subarray(23, 27));
    expect(empty.subarray(35, 57)).toEqual(bytes.subarray(35, 57));
  });
});
