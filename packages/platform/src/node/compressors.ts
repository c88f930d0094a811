/**
 * The compression formats of the Kafka protocol on Node, synchronous and bounded.
 *
 * Every decoder is told beforehand, by the frame's own structure, how much could come out: none is
 * started on input that would pass the bound, or that makes it allocate what it merely declares.
 * Native modules are loaded at their first use.
 */
import { createRequire } from "node:module";
import * as zlib from "node:zlib";
import { CompressionError, type Compressor, type Compressors } from "../ports/compression.js";
import { joinChunks, outputTooLarge, type ScannedFrame } from "./frame-scan.js";
import { scanLz4Frame } from "./lz4-frame.js";
import { scanZstdFrame } from "./zstd-frame.js";
import { wasmZstdCompress, wasmZstdDecompress } from "./zstd-wasm.js";

/**
 * Output in memory of Node's. Otherwise it would stay in a native buffer of the largest size it
 * could have had, which the garbage collector counts by what is in it, and so lets pile up.
 */
const COPIED = { copyOutputData: true } as const;

interface SnappyModule {
  compressSync(input: Uint8Array, options: typeof COPIED): Uint8Array;
  uncompressSync(input: Uint8Array, options: typeof COPIED & { asBuffer: true }): Uint8Array;
}

interface Lz4Module {
  compressFrameSync(input: Uint8Array): Uint8Array;
  decompressFrameSync(input: Uint8Array): Uint8Array;
}

/** Node's own zstd: there from Node 22.15 on. */
interface ZstdOfZlib {
  zstdCompressSync(input: Uint8Array, options: { pledgedSrcSize: number }): Uint8Array;
  zstdDecompressSync(input: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}

const require = createRequire(import.meta.url);

let snappyModule: SnappyModule | undefined;
let lz4Module: Lz4Module | undefined;

function snappy(): SnappyModule {
  snappyModule ??= require("snappy") as SnappyModule;
  return snappyModule;
}

function lz4(): Lz4Module {
  lz4Module ??= require("lz4-napi") as Lz4Module;
  return lz4Module;
}

/** Runs a decoder. Whatever it throws, the input is at fault. */
function decoded(format: string, decode: () => Uint8Array): Uint8Array {
  try {
    return decode();
  } catch (error) {
    if (error instanceof CompressionError) throw error;
    throw new CompressionError(`the ${format} data is malformed`, { cause: error });
  }
}

const gzipCompressor: Compressor = {
  compress: (input) => zlib.gzipSync(input),
  decompress: (input, outputBytesMax) =>
    inflated("gzip", outputBytesMax, (maxOutputLength) =>
      zlib.gunzipSync(input, { maxOutputLength }),
    ),
};

/** Runs a decoder of node:zlib, which stops by itself at a bound of at least one byte. */
function inflated(
  format: string,
  outputBytesMax: number,
  decode: (maxOutputLength: number) => Uint8Array,
): Uint8Array {
  try {
    const output = decode(Math.max(outputBytesMax, 1));
    if (output.length <= outputBytesMax) return output;
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    if (!isTooLarge) {
      throw new CompressionError(`the ${format} data is malformed`, { cause: error });
    }
  }
  throw outputTooLarge(outputBytesMax);
}

/** A snappy element of 3 bytes copies 64 at most, so no input grows more than this. */
const SNAPPY_RATIO_MAX = 22;

const snappyCompressor: Compressor = {
  compress: (input) => snappy().compressSync(input, COPIED),
  decompress: (input, outputBytesMax) => {
    const declaredBytes = snappyDeclaredBytes(input);
    if (declaredBytes > outputBytesMax) throw outputTooLarge(outputBytesMax);
    if (declaredBytes > input.length * SNAPPY_RATIO_MAX) {
      throw new CompressionError("the snappy data declares more than it can hold");
    }
    return decoded("snappy", () => snappy().uncompressSync(input, { asBuffer: true, ...COPIED }));
  },
};

/** The size that a raw snappy block begins with, a varint of up to 32 bits. */
function snappyDeclaredBytes(input: Uint8Array): number {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = input[index];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return value;
  }
  throw new CompressionError("the snappy data has no size");
}

const lz4Compressor: Compressor = {
  compress: (input) => lz4().compressFrameSync(asBuffer(input)),
  decompress: (input, outputBytesMax) =>
    decompressFrames(input, outputBytesMax, {
      scan: (from, bound) => scanLz4Frame(input, from, bound),
      decode: (frame) => decoded("LZ4", () => lz4().decompressFrameSync(asBuffer(frame))),
    }),
};

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

const zlibZstd =
  (zlib as Partial<ZstdOfZlib>).zstdDecompressSync === undefined
    ? undefined
    : (zlib as unknown as ZstdOfZlib);

const zstdCompressor: Compressor = {
  // The frame declares its content's size, which spares readers a guess.
  compress: (input) =>
    zlibZstd === undefined
      ? wasmZstdCompress(input)
      : zlibZstd.zstdCompressSync(input, { pledgedSrcSize: input.length }),
  decompress: (input, outputBytesMax) =>
    decompressFrames(input, outputBytesMax, {
      scan: (from) => scanZstdFrame(input, from),
      decode: (frame, bound) => zstdDecompress(frame, bound),
    }),
};

function zstdDecompress(frame: Uint8Array, outputBytesMax: number): Uint8Array {
  if (zlibZstd === undefined) return wasmZstdDecompress(frame, outputBytesMax);
  return inflated("zstd", outputBytesMax, (maxOutputLength) =>
    zlibZstd.zstdDecompressSync(frame, { maxOutputLength }),
  );
}

interface FrameFormat {
  readonly scan: (from: number, outputBytesMax: number) => ScannedFrame;
  readonly decode: (frame: Uint8Array, outputBytesMax: number) => Uint8Array;
}

/** Decodes the frames of `input`, at least one, each only when all so far stay in the bound. */
function decompressFrames(
  input: Uint8Array,
  outputBytesMax: number,
  format: FrameFormat,
): Uint8Array {
  const outputs: Uint8Array[] = [];
  let remaining = outputBytesMax;
  let from = 0;
  do {
    const frame = format.scan(from, remaining);
    if (frame.isExact && frame.outputBytesMax > remaining) throw outputTooLarge(outputBytesMax);
    const output = format.decode(
      input.subarray(from, frame.end),
      Math.min(frame.outputBytesMax, remaining),
    );
    outputs.push(output);
    remaining -= output.length;
    from = frame.end;
  } while (from < input.length);
  return joinChunks(outputs);
}

export const nodeCompressors: Compressors = {
  gzip: gzipCompressor,
  snappy: snappyCompressor,
  lz4: lz4Compressor,
  zstd: zstdCompressor,
};
