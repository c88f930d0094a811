/**
 * CRC-32C by the processor's instruction where a native module loads, by tables where none does
 * or where the bytes are too few to pay for the call.
 */
import { createRequire } from "node:module";
import type { Crc32c } from "../ports/checksum.js";

interface NativeModule {
  crc32c(bytes: Uint8Array, seed?: number): number;
}

/** Below this many bytes the tables are faster than the call into native code. */
const NATIVE_BYTES_MIN = 192;

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

/** CRC-32C by tables, eight bytes per step. */
export const portableCrc32c: Crc32c = (bytes, seed = 0) => {
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
};

/** The native function, or undefined on a platform without a build of the module. */
export function loadNativeCrc32c(): Crc32c | undefined {
  try {
    const native = createRequire(import.meta.url)("@node-rs/crc32") as NativeModule;
    return (bytes, seed = 0) => native.crc32c(bytes, seed);
  } catch {
    return undefined;
  }
}

/** Takes the faster of the two for each call. */
export function combineCrc32c(native: Crc32c | undefined): Crc32c {
  if (native === undefined) return portableCrc32c;
  return (bytes, seed = 0) =>
    bytes.length < NATIVE_BYTES_MIN ? portableCrc32c(bytes, seed) : native(bytes, seed);
}

export const crc32c: Crc32c = combineCrc32c(loadNativeCrc32c());
