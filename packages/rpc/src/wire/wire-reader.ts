/**
 * Reads the protobuf wire format out of untrusted bytes: every length is checked against what is
 * there before it is used, numbers must fit a safe integer, lists are counted against a bound.
 *
 * A nested message is a narrower end: `enter` reads its length, `leave` restores the outer end.
 */
import { DecodeError } from "./decode-error.js";
import { GROUP_DEPTH_MAX, MESSAGE_ELEMENTS_MAX } from "./limits.js";

const TWO_32 = 4_294_967_296;
const VARINT = 0;
const FIXED_64 = 1;
const DELIMITED = 2;
const GROUP_START = 3;
const GROUP_END = 4;
const FIXED_32 = 5;
const REPLACEMENT = "\u{fffd}";

export class WireReader {
  readonly #bytes: Buffer;
  #position = 0;
  #end: number;
  #elementsLeft = MESSAGE_ELEMENTS_MAX;
  /** Halves of the varint read last: bits 0-31 and 32-63, both as signed numbers. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
  }

  /** True while the message being read has more fields. */
  get hasMore(): boolean {
    return this.#position < this.#end;
  }

  /** Reads a length and narrows the end to it. Returns the outer end, for `leave`. */
  enter(): number {
    const length = this.#length();
    const outer = this.#end;
    this.#end = this.#position + length;
    return outer;
  }

  leave(outerEnd: number): void {
    this.#end = outerEnd;
  }

  /** Counts one element of a list or map. */
  element(): void {
    this.#elementsLeft -= 1;
    if (this.#elementsLeft < 0) {
      throw new DecodeError(`a message holds at most ${MESSAGE_ELEMENTS_MAX} list elements`);
    }
  }

  /** A field's number and wire type, as they are on the wire. */
  tag(): number {
    this.#varint();
    const tag = this.#low >>> 0;
    if (this.#high !== 0 || tag < 8) throw new DecodeError("a field has no valid number");
    return tag;
  }

  int32(): number {
    this.#varint();
    return this.#low;
  }

  int64(): number {
    this.#varint();
    const value = this.#high * TWO_32 + (this.#low >>> 0);
    if (!Number.isSafeInteger(value)) throw new DecodeError("an integer is beyond 2^53 - 1");
    return value;
  }

  bool(): boolean {
    this.#varint();
    return (this.#low | this.#high) !== 0;
  }

  string(): string {
    const length = this.#length();
    const from = this.#position;
    this.#position += length;
    const text = this.#bytes.toString("utf8", from, this.#position);
    // The decoder replaces what is not UTF-8. Two different names must not become one.
    if (text.includes(REPLACEMENT) && !this.#isText(text, from)) {
      throw new DecodeError("a string is not UTF-8");
    }
    return text;
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const length = this.#length();
    const bytes = this.#bytes;
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset + this.#position, length);
    this.#position += length;
    return view;
  }

  /** Passes over a field that this reader does not know, or that has another type. */
  skip(tag: number): void {
    if ((tag & 7) === GROUP_START) this.#skipGroup(tag);
    else this.#skipValue(tag);
  }

  #skipValue(tag: number): void {
    switch (tag & 7) {
      case VARINT:
        this.#varint();
        return;
      case FIXED_64:
        this.#advance(8);
        return;
      case DELIMITED:
        this.#advance(this.#length());
        return;
      case FIXED_32:
        this.#advance(4);
        return;
      default:
        throw new DecodeError(`a field has wire type ${tag & 7}`);
    }
  }

  #skipGroup(tag: number): void {
    const open = [tag >>> 3];
    while (open.length > 0) {
      const inner = this.tag();
      const type = inner & 7;
      if (type === GROUP_START) {
        if (open.length === GROUP_DEPTH_MAX) throw new DecodeError("groups are nested too deeply");
        open.push(inner >>> 3);
      } else if (type === GROUP_END) {
        if (open.pop() !== inner >>> 3) throw new DecodeError("a group ends that did not begin");
      } else {
        this.#skipValue(inner);
      }
    }
  }

  #isText(text: string, from: number): boolean {
    return Buffer.from(text).equals(this.#bytes.subarray(from, this.#position));
  }

  #advance(count: number): void {
    if (count > this.#end - this.#position) throw truncated();
    this.#position += count;
  }

  #length(): number {
    this.#varint();
    const length = this.#low >>> 0;
    if (this.#high !== 0 || length > this.#end - this.#position) throw truncated();
    return length;
  }

  /** Reads up to ten bytes into `#low` and `#high`. */
  #varint(): void {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#position;
    if (at >= end) throw truncated();
    let byte = bytes[at++] as number;
    if (byte < 0x80) {
      this.#position = at;
      this.#low = byte;
      this.#high = 0;
      return;
    }
    let low = byte & 0x7f;
    let high = 0;
    for (let shift = 7; shift < 70; shift += 7) {
      if (at >= end) throw truncated();
      byte = bytes[at++] as number;
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift === 28) high = bits >>> 4;
      else if (shift > 28) high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.#position = at;
        this.#low = low | 0;
        this.#high = high | 0;
        return;
      }
    }
    throw new DecodeError("a varint is longer than ten bytes");
  }
}

function truncated(): DecodeError {
  return new DecodeError("the message ends inside a field");
}
