/**
 * CRC-32C by the processor's instruction where a native module loads, by tables where none does
 * or where the bytes are too few to pay for the call.
 */
import { createRequire } from "node:module";
import { type Crc32c, portableCrc32c } from "@strandline/model";

interface NativeModule {
  crc32c(bytes: Uint8Array, seed?: number): number;
}

/** Below this many bytes the tables are faster than the call into native code. */
const NATIVE_BYTES_MIN = 192;

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
