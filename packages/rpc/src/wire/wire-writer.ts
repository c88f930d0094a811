/**
 * Writes the protobuf wire format into one buffer of exactly the right size, or into pieces among
 * which large bytes stand as they are, uncopied. A message is measured first and written second, so
 * nothing is copied twice; the two passes must see the same message, which the end checks.
 *
 * Input comes from this program: a number that does not fit its field is a bug, and throws.
 */
import { assert } from "@strandline/model";
import { MESSAGE_ELEMENTS_MAX } from "./limits.js";

/** Bytes to send: one piece, or pieces that follow each other. Sent without joining them first. */
export type Chunks = Uint8Array | readonly Uint8Array[];

/** The value of a bytes field that is not there. Shared: it has no bytes to change. */
export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

const TWO_32 = 4_294_967_296;

/** From this size on, bytes are cheaper to send as a piece of their own than to copy. */
const PIECE_BYTES_MIN = 4096;
/** Room for what stands between large bytes: in the first buffer, and in further ones. */
const FIRST_BUFFER_BYTES = 256;
const BUFFER_BYTES = 16 * 1024;
const VARINT_BYTES_MAX = 10;

export function sizeOfVarint(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

export function sizeOfInt32(value: number): number {
  // Negative numbers are sign-extended to 64 bits.
  return value < 0 ? 10 : sizeOfVarint(value);
}

export function sizeOfInt64(value: number): number {
  if (value < 0) return 10;
  if (value < TWO_32) return sizeOfVarint(value);
  if (value < 2 ** 35) return 5;
  if (value < 2 ** 42) return 6;
  return value < 2 ** 49 ? 7 : 8;
}

/** Length prefix and content of a delimited field. */
export function sizeOfDelimited(length: number): number {
  return sizeOfVarint(length) + length;
}

export function sizeOfString(value: string): number {
  return sizeOfDelimited(Buffer.byteLength(value));
}

export function lengthOfChunks(value: Chunks | undefined): number {
  if (value === undefined) return 0;
  if (value instanceof Uint8Array) return value.length;
  let length = 0;
  for (const chunk of value) length += chunk.length;
  return length;
}

export function sizeOfBytes(value: Chunks): number {
  return sizeOfDelimited(lengthOfChunks(value));
}

/** Fails here, at the sender, for what every receiver would refuse. */
export function assertElementCount(count: number): void {
  assert(count <= MESSAGE_ELEMENTS_MAX, "a list in a message has a bounded length");
}

export class WireWriter {
  readonly #sizeBytes: number;
  #bytes: Buffer;
  #position = 0;
  /** What is finished of a message in pieces; undefined for one in a single buffer. */
  readonly #pieces: Uint8Array[] | undefined;
  /** Where in `#bytes` the unfinished piece begins. */
  #pieceFrom = 0;

  /** For a message in one buffer; `isInPieces` for one that may be in several. */
  constructor(sizeBytes: number, isInPieces = false) {
    const isWhole = !isInPieces || sizeBytes < PIECE_BYTES_MIN;
    this.#sizeBytes = sizeBytes;
    this.#bytes = Buffer.allocUnsafe(isWhole ? sizeBytes : FIRST_BUFFER_BYTES);
    this.#pieces = isWhole ? undefined : [];
  }

  /** The message, every byte of it written. */
  finish(): Buffer {
    assert(this.#position === this.#sizeBytes, "a message has the size it was measured to have");
    return this.#bytes;
  }

  /** The message as pieces that follow each other. They may be views of what was written. */
  finishPieces(): readonly Uint8Array[] {
    const pieces = this.#pieces;
    if (pieces === undefined) return [this.finish()];
    this.#endPiece();
    const isExact = lengthOfChunks(pieces) === this.#sizeBytes;
    assert(isExact, "a message has the size it was measured to have");
    return pieces;
  }

  /** An unsigned 32-bit number: tags and lengths. */
  varint(value: number): void {
    this.#reserve(VARINT_BYTES_MAX);
    const bytes = this.#bytes;
    let at = this.#position;
    let rest = value >>> 0;
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#position = at;
  }

  int32(value: number): void {
    assert((value | 0) === value, "an int32 field holds an int32");
    if (value >= 0) this.varint(value);
    else this.#wide(value, -1);
  }

  int64(value: number): void {
    assert(Number.isSafeInteger(value), "an int64 field holds a safe integer");
    if (value >= 0 && value < TWO_32) this.varint(value);
    else this.#wide(value | 0, Math.floor(value / TWO_32) | 0);
  }

  bool(value: boolean): void {
    this.#reserve(1);
    this.#bytes[this.#position++] = value ? 1 : 0;
  }

  string(value: string): void {
    const length = Buffer.byteLength(value);
    this.varint(length);
    this.#reserve(length);
    this.#position += this.#bytes.write(value, this.#position, length, "utf8");
  }

  bytes(value: Chunks): void {
    this.varint(lengthOfChunks(value));
    if (value instanceof Uint8Array) this.#raw(value);
    else for (const chunk of value) this.#raw(chunk);
  }

  #raw(chunk: Uint8Array): void {
    if (this.#pieces !== undefined && chunk.length >= PIECE_BYTES_MIN) {
      this.#endPiece();
      this.#pieces.push(chunk);
      return;
    }
    this.#reserve(chunk.length);
    this.#bytes.set(chunk, this.#position);
    this.#position += chunk.length;
  }

  /** A single buffer has room for all; in pieces, the next one is begun when this one is full. */
  #reserve(count: number): void {
    if (this.#pieces === undefined || count <= this.#bytes.length - this.#position) return;
    this.#endPiece();
    this.#bytes = Buffer.allocUnsafe(Math.max(count, BUFFER_BYTES));
    this.#position = 0;
    this.#pieceFrom = 0;
  }

  #endPiece(): void {
    if (this.#position === this.#pieceFrom) return;
    this.#pieces?.push(this.#bytes.subarray(this.#pieceFrom, this.#position));
    this.#pieceFrom = this.#position;
  }

  /** 64 bits in two halves. */
  #wide(low: number, high: number): void {
    this.#reserve(VARINT_BYTES_MAX);
    const bytes = this.#bytes;
    let at = this.#position;
    let lowBits = low >>> 0;
    let highBits = high >>> 0;
    while (highBits !== 0 || lowBits > 0x7f) {
      bytes[at++] = (lowBits & 0x7f) | 0x80;
      lowBits = ((lowBits >>> 7) | (highBits << 25)) >>> 0;
      highBits >>>= 7;
    }
    bytes[at++] = lowBits;
    this.#position = at;
  }
}
