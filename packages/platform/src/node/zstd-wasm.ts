/**
 * Zstandard by WebAssembly, for Node releases whose zlib has none.
 *
 * Its package offers an asynchronous start only, and allocates what a frame declares. So its
 * module is started here, synchronously and at first use, and called at the level of the C
 * library, where the capacity of the output is ours to choose.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { assert } from "@strandline/model";
import { CompressionError } from "../ports/compression.js";
import { outputTooLarge } from "./frame-scan.js";

/** As much of the global as is used here: the compiler knows it with the browser's types only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => object;
};

/** What the package's module offers once it runs: the C library, and its memory. */
interface ZstdModule {
  instantiateWasm?: (imports: object, receive: (instance: object) => unknown) => unknown;
  init(source: undefined): void;
  /** Replaced whenever the memory grows. */
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  _ZSTD_isError(code: number): number;
  _ZSTD_compressBound(bytes: number): number;
  _ZSTD_compress(to: number, toBytes: number, from: number, bytes: number, level: number): number;
  _ZSTD_decompress(to: number, toBytes: number, from: number, bytes: number): number;
}

const LEVEL = 3;

/** The library's error for an output that does not fit. */
const OUTPUT_TOO_SMALL = -70;

let running: ZstdModule | undefined;

function zstd(): ZstdModule {
  if (running !== undefined) return running;
  const require = createRequire(import.meta.url);
  const directory = dirname(require.resolve("@bokuweb/zstd-wasm"));
  const { Module } = require(join(directory, "module.js")) as { Module: ZstdModule };
  Module.instantiateWasm = (imports, receive) => {
    const module = new WebAssembly.Module(readFileSync(join(directory, "zstd.wasm")));
    return receive(new WebAssembly.Instance(module, imports));
  };
  Module.init(undefined);
  assert(Module.HEAPU8 !== undefined, "the zstd module starts synchronously");
  running = Module;
  return running;
}

/** Compresses into one frame that declares its size. */
export function wasmZstdCompress(input: Uint8Array): Uint8Array {
  const module = zstd();
  return transform(input, module._ZSTD_compressBound(input.length), (to, toBytes, from) =>
    module._ZSTD_compress(to, toBytes, from, input.length, LEVEL),
  );
}

/** Decompresses one frame into at most `outputBytesMax` bytes. */
export function wasmZstdDecompress(frame: Uint8Array, outputBytesMax: number): Uint8Array {
  const module = zstd();
  return transform(frame, outputBytesMax, (to, toBytes, from) =>
    module._ZSTD_decompress(to, toBytes, from, frame.length),
  );
}

/** Runs one call of the library between two buffers of its memory. */
function transform(
  input: Uint8Array,
  outputBytesMax: number,
  call: (to: number, toBytes: number, from: number) => number,
): Uint8Array {
  const module = zstd();
  const from = module._malloc(Math.max(input.length, 1));
  const to = module._malloc(Math.max(outputBytesMax, 1));
  try {
    if (from === 0 || to === 0) throw new CompressionError("zstd is out of memory");
    module.HEAPU8.set(input, from);
    const size = call(to, outputBytesMax, from);
    if (size === OUTPUT_TOO_SMALL) throw outputTooLarge(outputBytesMax);
    if (module._ZSTD_isError(size) !== 0) throw new CompressionError("the zstd frame is malformed");
    return module.HEAPU8.slice(to, to + size);
  } finally {
    module._free(to);
    module._free(from);
  }
}
