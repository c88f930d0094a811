/** The compression formats of a record batch, by the names and ids of the Kafka protocol. */
import { assert } from "@strandline/model";
import { decodeXerial, encodeXerial } from "./xerial.js";

const NAMES = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

export type CompressionName = (typeof NAMES)[number];

/** All names, each at the index that is its id in a batch's attributes. */
export const COMPRESSION_NAMES: readonly CompressionName[] = NAMES;

/** Id in a batch's attributes: 0 for none to 4 for zstd. */
export function compressionId(name: CompressionName): number {
  return NAMES.indexOf(name);
}

/** Name of an id, or undefined when no format has it. */
export function compressionName(id: number): CompressionName | undefined {
  return NAMES[id];
}

/**
 * One compression format, whole buffers at a time. `decompress` gives up with an error once the
 * output would pass `outputBytesMax`: the input is untrusted.
 */
export interface Compressor {
  compress(input: Uint8Array): Uint8Array;
  decompress(input: Uint8Array, outputBytesMax: number): Uint8Array;
}

/** Snappy is the raw block format here; the framing of batches is added by this package. */
export interface Compressors {
  readonly gzip: Compressor;
  readonly snappy: Compressor;
  readonly lz4: Compressor;
  readonly zstd: Compressor;
}

/** Unpacks the records of a batch. Throws when they are malformed or would pass the bound. */
export type Decompress = (
  name: CompressionName,
  bytes: Uint8Array,
  outputBytesMax: number,
) => Uint8Array;

/** What an encoder needs in order to compress a batch. */
export interface BatchCompressor {
  readonly name: CompressionName;
  compress(bytes: Uint8Array): Uint8Array;
}

/** Compression of batches, by name. Its functions may be passed on without their object. */
export interface Compression {
  readonly compress: (name: CompressionName, bytes: Uint8Array) => Uint8Array;
  readonly decompress: Decompress;
  /** The compressor for an encoder; undefined for "none". */
  readonly compressor: (name: CompressionName) => BatchCompressor | undefined;
}

/** The formats as they stand in a batch: as `compressors` has them, with snappy framed. */
export function compressionOf(compressors: Compressors): Compression {
  const compress = (name: CompressionName, bytes: Uint8Array): Uint8Array => {
    if (name === "none") return bytes;
    if (name === "snappy") return encodeXerial(bytes, compressors.snappy);
    return compressors[name].compress(bytes);
  };
  const decompress: Decompress = (name, bytes, outputBytesMax) => {
    assert(outputBytesMax >= 0, "a bound on the output is not negative");
    if (name === "none") return bytes;
    if (name === "snappy") return decodeXerial(bytes, compressors.snappy, outputBytesMax);
    return compressors[name].decompress(bytes, outputBytesMax);
  };
  const compressor = (name: CompressionName): BatchCompressor | undefined =>
    name === "none" ? undefined : { name, compress: (bytes) => compress(name, bytes) };
  return { compress, decompress, compressor };
}
