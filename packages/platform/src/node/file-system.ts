/**
 * Files of the operating system, by file descriptor and callback: the promise API of `node:fs`
 * costs a wrapper object per call, and a log makes two calls per group of batches.
 */
import * as fs from "node:fs";
import { mkdir, readdir, rename, rm, statfs, unlink } from "node:fs/promises";
import type { FileHandle, FileSystem, ReadOptions, WriteOptions } from "../ports/file-system.js";
import { DIRECT_READ_BYTES_MIN, DirectReader } from "./direct-reader.js";
import { DIRECT_BYTES_MIN, DirectWriter, type WriteTo } from "./direct-writer.js";
import { SharedRuns } from "./shared-runs.js";

/** Only the broker's own user reads its data. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/**
 * Chunks that one system call takes. With more of them a durable write would wait for the disk
 * once per call.
 */
const CHUNKS_MAX = 1024;

export const nodeFileSystem: FileSystem = {
  async open(path, options) {
    const flags = fs.constants.O_RDWR | (options.create ? fs.constants.O_CREAT : 0);
    return new NodeFileHandle(await openDescriptor(path, flags));
  },

  async makeDirectory(path) {
    return (await mkdir(path, { recursive: true, mode: DIRECTORY_MODE })) !== undefined;
  },

  async list(path) {
    try {
      return (await readdir(path)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  },

  exists(path) {
    return new Promise((resolve, reject) => {
      fs.stat(path, (error) => {
        if (error === null) resolve(true);
        else if (isMissing(error)) resolve(false);
        else reject(error);
      });
    });
  },

  async rename(from, to) {
    await rename(from, to);
  },

  async remove(path) {
    try {
      await unlink(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  },

  async removeDirectory(path) {
    await rm(path, { recursive: true, force: true });
  },

  async syncDirectory(path) {
    await directorySyncs.run(path);
  },

  async space(path) {
    try {
      const { bsize, blocks, bavail } = await statfs(path);
      return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
    } catch (error) {
      if (codeOf(error) === "ENOSYS" || codeOf(error) === "ENOTSUP") return undefined;
      throw error;
    }
  },

  // HTTP/2 sends at the end of a turn of the event loop, right before these callbacks.
  afterSends() {
    return new Promise((resolve) => setImmediate(resolve));
  },
};

/** Logs that are created at the same time share the syncs of the directory above them. */
const directorySyncs = new SharedRuns(async (path) => {
  const descriptor = await openDescriptor(path, fs.constants.O_RDONLY);
  try {
    await new Promise<void>((resolve, reject) => fs.fsync(descriptor, settle(resolve, reject)));
  } finally {
    await closeDescriptor(descriptor);
  }
});

class NodeFileHandle implements FileHandle {
  readonly #descriptor: number;
  /** The same file again: what is written to this one is durable. Opened when it is needed. */
  #durable: Promise<number | undefined> | undefined;
  #durableDescriptor: number | undefined;
  #direct: Promise<DirectWriter | undefined> | undefined;
  #directReader: Promise<DirectReader | undefined> | undefined;
  #isClosed = false;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  async read(target: Uint8Array, position: number, options?: ReadOptions): Promise<number> {
    const isDirect = options?.isLikelyOnly === true && target.length >= DIRECT_READ_BYTES_MIN;
    let filled = isDirect ? await this.#readDirectly(target, position) : 0;
    while (filled < target.length) {
      const count = await this.#readSome(target, filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  async #readDirectly(target: Uint8Array, position: number): Promise<number> {
    this.#directReader ??= DirectReader.open(this.#open());
    const direct = await this.#directReader;
    // Closed while the other descriptor was opened.
    this.#open();
    return (await direct?.read(target, position)) ?? 0;
  }

  write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    return this.#writeTo(this.#descriptor, chunks, position);
  }

  writeDurably(
    chunks: readonly Uint8Array[],
    position: number,
    options?: WriteOptions,
  ): Promise<void> {
    const isDirect = options?.isLikelyRead !== true && isLarge(chunks);
    if (isDirect) return this.#writeLargeDurably(chunks, position);
    return this.#writeCachedDurably(chunks, position);
  }

  /** More system calls than for a small write, and each of them cheaper. */
  async #writeLargeDurably(chunks: readonly Uint8Array[], position: number): Promise<void> {
    this.#direct ??= DirectWriter.open(this.#open());
    const direct = await this.#direct;
    if (direct === undefined) {
      await this.#writeCachedDurably(chunks, position);
      return;
    }
    const writeTo: WriteTo = (descriptor, some, at) => this.#writeTo(descriptor, some, at);
    await direct.append(this.#open(), chunks, position, writeTo);
    await this.dataSync();
  }

  #writeCachedDurably(chunks: readonly Uint8Array[], position: number): Promise<void> {
    const descriptor = this.#durableDescriptor;
    if (descriptor === undefined || chunks.length > CHUNKS_MAX) {
      return this.#writeFirstDurably(chunks, position);
    }
    return this.#writeTo(descriptor, chunks, position);
  }

  async #writeFirstDurably(chunks: readonly Uint8Array[], position: number): Promise<void> {
    const descriptor = await this.#openDurable();
    if (descriptor !== undefined && chunks.length <= CHUNKS_MAX) {
      await this.#writeTo(descriptor, chunks, position);
      return;
    }
    await this.write(chunks, position);
    await this.dataSync();
  }

  dataSync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#open(), settle(resolve, reject));
    });
  }

  truncate(lengthBytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.ftruncate(this.#open(), lengthBytes, settle(resolve, reject));
    });
  }

  sizeBytes(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.#open(), (error, facts) => {
        if (error === null) resolve(facts.size);
        else reject(error);
      });
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const durable = await this.#durable;
    if (durable !== undefined) await closeDescriptor(durable);
    const direct = await this.#direct;
    await direct?.close();
    const directReader = await this.#directReader;
    await directReader?.close();
    await closeDescriptor(this.#descriptor);
  }

  async #openDurable(): Promise<number | undefined> {
    this.#durable ??= openAgainDurable(this.#open());
    this.#durableDescriptor = await this.#durable;
    return this.#durableDescriptor;
  }

  #readSome(target: Uint8Array, filled: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const length = target.length - filled;
      fs.read(this.#open(), target, filled, length, position, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  #writeTo(descriptor: number, chunks: readonly Uint8Array[], position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw closedError();
      this.#writeAll(descriptor, chunks, position, settle(resolve, reject));
    });
  }

  /** One system call unless the kernel takes only a part of the bytes. */
  #writeAll(
    descriptor: number,
    chunks: readonly Uint8Array[],
    position: number,
    done: (error: Error | null) => void,
  ): void {
    const onWritten = (error: Error | null, count: number): void => {
      if (error !== null) {
        done(error);
        return;
      }
      const rest = without(chunks, count);
      if (rest.length === 0) done(null);
      else if (this.#isClosed) done(closedError());
      else this.#writeAll(descriptor, rest, position + count, done);
    };
    const only = chunks.length === 1 ? chunks[0] : undefined;
    if (only !== undefined) fs.write(descriptor, only, 0, only.length, position, onWritten);
    else if (chunks.length === 0) done(null);
    else fs.writev(descriptor, chunks, position, onWritten);
  }

  /**
   * The descriptor. A closed one must never reach the kernel: its number may by now belong to
   * another file.
   */
  #open(): number {
    if (this.#isClosed) throw closedError();
    return this.#descriptor;
  }
}

