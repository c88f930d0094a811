/**
 * Cuts what a connection delivers into frames: four bytes of length, then as many bytes. Nothing is
 * allocated by a length that a peer merely declares, and a peer that sends byte by byte costs little
 * more than the bytes it sent. A frame within one chunk is a view of it, and one over several is
 * joined once.
 */
import { ProtocolError } from "./protocol-error.js";

const PREFIX_BYTES = 4;
/** Chunks below this are gathered: a view of its own would cost more than the bytes in it. */
const CHUNK_BYTES_MIN = 1024;
const GATHER_BYTES = 4096;

export interface FrameReaderOptions {
  /** Largest frame that is taken, the four bytes of length not counted. */
  readonly frameBytesMax: number;
  /** Memory for a frame that came in several chunks; what it holds is overwritten. */
  readonly allocate?: (length: number) => Uint8Array;
}

export class FrameReader {
  #frameBytesMax: number;
  readonly #allocate: (length: number) => Uint8Array;
  #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that were read. */
  #consumed = 0;
  #availableBytes = 0;
  /** Length of the frame whose prefix was read. */
  #length: number | undefined;
  /** Where small chunks are gathered; its first `#gathered` bytes belong to chunks. */
  #gather = new Uint8Array(0);
  #gathered = 0;

  constructor(options: FrameReaderOptions) {
    this.#frameBytesMax = options.frameBytesMax;
    this.#allocate = options.allocate ?? ((length) => new Uint8Array(length));
  }

  /** True while bytes wait for the rest of their frame. */
  get isInside(): boolean {
    return this.#availableBytes > 0 || this.#length !== undefined;
  }

  /** Length of the frame of which `next` has read the beginning and not yet the end. */
  get expectedBytes(): number | undefined {
    return this.#length;
  }

  /** Takes larger frames from now on: the peer said who it is. */
  raiseFrameBytesMax(frameBytesMax: number): void {
    this.#frameBytesMax = Math.max(this.#frameBytesMax, frameBytesMax);
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const rest = this.#availableBytes;
    this.#availableBytes += chunk.length;
    // Whatever completes a frame is consumed at once, so it need not be gathered.
    const isSmall = chunk.length < CHUNK_BYTES_MIN;
    const needed = this.#length ?? PREFIX_BYTES;
    if (isSmall && (rest > 0 || chunk.length < needed)) this.#pushGathered(chunk);
    else this.#chunks.push(chunk);
  }

  /**
   * The next whole frame without its length, if there is one. Throws a ProtocolError for a negative
   * length, and for one over the limit, as soon as it is known.
   */
  next(): Uint8Array | undefined {
    if (this.#length === undefined) {
      if (this.#availableBytes < PREFIX_BYTES) return undefined;
      this.#length = this.#readLength();
    }
    if (this.#availableBytes < this.#length) return undefined;
    const frame = this.#take(this.#length);
    this.#length = undefined;
    return frame;
  }

  #readLength(): number {
    const prefix = this.#take(PREFIX_BYTES);
    let length = 0;
    for (const byte of prefix) length = (length << 8) | byte;
    if (length < 0) throw new ProtocolError("malformed", `a frame has the length ${length}`);
    if (length > this.#frameBytesMax) {
      const text = `a frame of ${length} bytes is larger than ${this.#frameBytesMax}`;
      throw new ProtocolError("too-large", text);
    }
    return length;
  }

  /** Copies a small chunk behind the last one, where that lies in the gathering memory. */
  #pushGathered(chunk: Uint8Array): void {
    if (this.#gather.length - this.#gathered < chunk.length) {
      this.#gather = new Uint8Array(GATHER_BYTES);
      this.#gathered = 0;
    }
    const at = this.#gathered;
    this.#gather.set(chunk, at);
    this.#gathered += chunk.length;
    const last = this.#chunks.at(-1);
    const isBehind =
      last !== undefined &&
      last.buffer === this.#gather.buffer &&
      last.byteOffset + last.length === at;
    if (isBehind) {
      const joined = this.#gather.subarray(last.byteOffset, this.#gathered);
      this.#chunks[this.#chunks.length - 1] = joined;
    } else {
      this.#chunks.push(this.#gather.subarray(at, this.#gathered));
    }
  }

  #take(length: number): Uint8Array {
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

  #join(length: number): Uint8Array {
    const joined = this.#allocate(length);
    let filled = 0;
    let used = 0;
    while (filled < length) {
      const chunk = this.#chunks[used] as Uint8Array;
      const end = Math.min(chunk.length, this.#consumed + length - filled);
      joined.set(chunk.subarray(this.#consumed, end), filled);
      filled += end - this.#consumed;
      this.#consumed = end === chunk.length ? 0 : end;
      if (end === chunk.length) used++;
    }
    // At once: shifting a long list chunk by chunk moves all of it each time.
    this.#chunks.splice(0, used);
    return joined;
  }

  #dropFirst(): void {
    this.#chunks.shift();
    this.#consumed = 0;
  }
}
