/**
 * Cuts what a connection delivers into frames: four bytes of length, then as many bytes. Nothing is
 * allocated by a length that a peer merely declares, and a peer that sends byte by byte costs little
 * more than the bytes it sent. A frame within one chunk is a view of it, and one over several is
 * joined once. Bytes that are only lent are copied once, to where their frame stays.
 */
import { ProtocolError } from "./protocol-error.js";

const PREFIX_BYTES = 4;
/** Chunks below this are gathered: a view of its own would cost more than the bytes in it. */
const CHUNK_BYTES_MIN = 1024;
const GATHER_BYTES = 4096;
/** Memory for a frame of which a part has come: so many times that part, and at least this much. */
const AHEAD_TIMES = 4;
const AHEAD_BYTES_MIN = 64 * 1024;

export interface FrameReaderOptions {
  /** Largest frame that is taken, the four bytes of length not counted. */
  readonly frameBytesMax: number;
  /** Memory for what is joined or copied; what it holds is overwritten. */
  readonly allocate?: (length: number) => Uint8Array;
  /** Memory that one frame has to itself, for which `makeRoom` is called. */
  readonly frames?: FrameMemory;
}

export interface FrameMemory {
  take(length: number): Uint8Array;
  /** Bytes that it gave are somewhere else now. */
  release(bytes: Uint8Array): void;
}

export class FrameReader {
  #frameBytesMax: number;
  readonly #allocate: (length: number) => Uint8Array;
  readonly #frames: FrameMemory | undefined;
  #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that were read. */
  #consumed = 0;
  #availableBytes = 0;
  /** Length of the frame whose prefix was read. */
  #length: number | undefined;
  /** Of lent bytes: how many the last frame still lacks, and what is known of its length. */
  #missing = 0;
  #prefix: number[] = [];
  /** Where small chunks are gathered; its first `#gathered` bytes belong to chunks. */
  #gather: Uint8Array = new Uint8Array(0);
  #gathered = 0;
  /** The beginning of a large frame, in memory of its own. */
  #beginning: Uint8Array | undefined;

  constructor(options: FrameReaderOptions) {
    this.#frameBytesMax = options.frameBytesMax;
    this.#allocate = options.allocate ?? ((length) => new Uint8Array(length));
    this.#frames = options.frames;
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
   * As `push`, of bytes that are overwritten afterwards: what is kept of them is a copy. A reader is
   * given its bytes by one of the two alone.
   */
  pushLent(bytes: Uint8Array): void {
    let at = 0;
    if (this.#missing > 0) {
      at = Math.min(this.#missing, bytes.length);
      this.#missing -= at;
      this.#copyBehind(bytes.subarray(0, at), this.#missing);
    }
    // Whole frames, and the beginning of one more: what is copied together is one piece of memory.
    let begin = at;
    while (at < bytes.length) {
      this.#prefix.push(bytes[at++] as number);
      if (this.#prefix.length < PREFIX_BYTES) continue;
      const length = int32(this.#prefix);
      this.#prefix = [];
      // `next` refuses it, and nothing behind it is looked at.
      if (length < 0 || length > this.#frameBytesMax) break;
      const frameBegin = at - PREFIX_BYTES;
      const end = at + length;
      if (end > bytes.length) {
        if (frameBegin > begin) this.#copyBehind(bytes.subarray(begin, frameBegin), 0);
        begin = Math.max(begin, frameBegin);
        this.#missing = end - bytes.length;
      }
      at = Math.min(end, bytes.length);
    }
    const rest = bytes.subarray(begin);
    if (rest.length === 0) return;
    this.#makeBeginning(rest.length);
    this.#copyBehind(rest, this.#missing);
  }

  /**
   * Makes room for all of the frame that is coming in: who asks has seen to it that so much may be
   * had. Lent bytes are then copied once, to where the frame stays.
   */
  makeRoom(): void {
    const length = this.#length ?? 0;
    if (this.#missing === 0 || length <= this.#availableBytes) return;
    if (this.#gather.length - this.#gathered >= this.#missing) return;
    const come = this.#availableBytes;
    const first = this.#take(come);
    this.#gather = this.#frames?.take(length) ?? this.#allocate(length);
    this.#gathered = 0;
    this.#availableBytes = come;
    this.#gatherChunk(first);
    if (this.#beginning !== undefined) this.#frames?.release(this.#beginning);
    this.#beginning = undefined;
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
    const length = int32(prefix);
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
    this.#gatherChunk(chunk);
  }

  /** There is room for it. */
  #gatherChunk(chunk: Uint8Array): void {
    const at = this.#gathered;
    this.#gather.set(chunk, at);
    this.#gathered += chunk.length;
    const last = this.#chunks.at(-1);
    const isBehind =
      last !== undefined &&
      last.buffer === this.#gather.buffer &&
      last.byteOffset + last.length === this.#gather.byteOffset + at;
    if (isBehind) {
      const joined = this.#gather.subarray(
        last.byteOffset - this.#gather.byteOffset,
        this.#gathered,
      );
      this.#chunks[this.#chunks.length - 1] = joined;
    } else {
      this.#chunks.push(this.#gather.subarray(at, this.#gathered));
    }
  }

  /** Copies lent bytes behind the last ones, in memory with room for what is `missing`. */
  #copyBehind(bytes: Uint8Array, missing: number): void {
    this.#availableBytes += bytes.length;
    if (this.#gather.length - this.#gathered < bytes.length) {
      const ahead = Math.max(AHEAD_BYTES_MIN, this.#availableBytes * AHEAD_TIMES);
      this.#gather = this.#allocate(Math.min(bytes.length + missing, ahead));
      this.#gathered = 0;
    }
    this.#gatherChunk(bytes);
  }

  /** A large frame begins with so many bytes. Room for the rest is made soon: no more is needed. */
  #makeBeginning(length: number): void {
    if (this.#missing === 0 || length + this.#missing <= AHEAD_BYTES_MIN) return;
    if (this.#frames === undefined) return;
    this.#beginning = this.#frames.take(length);
    this.#gather = this.#beginning;
    this.#gathered = 0;
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

/** Of four bytes, the highest first. */
function int32(bytes: Iterable<number>): number {
  let value = 0;
  for (const byte of bytes) value = (value << 8) | byte;
  return value;
}
