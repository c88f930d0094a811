/**
 * The file that a compaction writes for some segments of a log: their batches go in one by one,
 * each as it was, in fewer words, or not at all.
 *
 * As long as the batches of a single segment stay as they were nothing is written: most of a log
 * that was compacted before has nothing to lose, and is only read.
 */
import { assert, BrokerError, INT32_MAX } from "@strandline/model";
import type { FileHandle, FileSystem } from "@strandline/platform";
import { batchBytes } from "@strandline/record";
import { noteBatch } from "./index-files.js";
import type { Segment } from "./segment.js";
import { CLEANED_SUFFIX } from "./segment-name.js";

const COPY_BYTES = 256 * 1024;

export interface CleanedFileOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly indexIntervalBytes: number;
  /** Waited for after each piece that is copied. */
  readonly pause: () => Promise<void>;
}

export class CleanedFile {
  /** What the file holds. Its path is the one that the file gets in the end. */
  readonly segment: Segment;
  readonly #options: CleanedFileOptions;
  readonly #path: string;
  #handle: FileHandle | undefined;
  #isThere = false;
  #chunks: Uint8Array[] = [];
  /** Bytes that are in the file. */
  #writtenBytes = 0;
  /** Bytes at its start that are those of the old segment's file, and not copied yet. */
  #sameBytes = 0;
  #isChanged: boolean;

  /** `segment` is empty. `isMerged`: it takes the place of several, so that it is always written. */
  constructor(segment: Segment, isMerged: boolean, options: CleanedFileOptions) {
    this.segment = segment;
    this.#options = options;
    this.#path = `${segment.file.path}${CLEANED_SUFFIX}`;
    this.#isChanged = isMerged;
  }

  /** False while it is the same as the segment that it was made of. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** A batch stays as it is. The bytes are not used after the next `flush`. */
  keep(bytes: Uint8Array, at: number): void {
    const sizeBytes = batchBytes(bytes, at);
    if (this.#isChanged) this.#chunks.push(bytes.subarray(at, at + sizeBytes));
    else this.#sameBytes += sizeBytes;
    this.#note(bytes, at);
  }

  /** A batch is replaced by another of the same offsets; undefined: it goes. */
  replace(bytes: Uint8Array | undefined): void {
    this.#isChanged = true;
    if (bytes === undefined) return;
    this.#chunks.push(bytes);
    this.#note(bytes, 0);
  }

  /** Writes what has gathered. `old` reads the segment that the batches came from. */
  async flush(old: FileHandle): Promise<void> {
    if (!this.#isChanged) return;
    const handle = this.#handle ?? (await this.#open());
    await this.#copySame(handle, old);
    const chunks = this.#chunks;
    if (chunks.length === 0) return;
    this.#chunks = [];
    await handle.write(chunks, this.#writtenBytes);
    for (const chunk of chunks) this.#writtenBytes += chunk.length;
  }

  /** Everything is in: makes the file and its name durable, and the segment whole. */
  async finish(nextOffset: number): Promise<void> {
    const { segment } = this;
    assert(this.#chunks.length === 0, "what has gathered was written");
    assert(this.#writtenBytes === segment.sizeBytes, "the file holds what was noted of it");
    const handle = this.#handle ?? (await this.#open());
    await handle.dataSync();
    await this.#close();
    await this.#options.fileSystem.syncDirectory(this.#options.directory);
    segment.setEnd(segment.sizeBytes, nextOffset);
    segment.isCreated = true;
    segment.seal();
  }

  /** Lets go of it and removes what was written. */
  async abandon(): Promise<void> {
    if (!this.#isThere) return;
    await this.#close();
    await this.#options.fileSystem.remove(this.#path);
  }

  #note(bytes: Uint8Array, at: number): void {
    if (this.segment.sizeBytes + batchBytes(bytes, at) > INT32_MAX) {
      // A tombstone takes a few bytes more once it has its time to go.
      throw new BrokerError("KAFKA_STORAGE_ERROR", "a compacted segment would pass 2 GiB");
    }
    noteBatch(this.segment, bytes, at, this.#options.indexIntervalBytes);
  }

  async #open(): Promise<FileHandle> {
    this.#isThere = true;
    const handle = await this.#options.fileSystem.open(this.#path, { create: true });
    this.#handle = handle;
    // Of a round that was given up.
    await handle.truncate(0);
    return handle;
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #copySame(handle: FileHandle, old: FileHandle): Promise<void> {
    while (this.#writtenBytes < this.#sameBytes) {
      const left = this.#sameBytes - this.#writtenBytes;
      const piece = new Uint8Array(Math.min(COPY_BYTES, left));
      const count = await old.read(piece, this.#writtenBytes);
      if (count < piece.length) {
        throw new BrokerError("KAFKA_STORAGE_ERROR", "a segment is shorter than it was");
      }
      await handle.write([piece], this.#writtenBytes);
      this.#writtenBytes += piece.length;
      await this.#options.pause();
    }
    this.#sameBytes = 0;
  }
}
