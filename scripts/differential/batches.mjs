/** Record batches for scenarios: good ones, and ones that are wrong in one way. */
import { crc32c, nodeCompressors } from "@strandline/platform";
import { BatchEncoder, compressionOf } from "@strandline/record";

/** The same for both sides of a run, and young enough that nothing expires. */
export const BASE_MS = Date.now() - 60_000;
const FIELDS = {
  baseOffset: (view, value) => view.setBigInt64(0, BigInt(value)),
  length: (view, value) => view.setInt32(8, value),
  leaderEpoch: (view, value) => view.setInt32(12, value),
  magic: (view, value) => view.setInt8(16, value),
  attributes: (view, value) => view.setInt16(21, value),
  lastOffsetDelta: (view, value) => view.setInt32(23, value),
  baseTimestamp: (view, value) => view.setBigInt64(27, BigInt(value)),
  maxTimestamp: (view, value) => view.setBigInt64(35, BigInt(value)),
  producerId: (view, value) => view.setBigInt64(43, BigInt(value)),
  producerEpoch: (view, value) => view.setInt16(51, value),
  baseSequence: (view, value) => view.setInt32(53, value),
  count: (view, value) => view.setInt32(57, value),
};
const { compressor } = compressionOf(nodeCompressors);

/**
 * A batch of `count` records. `set` overwrites fields of its header; the checksum is right after
 * that, unless `isDamaged`.
 */
export function batch({
  count = 1,
  valueBytes = 20,
  key = "key",
  timestampMs = BASE_MS,
  stepMs = 1,
  compression = "none",
  producer,
  set = {},
  isDamaged = false,
} = {}) {
  const encoder = new BatchEncoder();
  for (let at = 0; at < count; at += 1) {
    encoder.append({
      key: key === null ? null : Buffer.from(`${key}-${at}`),
      value: Buffer.alloc(valueBytes, `value ${at} `),
      timestampMs: timestampMs + at * stepMs,
      headers: at % 2 === 0 ? [] : [{ key: "h", value: Buffer.from("x") }],
    });
  }
  const bytes = encoder.finish({ crc32c, ...producer, compression: compressor(compression) });
  const result = Buffer.from(bytes);
  const view = new DataView(result.buffer, result.byteOffset, result.length);
  for (const [name, value] of Object.entries(set)) FIELDS[name](view, value);
  view.setUint32(17, crc32c(result.subarray(21)));
  if (isDamaged) result[result.length - 1] ^= 0x55;
  return result;
}

/** A Produce request's body for one partition. */
export function produceBody(
  name,
  records,
  { partition = 0, acks = -1, transactionalId = null } = {},
) {
  return {
    transactionalId,
    acks,
    timeoutMs: 10_000,
    topicData: [{ name, partitionData: [{ index: partition, records }] }],
  };
}
