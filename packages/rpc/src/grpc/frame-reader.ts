/**
 * Cuts what an HTTP/2 stream delivers into gRPC messages. Chunks are kept as they came until a
 * message is whole, so nothing is allocated by a length that a peer merely declares; a message
 * within one chunk is a view of it, and one over several is joined once.
 *
 * Format: gRPC over HTTP/2, "Length-Prefixed-Message": a flag byte, four bytes of length, the
 * message.
 */
import { BrokerError } from "@strandline/model";
import type { BufferPool } from "@strandline/platform";
import { DecodeError } from "../wire/decode-error.js";
import { asBuffer } from "./buffers.js";

const PREFIX_BYTES = 5;

export class FrameReader {
  readonly #messageBytesMax: number;
  #chunks: Buffer[] = [];
  /** Bytes of the first chunk that were read. */
  #consumed = 0;
  #availableBytes = 0;
  /** Length of the message whose prefix was read. */
  #length: number | undefined;
  #pool: BufferPool | undefined;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
  }

  /** True while bytes wait for the rest of their message. */
  get isInside(): boolean {
    return this.#availableBytes > 0 || this.#length !== undefined;
  }

  /** From now on the memory of what is joined is the pool's, and whoever asks for it holds it. */
  joinInto(pool: BufferPool): void {
    this.#pool = pool;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#availableBytes += chunk.length;
  }

  /**
   * The next whole message, if there is one. Throws a DecodeError for a compressed message, and a
   * BrokerError for one over the limit, as soon as its length is known.
   */
  next(): Buffer | undefined {
    if (this.#length === undefined) {
      if (this.#availableBytes < PREFIX_BYTES) return undefined;
      this.#length = this.#readPrefix();
    }
    if (this.#availableBytes < this.#length) return undefined;
    const message = this.#take(this.#length);
    this.#length = undefined;
    return message;
  }

  #readPrefix(): number {
    const prefix = this.#take(PREFIX_BYTES);
    if (prefix[0] !== 0) throw new DecodeError("a message is compressed, which was not announced");
    const length = prefix.readUInt32BE(1);
    if (length > this.#messageBytesMax) {
      const text = `a message of ${length} bytes is larger than ${this.#messageBytesMax}`;
      throw new BrokerError("MESSAGE_TOO_LARGE", text);
    }
    return length;
  }

  #take(length: number): Buffer {
    this.#availableBytes -= length;
    const first = this.#chunks[0];
    if (first !== undefined && first.length - this.#consumed >= length) {
      const from = this.#consumed;
      this.#consumed += length;
      if (this.#consumed === first.length) this.#dropFirst();
      return first.subarray(from, from + length);
    }
    return this.#join(length);
  }

  #join(length: number): Buffer {
    const message = this.#memory(length);
    let filled = 0;
    while (filled < length) {
      const chunk = this.#chunks[0] as Buffer;
      const end = Math.min(chunk.length, this.#consumed + length - filled);
      filled += chunk.copy(message, filled, this.#consumed, end);
      this.#consumed = end;
      if (end === chunk.length) this.#dropFirst();
    }
    return message;
  }

  #memory(length: number): Buffer {
    const pool = this.#pool;
    if (pool === undefined || length < pool.bytesMin) return Buffer.allocUnsafe(length);
    return asBuffer(pool.take(length));
  }

  #dropFirst(): void {
    this.#chunks.shift();
    this.#consumed = 0;
  }
}
