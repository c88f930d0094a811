/**
 * Reads what a ByteWriter has written, or somebody else: the bytes may be anything. Every failure
 * is a MalformedError, and nothing is allocated by a length that only the bytes declare.
 */
import { readUtf8 } from "@strandline/record";

const TWO_TO_32 = 4_294_967_296;

/** The bytes are not what they should be. */
export class MalformedError extends Error {
  override readonly name = "MalformedError";
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  int64(): number {
    const at = this.#take(8);
    const value = this.#view.getInt32(at) * TWO_TO_32 + this.#view.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) throw new MalformedError("an int64 beyond 2^53");
    return value;
  }

  text(): string {
    const text = this.nullableText();
    if (text === undefined) throw new MalformedError("a text is null");
    return text;
  }

  nullableText(): string | undefined {
    const length = this.int16();
    if (length < 0) return undefined;
    const from = this.#take(length);
    return readUtf8(this.#bytes, from, from + length);
  }

  /** Bytes of their own, so that they outlive what they were read from. */
  bytes(): Uint8Array {
    const bytes = this.nullableBytes();
    if (bytes === undefined) throw new MalformedError("bytes are null");
    return bytes;
  }

  nullableBytes(): Uint8Array | undefined {
    const length = this.int32();
    if (length < 0) return undefined;
    const from = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(from, from + length));
  }

  array<Item>(read: () => Item): Item[] {
    const count = this.int32();
    const items: Item[] = [];
    for (let index = 0; index < count; index++) {
      // An item takes bytes: a count beyond them fails at the first that is missing.
      if (this.isAtEnd) throw new MalformedError("an array ends early");
      items.push(read());
    }
    return items;
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new MalformedError("the bytes end early");
    this.#at = at + count;
    return at;
  }
}
