/**
 * Reads the structure of a compressed frame before a decoder sees it: the decoders are native,
 * take whole buffers, and allocate what the input makes them. What is scanned here is bounded.
 */
import { CompressionError } from "../ports/compression.js";

/** One frame of an input that may hold several, one after the other. */
export interface ScannedFrame {
  /** Where the frame ends in the input; exclusive. */
  readonly end: number;
  /** No more than this comes out. Bytes. */
  readonly outputBytesMax: number;
  /** True when exactly that comes out of a well-formed frame. */
  readonly isExact: boolean;
}

/** Little-endian integers of untrusted bytes; a read past the end is a {@link CompressionError}. */
export class FrameReader {
  readonly bytes: Uint8Array;
  position: number;

  constructor(bytes: Uint8Array, position: number) {
    this.bytes = bytes;
    this.position = position;
  }

  /** An unsigned integer of 1 to 6 bytes. */
  uint(sizeBytes: number): number {
    const from = this.position;
    this.skip(sizeBytes);
    let value = 0;
    for (let index = sizeBytes - 1; index >= 0; index--) {
      value = value * 256 + (this.bytes[from + index] as number);
    }
    return value;
  }

  /** An unsigned integer of 8 bytes; beyond 2^53 - 1 it is only roughly right. */
  uint64(): number {
    const low = this.uint(4);
    return this.uint(4) * 2 ** 32 + low;
  }

  skip(bytes: number): void {
    if (bytes > this.bytes.length - this.position) {
      throw new CompressionError("the compressed data ends inside a frame");
    }
    this.position += bytes;
  }
}

export function outputTooLarge(outputBytesMax: number): CompressionError {
  return new CompressionError(`the data would unpack to more than ${outputBytesMax} bytes`);
}

export function joinChunks(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  let sizeBytes = 0;
  for (const chunk of chunks) sizeBytes += chunk.length;
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