function isLarge(chunks: readonly Uint8Array[]): boolean {
  let length = 0;
  for (const chunk of chunks) {
    length += chunk.length;
    if (length >= DIRECT_BYTES_MIN) return true;
  }
  return false;
}

function closedError(): Error {
  return Object.assign(new Error("the file is closed"), { code: "EBADF" });
}

/** What is left of `chunks` after their first `count` bytes. Usually nothing. */
function without(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let index = 0;
  let skipped = 0;
  while (index < chunks.length) {
    const length = (chunks[index] as Uint8Array).length;
    if (skipped + length > count) break;
    skipped += length;
    index += 1;
  }
  if (index === chunks.length) return [];
  const first = (chunks[index] as Uint8Array).subarray(count - skipped);
  return [first, ...chunks.slice(index + 1)];
}

function openDescriptor(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, FILE_MODE, (error, descriptor) => {
      if (error === null) resolve(descriptor);
      else reject(error);
    });
  });
}

/**
 * Opens an open file a second time, so that a write to it returns when it is on the disk: one hop
 * to another thread instead of two. By descriptor, as the name may have gone to another file.
 * Undefined where the system has no such thing, or a sync does more than such a write does.
 */
async function openAgainDurable(descriptor: number): Promise<number | undefined> {
  if (process.platform !== "linux") return undefined;
  const flags = fs.constants.O_WRONLY | fs.constants.O_DSYNC;
  try {
    return await openDescriptor(`/proc/self/fd/${descriptor}`, flags);
  } catch {
    return undefined;
  }
}

function closeDescriptor(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => fs.close(descriptor, settle(resolve, reject)));
}

function settle(
  resolve: () => void,
  reject: (error: Error) => void,
): (error: Error | null | undefined) => void {
  return (error) => {
    if (error === null || error === undefined) resolve();
    else reject(error);
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}
