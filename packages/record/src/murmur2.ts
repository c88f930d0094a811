/**
 * MurmurHash2 with the seed of Kafka's Java client: records of one key go to the same partition
 * whichever client library produced them.
 */
import { assert } from "@strandline/model";

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** The hash as an int32. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  const wholeEnd = length - (length % 4);
  let hash = SEED ^ length;
  for (let at = 0; at < wholeEnd; at += 4) {
    let block =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    block = Math.imul(block, MULTIPLIER);
    block = Math.imul(block ^ (block >>> 24), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ block;
  }
  if (wholeEnd < length) {
    for (let at = length - 1; at >= wholeEnd; at--) {
      hash ^= (bytes[at] as number) << (8 * (at - wholeEnd));
    }
    hash = Math.imul(hash, MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** Partition of a record with this key, in `[0, partitionCount)`. */
export function partitionForKey(key: Uint8Array, partitionCount: number): number {
  assert(partitionCount > 0, "a topic has at least one partition");
  return (murmur2(key) & 0x7fff_ffff) % partitionCount;
}
