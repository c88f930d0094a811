/**
 * How much a Zstandard frame unpacks to at most, told from its headers (RFC 8878, section 3.1).
 *
 * A frame may declare its content's size; writers that stream, the Java client among them, do
 * not. Its blocks bound it either way: none unpacks to more than 128 KiB.
 */
import { CompressionError } from "../ports/compression.js";
import { FrameReader, type ScannedFrame } from "./frame-scan.js";

const MAGIC = 0xfd2fb528;
const BLOCK_BYTES_MAX = 128 * 1024;

/** Sizes of the optional fields, by their two bits in the descriptor. */
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

interface FrameHeader {
  readonly contentBytes: number | undefined;
  readonly blockBytesMax: number;
  readonly hasChecksum: boolean;
}

/** Scans the frame that begins at `from`. Throws {@link CompressionError} when it is not whole. */
export function scanZstdFrame(bytes: Uint8Array, from: number): ScannedFrame {
  const reader = new FrameReader(bytes, from);
  if (reader.uint(4) !== MAGIC) throw new CompressionError("the data is not a zstd frame");
  const header = readHeader(reader);
  let total = 0;
  let isLast = false;
  while (!isLast) {
    const word = reader.uint(3);
    isLast = (word & 1) === 1;
    const type = (word >> 1) & 3;
    const sizeBytes = word >> 3;
    if (type === 3 || sizeBytes > header.blockBytesMax) {
      throw new CompressionError("a zstd block is malformed");
    }
    // Type 1 is one byte, repeated; 0 is stored as is; 2 is compressed.
    reader.skip(type === 1 ? 1 : sizeBytes);
    total += type === 2 ? header.blockBytesMax : sizeBytes;
  }
  if (header.hasChecksum) reader.skip(4);
  const { contentBytes } = header;
  if (contentBytes !== undefined && contentBytes > total) {
    throw new CompressionError("a zstd frame declares more than its blocks can hold");
  }
  return {
    end: reader.position,
    outputBytesMax: contentBytes ?? total,
    isExact: contentBytes !== undefined,
  };
}

function readHeader(reader: FrameReader): FrameHeader {
  const descriptor = reader.uint(1);
  if ((descriptor & 0x08) !== 0) throw new CompressionError("the zstd frame's header is unknown");
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const windowBytes = isSingleSegment ? undefined : windowSize(reader.uint(1));
  const dictionaryId = reader.uint(DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3]);
  if (dictionaryId !== 0) throw new CompressionError("zstd dictionaries are not supported");
  const contentBytes = contentSize(reader, descriptor >> 6, isSingleSegment);
  return {
    contentBytes,
    // A single segment has no window but its content.
    blockBytesMax: Math.min(windowBytes ?? contentBytes ?? 0, BLOCK_BYTES_MAX),
    hasChecksum: (descriptor & 0x04) !== 0,
  };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(
  reader: FrameReader,
  code: number,
  isSingleSegment: boolean,
): number | undefined {
  if (code === 0) return isSingleSegment ? reader.uint(1) : undefined;
  // The two-byte form begins where the one-byte form ends.
  if (code === 1) return reader.uint(2) + 256;
  return CONTENT_SIZE_BYTES[code as 2 | 3] === 4 ? reader.uint(4) : reader.uint64();
}
