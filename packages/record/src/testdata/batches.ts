/** Batches for tests: written out by hand, captured, and drawn at random. */

import { portableCrc32c as crc32c } from "@strandline/model";
import fc from "fast-check";
import { BatchEncoder, type FinishOptions, type RecordInput } from "../batch-encoder.js";
import { CRC_AT } from "../batch-layout.js";
import { computeCrc } from "../batch-view.js";
import { writeInt32 } from "../big-endian.js";

export const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (byte) => Number.parseInt(byte, 16));

export const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const ascii = (text: string): Uint8Array =>
  Uint8Array.from(text, (char) => char.charCodeAt(0));

/** Captured from librdkafka: one record k1 = v1 with a header h1 = x. */
export const CAPTURED = bytesOf(`
  0000000000000000 00000041 00000000 02 e642c076 0000 00000000 000001a1fb892919 000001a1fb892919
  ffffffffffffffff ffff ffffffff 00000001
  1e 00 00 00 04 6b31 04 7631 02 04 6831 02 78`);

/** Captured from librdkafka: one raw block of snappy with 40 times "a" and 44 times "b". */
export const CAPTURED_SNAPPY = bytesOf(`
  0000000000000000 0000004b 00000000 02 13a478ac 0002 00000001 000001a1fb892dd9 000001a1fb892dd9
  ffffffffffffffff ffff ffffffff 00000002
  62185c0000000150619a01001c0064000002015862aa01000000`);

/** Written out by hand from the format: three records that use every corner of it. */
export const BY_HAND = bytesOf(`
  0000000000000000 00000054 ffffffff 02 2528e332 0010 00000002 00000000000003e8 00000000000023e8
  000123456789abcd 0102 7ffffffe 00000003
  0e 00 00 00 01 02 61 00
  14 00 7f 02 00 01 02 04 c3a9 01
  1e 00 808001 04 02 6b 00 04 00 00 02 68 02 76`);

/** The records of {@link BY_HAND}: null, empty and filled fields; time going back and forth. */
export const BY_HAND_RECORDS: readonly RecordInput[] = [
  { timestampMs: 1000, key: null, value: ascii("a") },
  {
    timestampMs: 936,
    key: new Uint8Array(0),
    value: null,
    headers: [{ key: "é", value: null }],
  },
  {
    timestampMs: 9192,
    key: ascii("k"),
    value: new Uint8Array(0),
    headers: [
      { key: "", value: new Uint8Array(0) },
      { key: "h", value: ascii("v") },
    ],
  },
];

export const BY_HAND_PRODUCER = {
  producerId: 0x1_2345_6789_abcd,
  producerEpoch: 0x0102,
  baseSequence: 0x7fff_fffe,
  isTransactional: true,
} as const;

/** One batch of `records`. */
export function batchOf(
  records: readonly RecordInput[],
  options: Partial<FinishOptions> = {},
): Uint8Array {
  const encoder = new BatchEncoder({ initialBytes: 64 });
  for (const record of records) encoder.append(record);
  return encoder.finish({ crc32c, ...options });
}

/** A batch of `count` records without keys, one millisecond apart from timestamp 1000 on. */
export function smallBatch(count: number): Uint8Array {
  return batchOf(
    Array.from({ length: count }, (_, index) => ({
      timestampMs: 1000 + index,
      key: null,
      value: ascii(`value-${index}`),
    })),
  );
}

/** A copy in which `change` was made to the bytes and the checksum is right again. */
export function changed(batch: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = batch.slice();
  change(copy);
  writeInt32(copy, CRC_AT, computeCrc(copy, 0, crc32c));
  return copy;
}

const anyBytes = fc.option(fc.uint8Array({ maxLength: 60 }), { nil: null });

export const anyRecord: fc.Arbitrary<RecordInput> = fc.record({
  key: anyBytes,
  value: anyBytes,
  timestampMs: fc.oneof(
    fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER - 1 }),
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  ),
  headers: fc.array(
    fc.record({ key: fc.string({ unit: "grapheme", maxLength: 8 }), value: anyBytes }),
    { maxLength: 3 },
  ),
});

export const anyRecords: fc.Arbitrary<RecordInput[]> = fc.array(anyRecord, {
  minLength: 1,
  maxLength: 12,
});
