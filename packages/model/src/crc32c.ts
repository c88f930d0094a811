/**
 * CRC-32C (Castagnoli), the checksum of a record batch, by tables, eight bytes per step.
 *
 * The pure form: what an adapter uses for few bytes, or where nothing faster loads, and what it is
 * tested against.
 */

/**
 * CRC-32C of `bytes`, going on from `seed`: the value of the bytes before them, 0 at the start.
 * `crc32c(b, crc32c(a))` is the value of `a` followed by `b`. Unsigned.
 */
export type Crc32c = (bytes: Uint8Array, seed?: number) => number;

/** The polynomial 0x1edc6f41, lowest power first. */
const POLYNOMIAL = 0x82f63b78;

/** Entry `256 k + b`: what byte `b` does to the register when `k` more bytes follow it. */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) {
      value = (value & 1) === 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    }
    tables[byte] = value;
  }
  for (let entry = 256; entry < tables.length; entry++) {
    const previous = tables[entry - 256] as number;
    tables[entry] = (previous >>> 8) ^ (tables[previous & 0xff] as number);
  }
  return tables;
}

/** See {@link Crc32c}. */
export function portableCrc32c(bytes: Uint8Array, seed = 0): number {
  const tables = TABLES;
  const end = bytes.length;
  const wholeEnd = end - (end % 8);
  let value = ~seed;
  let at = 0;
  for (; at < wholeEnd; at += 8) {
    value ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    value =
      (tables[1792 + (value & 0xff)] as number) ^
      (tables[1536 + ((value >>> 8) & 0xff)] as number) ^
      (tables[1280 + ((value >>> 16) & 0xff)] as number) ^
      (tables[1024 + (value >>> 24)] as number) ^
      (tables[768 + (bytes[at + 4] as number)] as number) ^
      (tables[512 + (bytes[at + 5] as number)] as number) ^
      (tables[256 + (bytes[at + 6] as number)] as number) ^
      (tables[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) {
    value = (value >>> 8) ^ (tables[(value ^ (bytes[at] as number)) & 0xff] as number);
  }
  return ~value >>> 0;
}
