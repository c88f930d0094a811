/** Writes the fields of a coordination record: big-endian, lengths before texts and bytes. */
import { assert } from "@strandline/model";
import { utf8Bytes, writeUtf8 } from "@strandline/record";

const TWO_TO_32 = 4_294_967_296;

/** Longest text of a record, in bytes of UTF-8: its length is an int16. */
export const TEXT_BYTES_MAX = 32_767;

/** True when every text fits into a record. What clients send must be asked this before. */
export function textsFit(texts: readonly (string | undefined)[]): boolean {
  return texts.every(
    (text) =>
      // One UTF-16 unit takes three bytes at most: nearly every text is decided without counting.
      text === undefined || text.length * 3 <= TEXT_BYTES_MAX || utf8Bytes(text) <= TEXT_BYTES_MAX,
  );
}

export class ByteWriter {
  #bytes = new Uint8Array(128);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  int16(value: number): this {
    const at = this.#room(2);
    this.#view.setInt16(at, value);
    return this;
  }

  int32(value: number): this {
    const at = this.#room(4);
    this.#view.setInt32(at, value);
    return this;
  }

  /** `value` is a safe integer. */
  int64(value: number): this {
    const at = this.#room(8);
    const high = Math.floor(value / TWO_TO_32);
    this.#view.setInt32(at, high);
    this.#view.setUint32(at + 4, value - high * TWO_TO_32);
    return this;
  }

  /** Undefined is null: length -1. */
  text(value: string | undefined): this {
    if (value === undefined) return this.int16(-1);
    const length = utf8Bytes(value);
    assert(length <= TEXT_BYTES_MAX, "a text of a record has a length that an int16 can hold");
    this.int16(length);
    const at = this.#room(length);
    writeUtf8(this.#bytes, at, value);
    return this;
  }

  /** Undefined is null: length -1. */
  bytes(value: Uint8Array | undefined): this {
    if (value === undefined) return this.int32(-1);
    this.int32(value.length);
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  array<Item>(items: readonly Item[], write: (item: Item) => void): this {
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** What was written, as bytes of its own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#end);
  }

  /** Makes room for `count` bytes, maybe in another array; returns where they begin. */
  #room(count: number): number {
    const at = this.#end;
    this.#end += count;
    if (this.#end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#end, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
