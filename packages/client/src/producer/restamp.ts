/**
 * Renumbers a batch that is known not to be stored, for a producer that had to begin again under
 * another identity. Format: the header of record batch v2.
 */
import type { Crc32c } from "@strandline/model";
import type { BatchStamp } from "./pending-batch.js";

const CRC_AT = 17;
/** The checksum covers everything from here on. */
const CHECKED_FROM = 21;
const PRODUCER_ID_AT = 43;
const PRODUCER_EPOCH_AT = 51;
const BASE_SEQUENCE_AT = 53;

/** A copy with other numbers: whoever still holds the first copy must not see it change. */
export function restamped(batch: Uint8Array, stamp: BatchStamp, crc32c: Crc32c): Uint8Array {
  const copy = batch.slice();
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  view.setBigInt64(PRODUCER_ID_AT, BigInt(stamp.identity.producerId));
  view.setInt16(PRODUCER_EPOCH_AT, stamp.identity.producerEpoch);
  view.setInt32(BASE_SEQUENCE_AT, stamp.baseSequence);
  view.setUint32(CRC_AT, crc32c(copy.subarray(CHECKED_FROM)));
  return copy;
}
