/**
 * Snappy as it stands in a batch: blocks of raw snappy behind a header, the framing of the Java
 * library, which Java clients write. librdkafka writes one raw block without any of it; both are
 * read, the framed form is written, because every client reads that.
 *
 * Frame: the 8 bytes of the magic, int32 version, int32 lowest compatible version, then blocks of
 * an int32 length and so many bytes of raw snappy.
 */
import { readInt32, writeInt32 } from "./big-endian.js";
import type { Compressor } from "./compression.js";
import { RecordError } from "./record-error.js";

const MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
const HEADER_BYTES = 16;
const VERSION = 1;

/** Bytes of input per block. Snappy finds no match farther back than this. */
const BLOCK_INPUT_BYTES = 64 * 1024;

/** True when `bytes` begin with the frame's magic. No raw block does that: see the tests. */
export function isXerial(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_BYTES && MAGIC.every((byte, index) => bytes[index] === byte);
}

/** Compresses `bytes` into a frame, owned by the caller. */
export function encodeXerial(bytes: Uint8Array, snappy: Compressor): Uint8Array {
  const blocks: Uint8Array[] = [];
  let sizeBytes = HEADER_BYTES;
  for (let from = 0; from < bytes.length; from += BLOCK_INPUT_BYTES) {
    const block = snappy.compress(bytes.subarray(from, from + BLOCK_INPUT_BYTES));
    blocks.push(block);
    sizeBytes += 4 + block.length;
  }
  const frame = new Uint8Array(sizeBytes);
  frame.set(MAGIC);
  writeInt32(frame, 8, VERSION);
  writeInt32(frame, 12, VERSION);
  let at = HEADER_BYTES;
  for (const block of blocks) {
    writeInt32(frame, at, block.length);
    frame.set(block, at + 4);
    at += 4 + block.length;
  }
  return frame;
}

/** Decompresses a frame, or one raw block. Throws {@link RecordError} on a malformed frame. */
export function decodeXerial(
  bytes: Uint8Array,
  snappy: Compressor,
  outputBytesMax: number,
): Uint8Array {
  if (!isXerial(bytes)) return snappy.decompress(bytes, outputBytesMax);
  const blocks: Uint8Array[] = [];
  let sizeBytes = 0;
  let at = HEADER_BYTES;
  while (at < bytes.length) {
    if (bytes.length - at < 4) throw new RecordError("a snappy frame ends inside a block length");
    const blockBytes = readInt32(bytes, at);
    at += 4;
    if (blockBytes < 0 || blockBytes > bytes.length - at) {
      throw new RecordError("a snappy frame ends inside a block");
    }
    const block = snappy.decompress(
      bytes.subarray(at, at + blockBytes),
      outputBytesMax - sizeBytes,
    );
    blocks.push(block);
    sizeBytes += block.length;
    at += blockBytes;
  }
  return blocks.length === 1 ? (blocks[0] as Uint8Array) : joined(blocks, sizeBytes);
}

function joined(blocks: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}
