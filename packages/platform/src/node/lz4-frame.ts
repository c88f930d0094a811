/**
 * How much an LZ4 frame unpacks to, told without unpacking it.
 *
 * Frame: magic, descriptor (flags, block size, optional content size, header checksum), blocks of
 * a uint32 length (its top bit: stored as is) with an optional checksum each, a zero length, an
 * optional checksum of the content. The declared content size is not used: it may lie.
 */
import { CompressionError } from "../ports/compression.js";
import { FrameReader, type ScannedFrame } from "./frame-scan.js";

const MAGIC = 0x184d2204;
const STORED_BIT = 0x8000_0000;

/** A byte of a block adds at most so many bytes to a match or a run of literals. */
const RATIO_MAX = 255;

/**
 * Scans the frame that begins at `from`. When the quick bound is above `outputBytesMax`, the
 * blocks are walked for the exact size. Throws {@link CompressionError} when it is no whole frame.
 */
export function scanLz4Frame(
  bytes: Uint8Array,
  from: number,
  outputBytesMax: number,
): ScannedFrame {
  const quick = scan(bytes, from, (length) => length * RATIO_MAX);
  if (quick.outputBytesMax <= outputBytesMax) return quick;
  const exact = scan(bytes, from, (length, at) => blockOutputBytes(bytes, at, at + length));
  return { ...exact, isExact: true };
}

function scan(
  bytes: Uint8Array,
  from: number,
  outputBytes: (length: number, at: number) => number,
): ScannedFrame {
  const reader = new FrameReader(bytes, from);
  if (reader.uint(4) !== MAGIC) throw new CompressionError("the data is not an LZ4 frame");
  const flags = reader.uint(1);
  const blockBytesMax = blockSize(flags, reader.uint(1));
  const hasBlockChecksums = (flags & 0x10) !== 0;
  // Content size, then the header checksum, which the decoder checks.
  reader.skip((flags & 0x08) !== 0 ? 9 : 1);
  let total = 0;
  for (;;) {
    const word = reader.uint(4);
    if (word === 0) break;
    const isStored = word >= STORED_BIT;
    const length = isStored ? word - STORED_BIT : word;
    if (length > blockBytesMax) throw new CompressionError("an LZ4 block is too large");
    const at = reader.position;
    reader.skip(length);
    total += isStored ? length : Math.min(blockBytesMax, outputBytes(length, at));
    if (hasBlockChecksums) reader.skip(4);
  }
  if ((flags & 0x04) !== 0) reader.skip(4);
  return { end: reader.position, outputBytesMax: total, isExact: false };
}

/** Checks the descriptor; returns the most bytes that one block unpacks to. */
function blockSize(flags: number, blockDescriptor: number): number {
  if (flags >> 6 !== 1 || (flags & 0x02) !== 0) {
    throw new CompressionError("the LZ4 frame's version is unknown");
  }
  if ((flags & 0x01) !== 0) throw new CompressionError("LZ4 dictionaries are not supported");
  const code = blockDescriptor >> 4;
  if (code < 4 || code > 7) throw new CompressionError("the LZ4 frame's block size is unknown");
  return 1 << (8 + 2 * code);
}

/**
 * Bytes that the sequences in `[at, end)` unpack to. A sequence is a token, whose halves begin
 * the lengths of literals and match, the literals, the match's distance; the last has no match.
 */
function blockOutputBytes(bytes: Uint8Array, at: number, end: number): number {
  let total = 0;
  let position = at;
  while (position < end) {
    const token = bytes[position++] as number;
    let literals = token >> 4;
    if (literals === 15) {
      let byte = 255;
      while (byte === 255 && position < end) {
        byte = bytes[position++] as number;
        literals += byte;
      }
    }
    position += literals;
    total += literals;
    if (position >= end) break;
    position += 2;
    let match = (token & 0x0f) + 4;
    if (match === 19) {
      let byte = 255;
      while (byte === 255 && position < end) {
        byte = bytes[position++] as number;
        match += byte;
      }
    }
    total += match;
  }
  return total;
}
