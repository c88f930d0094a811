/**
 * Reads the primitives of the protocol out of one frame, never past its end. Every length and
 * count is held against the bytes that are there before anything is done with it; what does not
 * fit is a ProtocolError.
 */

import { utf8Bytes } from "@strandline/record";
import { ProtocolError } from "./protocol-error.js";
import { readText, readUuid } from "./text.js";

const TWO_TO_32 = 4_294_967_296;
/** Longest string of the protocol, whatever the width of its length. */
const STRING_BYTES_MAX = 32_767;

/** Elements of a list that fits a page of memory, however few bytes they came in. */
const FREE_COUNT_MAX = 512;

/** Shared, like every empty value: where a peer sends thousands of them, they cost nothing. */
const EMPTY_BYTES = new Uint8Array(0);

/** Bounds on what one message may become in memory. */
export interface DecodeLimits {
  /** Elements of all arrays of the message together. */
  readonly elementsMax: number;
  /** Tagged fields in one place. */
  readonly tagsMax: number;
}

export class WireReader {
  readonly bytes: Uint8Array;
  position: number;
  end: number;
  readonly tagsMax: number;
  #elementsLeft: number;

  constructor(bytes: Uint8Array, limits: DecodeLimits, position = 0) {
    this.bytes = bytes;
    this.position = position;
    this.end = bytes.length;
    this.tagsMax = limits.tagsMax;
    this.#elementsLeft = limits.elementsMax;
  }

  bool(): boolean {
    return this.bytes[this.#advance(1)] !== 0;
  }

  int8(): number {
    return ((this.bytes[this.#advance(1)] as number) << 24) >> 24;
  }

  int16(): number {
    return (this.uint16() << 16) >> 16;
  }

  uint16(): number {
    const at = this.#advance(2);
    const bytes = this.bytes;
    return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  }

  int32(): number {
    return this.#int32At(this.#advance(4));
  }

  int64(): number {
    const value = this.#wide();
    if (!Number.isSafeInteger(value)) throw malformed("a 64-bit number is beyond 2^53 - 1");
    return value;
  }

  /** The nearest safe integer. */
  int64Saturated(): number {
    const value = this.#wide();
    return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  }

  /** An unsigned 32-bit number in one to five bytes. */
  uvarint(): number {
    const { bytes, end } = this;
    let at = this.position;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= end) throw malformed("the message ends inside a varint");
      const byte = bytes[at++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) throw malformed("a varint does not fit 32 bits");
        this.position = at;
        return value >>> 0;
      }
    }
    throw malformed("a varint is longer than 5 bytes");
  }

  uuid(): string {
    return readUuid(this.bytes, this.#advance(16));
  }

  /** Text of a length that was read before; -1 is null. It takes the same length when written. */
  text(length: number): string | null {
    if (length === -1) return null;
    if (length > STRING_BYTES_MAX) throw malformed(`a string of ${length} bytes is too long`);
    const at = this.#advance(length);
    const text = readText(this.bytes, at, at + length);
    // Bytes that are no UTF-8 come back as three for each: an answer that repeats a name must fit.
    if (utf8Bytes(text) !== length) throw malformed("no UTF-8 in a string");
    return text;
  }

  /** A view of as many bytes as a length says that was read before; -1 is null. */
  view(length: number): Uint8Array | null {
    if (length === -1) return null;
    const at = this.#advance(length);
    return length === 0 ? EMPTY_BYTES : this.bytes.subarray(at, at + length);
  }

  /** Admits a count of elements that take at least `elementBytesMin` each; -1 is null. */
  admitCount(count: number, elementBytesMin: number): number {
    if (count <= 0) {
      if (count < -1) throw malformed(`an array has ${count} elements`);
      return count;
    }
    if (count * elementBytesMin > this.end - this.position) {
      throw malformed(`an array of ${count} elements is longer than its message`);
    }
    this.#elementsLeft -= count;
    // A list takes eight bytes for an element: never more than four times the message.
    const isBare = count > FREE_COUNT_MAX && 2 * count > this.bytes.length;
    if (isBare || this.#elementsLeft < 0) {
      throw new ProtocolError("too-large", "the arrays of a message have too many elements");
    }
    return count;
  }

  skip(length: number): void {
    this.#advance(length);
  }

  #advance(length: number): number {
    const at = this.position;
    if (length < 0) throw malformed(`a length is ${length}`);
    if (length > this.end - at) throw malformed("the message ends inside a field");
    this.position = at + length;
    return at;
  }

  #wide(): number {
    const at = this.#advance(8);
    return this.#int32At(at) * TWO_TO_32 + (this.#int32At(at + 4) >>> 0);
  }

  #int32At(at: number): number {
    const bytes = this.bytes;
    return (
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    );
  }
}

export function malformed(message: string): ProtocolError {
  return new ProtocolError("malformed", message);
}
