/**
 * Reads large pieces of a file past the page cache (open(2), O_DIRECT). Through the cache the first
 * read of a gigabyte costs as many new pages; what is read once is better read without them, and
 * then pushes out nothing that others read.
 *
 * Safe beside any write: the system brings what its cache holds of the range to the disk first.
 */
import * as fs from "node:fs";
import { AlignedSlots, BLOCK_BYTES } from "./aligned-slots.js";

/** Smaller reads are not worth the detour. */
export const DIRECT_READ_BYTES_MIN = 128 * 1024;
/** One read takes a piece of a megabyte wherever it begins. */
const SLOT_BYTES = 1024 * 1024 + 2 * BLOCK_BYTES;
/** Half of the threads that touch files: the other half is for those who write. */
const SLOTS = 2;

const slots = new AlignedSlots(SLOTS, SLOT_BYTES);

/** A file that is open for direct reads too. */
export class DirectReader {
  readonly #descriptor: number;
  #isRefused = false;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Opens an open file again. Undefined where the system or the file system has no such thing. */
  static open(descriptor: number): Promise<DirectReader | undefined> {
    const flag: number | undefined = fs.constants.O_DIRECT;
    if (process.platform !== "linux" || flag === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      fs.open(`/proc/self/fd/${descriptor}`, fs.constants.O_RDONLY | flag, (error, direct) => {
        resolve(error === null ? new DirectReader(direct) : undefined);
      });
    });
  }

  /**
   * Fills `target` from `position` as far as it can; returns the bytes read. The rest, the file's
   * end among it, is to be read in the ordinary way.
   */
  async read(target: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (target.length - filled >= DIRECT_READ_BYTES_MIN && !this.#isRefused) {
      const slot = await slots.take();
      if (slot === undefined) break;
      try {
        const count = await this.#readInto(slot, target.subarray(filled), position + filled);
        if (count <= 0) break;
        filled += count;
      } finally {
        slots.release(slot);
      }
    }
    return filled;
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.close(this.#descriptor, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
  }

  /** Reads the blocks that hold the beginning of `target`, and copies what belongs to it. */
  async #readInto(slot: Uint8Array, target: Uint8Array, position: number): Promise<number> {
    const head = position % BLOCK_BYTES;
    const blocks = Math.ceil((head + target.length) / BLOCK_BYTES);
    const length = Math.min(blocks * BLOCK_BYTES, slot.length);
    const count = await this.#readBlocks(slot, length, position - head);
    const wanted = slot.subarray(head, Math.max(head, Math.min(count, head + target.length)));
    target.set(wanted);
    return wanted.length;
  }

  #readBlocks(slot: Uint8Array, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#descriptor, slot, 0, length, position, (error, count) => {
        if (error === null) resolve(count);
        else if (error.code === "EINVAL") {
          // A file system that opens a file so, and then does not read it so.
          this.#isRefused = true;
          resolve(0);
        } else reject(error);
      });
    });
  }
}
