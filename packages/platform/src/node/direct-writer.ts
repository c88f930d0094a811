/**
 * Writes large pieces of a file past the page cache (open(2), O_DIRECT): the disk takes them from our
 * memory. For what nobody is likely to read, as followers' copies: through the cache each gigabyte
 * costs new pages and one more copy, and pushes out what others read.
 *
 * Only whole blocks that lie behind the file's end go this way. What is before the first and after
 * the last of them goes through the cache, so the file always has its exact length, and no block is
 * ever written by one way while the cache holds it by the other.
 *
 * Nothing is durable before a sync, as with any other write.
 */
import * as fs from "node:fs";
import { AlignedSlots, BLOCK_BYTES } from "./aligned-slots.js";

/** One write takes no more than this. */
const SLOT_BYTES = 2 * 1024 * 1024;
/** As many as there are threads that write. */
const SLOTS = 4;

export type WriteTo = (
  descriptor: number,
  chunks: readonly Uint8Array[],
  position: number,
) => Promise<void>;

/** Smaller writes are not worth the detour. */
export const DIRECT_BYTES_MIN = 64 * 1024;

const slots = new AlignedSlots(SLOTS, SLOT_BYTES);

/** A file that is open for direct writes too. */
export class DirectWriter {
  readonly #descriptor: number;
  #isRefused = false;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Opens an open file again. Undefined where the system or the file system has no such thing. */
  static open(descriptor: number): Promise<DirectWriter | undefined> {
    const flag: number | undefined = fs.constants.O_DIRECT;
    if (process.platform !== "linux" || flag === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      fs.open(`/proc/self/fd/${descriptor}`, fs.constants.O_WRONLY | flag, (error, direct) => {
        resolve(error === null ? new DirectWriter(direct) : undefined);
      });
    });
  }

  /**
   * Writes to the end of the file, whose descriptor `cached` goes through the page cache. Rejects as
   * `writeTo` does.
   */
  async append(
    cached: number,
    chunks: readonly Uint8Array[],
    position: number,
    writeTo: WriteTo,
  ): Promise<void> {
    const rest = new ChunkReader(chunks);
    let at = position;
    while (rest.length >= DIRECT_BYTES_MIN && !this.#isRefused) {
      const slot = await slots.take();
      if (slot === undefined) break;
      try {
        const head = (BLOCK_BYTES - (at % BLOCK_BYTES)) % BLOCK_BYTES;
        if (head > 0) await writeTo(cached, rest.take(head), at);
        at += head;
        const length = Math.min(rest.length - (rest.length % BLOCK_BYTES), SLOT_BYTES);
        const bytes = slot.subarray(0, length);
        rest.fill(bytes);
        await this.#write(cached, bytes, at, writeTo);
        at += length;
      } finally {
        slots.release(slot);
      }
    }
    if (rest.length > 0) await writeTo(cached, rest.take(rest.length), at);
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.close(this.#descriptor, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
  }

  /** A file that takes no direct writes after all gets this one, and all others, by the cache. */
  async #write(
    cached: number,
    bytes: Uint8Array,
    position: number,
    writeTo: WriteTo,
  ): Promise<void> {
    try {
      await writeTo(this.#descriptor, [bytes], position);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
      this.#isRefused = true;
      await writeTo(cached, [bytes], position);
    }
  }
}

/** Takes bytes from the front of a list of chunks. */
class ChunkReader {
  readonly #chunks: readonly Uint8Array[];
  #index = 0;
  #position = 0;
  #length = 0;

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = chunks;
    for (const chunk of chunks) this.#length += chunk.length;
  }

  /** Bytes that are left. */
  get length(): number {
    return this.#length;
  }

  /** The next `count` bytes, as views. */
  take(count: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    for (let left = count; left > 0; ) {
      const piece = this.#next(left);
      taken.push(piece);
      left -= piece.length;
    }
    return taken;
  }

  /** Copies as many bytes as `target` has. */
  fill(target: Uint8Array): void {
    for (let at = 0; at < target.length; ) {
      const piece = this.#next(target.length - at);
      target.set(piece, at);
      at += piece.length;
    }
  }

  /** At most `bytesMax` bytes of one chunk. */
  #next(bytesMax: number): Uint8Array {
    const chunk = this.#chunks[this.#index] as Uint8Array;
    const end = Math.min(chunk.length, this.#position + bytesMax);
    const piece = chunk.subarray(this.#position, end);
    this.#position = end;
    this.#length -= piece.length;
    if (end === chunk.length) {
      this.#index += 1;
      this.#position = 0;
    }
    return piece;
  }
}
