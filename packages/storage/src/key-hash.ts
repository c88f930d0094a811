/**
 * 128-bit hash of a record's key: MurmurHash3 in its form for 32-bit machines, which JavaScript's
 * integers are. Two keys of one hash would be taken for one, and the older of them lost; with 128
 * bits that does not happen by chance, and the seed is new for each round of compaction.
 */

const MULTIPLIERS = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93] as const;
const BLOCK_BYTES = 16;

/** Writes the hash of `bytes` into the four places of `hash`. */
export function hashKey(bytes: Uint8Array, seed: number, hash: Int32Array): void {
  const [m1, m2, m3, m4] = MULTIPLIERS;
  let h1 = seed | 0;
  let h2 = h1;
  let h3 = h1;
  let h4 = h1;
  const wholeEnd = bytes.length - (bytes.length % BLOCK_BYTES);
  for (let at = 0; at < wholeEnd; at += BLOCK_BYTES) {
    h1 ^= Math.imul(rotated(Math.imul(word(bytes, at), m1), 15), m2);
    h1 = (Math.imul((rotated(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotated(Math.imul(word(bytes, at + 4), m2), 16), m3);
    h2 = (Math.imul((rotated(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotated(Math.imul(word(bytes, at + 8), m3), 17), m4);
    h3 = (Math.imul((rotated(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotated(Math.imul(word(bytes, at + 12), m4), 18), m1);
    h4 = (Math.imul((rotated(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  // Missing bytes read as zero, and a word of zeros changes nothing.
  if (wholeEnd < bytes.length) {
    h1 ^= Math.imul(rotated(Math.imul(lastWord(bytes, wholeEnd), m1), 15), m2);
    h2 ^= Math.imul(rotated(Math.imul(lastWord(bytes, wholeEnd + 4), m2), 16), m3);
    h3 ^= Math.imul(rotated(Math.imul(lastWord(bytes, wholeEnd + 8), m3), 17), m4);
    h4 ^= Math.imul(rotated(Math.imul(lastWord(bytes, wholeEnd + 12), m4), 18), m1);
  }
  finish(hash, bytes.length, [h1, h2, h3, h4]);
}

type Words = readonly [number, number, number, number];

function finish(hash: Int32Array, length: number, words: Words): void {
  let [h1, h2, h3, h4] = words;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = ((h1 ^ length) + h2 + h3 + h4) | 0;
  h2 = mixed((h2 + h1) | 0);
  h3 = mixed((h3 + h1) | 0);
  h4 = mixed((h4 + h1) | 0);
  h1 = (mixed(h1) + h2 + h3 + h4) | 0;
  hash[0] = h1;
  hash[1] = h2 + h1;
  hash[2] = h3 + h1;
  hash[3] = h4 + h1;
}

function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function lastWord(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let index = Math.min(3, bytes.length - 1 - at); index >= 0; index--) {
    value = (value << 8) | (bytes[at + index] as number);
  }
  return value;
}
