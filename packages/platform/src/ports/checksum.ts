/**
 * CRC-32C (Castagnoli) of `bytes`, going on from `seed`: the value of the bytes before them, 0 at
 * the start. `crc32c(b, crc32c(a))` is the value of `a` followed by `b`. Unsigned.
 */
export type Crc32c = (bytes: Uint8Array, seed?: number) => number;
