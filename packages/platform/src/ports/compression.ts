/**
 * One compression format, whole buffers at a time. `decompress` must give up with a
 * `CompressionError` once the output would pass `outputBytesMax`: the input is untrusted.
 */
export interface Compressor {
  compress(input: Uint8Array): Uint8Array;
  decompress(input: Uint8Array, outputBytesMax: number): Uint8Array;
}

/** The formats of the Kafka protocol. Snappy is the raw block format; framing is the caller's. */
export interface Compressors {
  readonly gzip: Compressor;
  readonly snappy: Compressor;
  readonly lz4: Compressor;
  readonly zstd: Compressor;
}

/** Input that is not of its format, or that would unpack past the bound. */
export class CompressionError extends Error {
  override readonly name = "CompressionError";
}
