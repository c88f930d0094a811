/**
 * Writes frames into slabs that many small messages share, and leaves large bytes where they are:
 * a finished frame is a list of pieces to send after each other. Nothing that was handed out is
 * written again.
 *
 * Input comes from this program: a number that does not fit its field is a bug, and asserts.
 */
import { assert } from "@strandline/model";
import { utf8Bytes, writeUtf8 } from "@strandline/record";

/** Bytes to send: one piece, or pieces that follow each other. */
export type Chunks = Uint8Array | readonly Uint8Array[];

const TWO_TO_32 = 4_294_967_296;
const SLAB_BYTES = 64 * 1024;
/** From this size on, bytes are cheaper to send as a piece of their own than to copy. */
const PIECE_BYTES_MIN = 4096;
const STRING_BYTES_MAX = 32_767;
/** As many characters fit whatever they are: none takes more than three bytes for each unit. */
const CUT_LENGTH = Math.floor(STRING_BYTES_MAX / 3);
const FRAME_PREFIX_BYTES = 4;

export function chunksBytes(value: Chunks): number {
  if (value instanceof Uint8Array) return value.length;
  let length = 0;
  for (const chunk of value) length += chunk.length;
  return length;
}

export class WireWriter {
  readonly #slabBytes: number;
  #slab: Uint8Array;
  #at = 0;
  /** Where in the slab the unfinished piece begins; what is before it was handed out. */
  #from = 0;
  #pieces: Uint8Array[] = [];
  #piecesBytes = 0;
  /** Writes what must be measured before it is written. */
  #aside: WireWriter | undefined;

  constructor(slabBytes: number = SLAB_BYTES) {
    this.#slabBytes = slabBytes;
    this.#slab = new Uint8Array(0);
  }

  /** Begins anew, and forgets what was not finished. */
  begin(): void {
    this.#at = this.#from;
    this.#pieces = [];
    this.#piecesBytes = 0;
  }

  /** One frame: four bytes of length, and what `write` writes. */
  frame(write: (writer: WireWriter) => void): Uint8Array[] {
    this.begin();
    this.#reserve(FRAME_PREFIX_BYTES);
    const slab = this.#slab;
    const at = this.#at;
    this.#at += FRAME_PREFIX_BYTES;
    write(this);
    setInt32(slab, at, this.#piecesBytes + this.#at - this.#from - FRAME_PREFIX_BYTES);
    return this.finish();
  }

  finish(): Uint8Array[] {
    this.#endPiece();
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  bool(value: boolean): void {
    this.#reserve(1);
    this.#slab[this.#at++] = value ? 1 : 0;
  }

  int8(value: number): void {
    assert((value << 24) >> 24 === value, "an int8 field holds an int8");
    this.#reserve(1);
    this.#slab[this.#at++] = value;
  }

  int16(value: number): void {
    assert((value << 16) >> 16 === value, "an int16 field holds an int16");
    this.#reserve(2);
    this.#slab[this.#at++] = value >> 8;
    this.#slab[this.#at++] = value;
  }

  uint16(value: number): void {
    assert((value & 0xffff) === value, "a uint16 field holds a uint16");
    this.#reserve(2);
    this.#slab[this.#at++] = value >> 8;
    this.#slab[this.#at++] = value;
  }

  int32(value: number): void {
    assert((value | 0) === value, "an int32 field holds an int32");
    this.#reserve(4);
    setInt32(this.#slab, this.#at, value);
    this.#at += 4;
  }

  int64(value: number): void {
    assert(Number.isSafeInteger(value), "an int64 field holds a safe integer");
    this.#reserve(8);
    const high = Math.floor(value / TWO_TO_32);
    setInt32(this.#slab, this.#at, high);
    setInt32(this.#slab, this.#at + 4, value - high * TWO_TO_32);
    this.#at += 8;
  }

  uvarint(value: number): void {
    this.#reserve(5);
    const slab = this.#slab;
    let at = this.#at;
    let rest = value >>> 0;
    while (rest > 0x7f) {
      slab[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    slab[at++] = rest;
    this.#at = at;
  }

  uuid(text: string): void {
    assert(text.length === 22, "a uuid is 22 characters");
    this.#reserve(16);
    let bits = 0;
    let held = 0;
    for (let index = 0; index < 22; index++) {
      bits = ((bits << 6) | base64Digit(text.charCodeAt(index))) & 0xffff;
      held += 6;
      if (held >= 8) {
        held -= 8;
        this.#slab[this.#at++] = bits >> held;
      }
    }
  }

  /**
   * Length, as a compact one or of 16 bits, and the text. What is too long for the protocol is cut:
   * names were bounded when they were read, so it is a sentence that quotes one.
   */
  string(text: string, isCompact: boolean): void {
    let value = text;
    let length = utf8Bytes(value);
    if (length > STRING_BYTES_MAX) {
      value = text.slice(0, CUT_LENGTH);
      length = utf8Bytes(value);
    }
    if (isCompact) this.uvarint(length + 1);
    else this.int16(length);
    this.#reserve(length);
    this.#at = writeUtf8(this.#slab, this.#at, value);
  }

  /** Length, as a compact one or of 32 bits, and the bytes. */
  bytes(value: Chunks, isCompact: boolean): void {
    const length = chunksBytes(value);
    if (isCompact) this.uvarint(length + 1);
    else this.int32(length);
    if (value instanceof Uint8Array) this.#raw(value);
    else for (const chunk of value) this.#raw(chunk);
  }

  /** A tagged field: number, size, and what `write` writes of `value`. */
  tagged(tag: number, write: (writer: WireWriter, value: unknown) => void, value: unknown): void {
    this.#aside ??= new WireWriter(1024);
    const aside = this.#aside;
    aside.begin();
    write(aside, value);
    const pieces = aside.finish();
    this.uvarint(tag);
    this.uvarint(chunksBytes(pieces));
    for (const piece of pieces) this.#raw(piece);
  }

  #raw(chunk: Uint8Array): void {
    if (chunk.length >= PIECE_BYTES_MIN) {
      this.#endPiece();
      this.#pieces.push(chunk);
      this.#piecesBytes += chunk.length;
      return;
    }
    this.#reserve(chunk.length);
    this.#slab.set(chunk, this.#at);
    this.#at += chunk.length;
  }

  #reserve(count: number): void {
    if (count <= this.#slab.length - this.#at) return;
    this.#endPiece();
    this.#slab = new Uint8Array(Math.max(count, this.#slabBytes));
    this.#at = 0;
    this.#from = 0;
  }

  #endPiece(): void {
    if (this.#at === this.#from) return;
    this.#pieces.push(this.#slab.subarray(this.#from, this.#at));
    this.#piecesBytes += this.#at - this.#from;
    this.#from = this.#at;
  }
}

function setInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}

function base64Digit(code: number): number {
  if (code >= 0x61 && code <= 0x7a) return code - 0x61 + 26;
  if (code >= 0x41 && code <= 0x5a) return code - 0x41;
  if (code >= 0x30 && code <= 0x39) return code - 0x30 + 52;
  assert(code === 0x2d || code === 0x5f, "a uuid is written in URL-safe base64");
  return code === 0x2d ? 62 : 63;
}
