/**
 * Group commit: one write and sync in flight, everything that arrives meanwhile goes out next.
 *
 * Chunks wait in groups, one per segment, and a group is one durable write of a list. The
 * first failure ends it: what a failed sync left in the page cache can never be trusted again.
 */
import { assert } from "@strandline/model";
import type { FileHandle, FileSystem, WriteOptions } from "@strandline/platform";
import type { Segment } from "./segment.js";

/** A group takes no more than this, so that progress is told in steps when the disk is slow. */
const GROUP_BYTES_MAX = 32 * 1024 * 1024;

interface Group {
  readonly segment: Segment;
  readonly chunks: Uint8Array[];
  bytes: number;
  endOffset: number;
}

interface Waiter {
  readonly endOffset: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface WriterOptions {
  readonly directory: string;
  /** Everything below is in the files. */
  readonly endOffset: number;
  /** False: a group counts as durable before it was synced. */
  isSynced: boolean;
}

export interface WriterObserver {
  onDurable(endOffset: number): void;
  onFailed(error: Error): void;
}

export class LogWriter {
  readonly #fileSystem: FileSystem;
  readonly #options: WriterOptions;
  readonly #observer: WriterObserver;
  readonly #groups: Group[] = [];
  #waiters: Waiter[] = [];
  #running: Promise<void> | undefined;
  #durableEndOffset: number;
  #pendingBytes = 0;
  #failure: Error | undefined;
  /** The segment that is written to, held open. */
  #segment: Segment | undefined;
  #handle: FileHandle | undefined;
  #expectsReaders = false;

  constructor(fileSystem: FileSystem, options: WriterOptions, observer: WriterObserver) {
    this.#fileSystem = fileSystem;
    this.#options = options;
    this.#observer = observer;
    this.#durableEndOffset = options.endOffset;
  }

  /** Everything below was written, and synced unless the log is not. */
  get durableEndOffset(): number {
    return this.#durableEndOffset;
  }

  /** Bytes that were appended and are not durable. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Queues a chunk for the end of `segment`. Never waits. */
  append(segment: Segment, chunk: Uint8Array, endOffset: number): void {
    const last = this.#groups.at(-1);
    this.#pendingBytes += chunk.length;
    if (last?.segment === segment && last.bytes + chunk.length <= GROUP_BYTES_MAX) {
      last.chunks.push(chunk);
      last.bytes += chunk.length;
      last.endOffset = endOffset;
    } else {
      this.#groups.push({ segment, chunks: [chunk], bytes: chunk.length, endOffset });
    }
    this.#start();
  }

  /** Resolves once everything below `endOffset` is durable; rejects when that cannot be. */
  async durable(endOffset: number): Promise<void> {
    if (this.#durableEndOffset >= endOffset) return;
    if (this.#failure !== undefined) throw this.#failure;
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ endOffset, resolve, reject });
    });
  }

  /** Syncs a segment that was written without. */
  async syncSegment(segment: Segment): Promise<void> {
    const bytes = segment.writtenBytes;
    if (segment.syncedBytes >= bytes) return;
    try {
      const handle = await segment.file.acquire({ create: false });
      try {
        await handle.dataSync();
      } finally {
        segment.file.release();
      }
    } catch (error) {
      this.fail(asError(error));
      throw error;
    }
    segment.syncedBytes = Math.max(segment.syncedBytes, bytes);
  }

  setSynced(isSynced: boolean): void {
    this.#options.isSynced = isSynced;
  }

  /** Whether what is written from now on is likely to be read soon. */
  expectReaders(isExpected: boolean): void {
    this.#expectsReaders = isExpected;
  }

  /** The log was cut or begins anew at `endOffset`, while nothing was queued. */
  reset(endOffset: number): void {
    assert(this.#groups.length === 0 && this.#running === undefined, "a busy writer is not reset");
    this.releaseFile();
    this.#durableEndOffset = endOffset;
  }

  /** Lets go of a segment's file, if it was the last one written to. All of it is durable. */
  forget(segment: Segment): void {
    if (this.#segment === segment) this.releaseFile();
  }

  /** Lets go of the file that is written to. */
  releaseFile(): void {
    if (this.#handle !== undefined) this.#segment?.file.release();
    this.#handle = undefined;
    this.#segment = undefined;
  }

  /** Nothing becomes durable after this. Idempotent. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#groups.length = 0;
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters = [];
    this.#observer.onFailed(error);
  }

  /** Resolves when nothing is in flight any more, after a failure too. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #start(): void {
    if (this.#running !== undefined || this.#failure !== undefined) return;
    this.#running = this.#runSoon().then(
      () => {
        this.#running = undefined;
        // What the observer appended during its last call is still queued.
        if (this.#groups.length > 0) this.#start();
      },
      (error: unknown) => {
        this.#running = undefined;
        this.fail(asError(error));
      },
    );
  }

  /**
   * After an idle time the disk is not asked first: whoever else writes these records, or waits for an
   * answer, gets it before, and the records that come in the same turn share one write.
   */
  #runSoon(): Promise<void> {
    const sent = this.#fileSystem.afterSends?.();
    return sent === undefined ? this.#run() : sent.then(async () => await this.#run());
  }

  async #run(): Promise<void> {
    let group = this.#groups.shift();
    let flush = group === undefined ? undefined : this.#flush(group);
    while (group !== undefined) {
      await flush;
      if (this.#failure !== undefined) return;
      const done = group;
      // The disk gets its next work before the observer does its own.
      group = this.#groups.shift();
      flush = group === undefined ? undefined : this.#flush(group);
      // If the observer throws, nobody else would look at this promise.
      flush?.catch(() => undefined);
      this.#finish(done);
    }
  }

  #finish(group: Group): void {
    this.#durableEndOffset = group.endOffset;
    this.#pendingBytes -= group.bytes;
    if (this.#waiters.length > 0) this.#releaseWaiters();
    this.#observer.onDurable(group.endOffset);
  }

  #releaseWaiters(): void {
    const end = this.#durableEndOffset;
    const ready = this.#waiters.filter((waiter) => waiter.endOffset <= end);
    this.#waiters = this.#waiters.filter((waiter) => waiter.endOffset > end);
    for (const waiter of ready) waiter.resolve();
  }

  async #flush(group: Group): Promise<void> {
    const { segment } = group;
    const handle = segment === this.#segment ? this.#handle : await this.#open(segment);
    assert(handle !== undefined, "the file that is written to is open");
    const { writtenBytes } = segment;
    const isLikelyRead = this.#expectsReaders;
    const isUnsynced = !this.#options.isSynced && segment.isCreated;
    if (isUnsynced) {
      await handle.write(group.chunks, writtenBytes);
    } else {
      await writeSynced(handle, segment, group.chunks, { isLikelyRead });
      segment.syncedBytes = writtenBytes + group.bytes;
    }
    // What was not synced is in the cache and, for a while, nowhere else.
    segment.cachedFrom =
      isLikelyRead || isUnsynced
        ? Math.min(segment.cachedFrom, writtenBytes)
        : Number.POSITIVE_INFINITY;
    if (!segment.isCreated) {
      // The records are not durable before their file's name is.
      await this.#fileSystem.syncDirectory(this.#options.directory);
      segment.isCreated = true;
    }
    segment.writtenBytes += group.bytes;
    segment.writtenEndOffset = group.endOffset;
  }

  async #open(segment: Segment): Promise<FileHandle> {
    this.releaseFile();
    const handle = await segment.file.acquire({ create: true });
    this.#segment = segment;
    this.#handle = handle;
    return handle;
  }
}

/** Appends to the segment's file; all of the file is durable then. */
async function writeSynced(
  handle: FileHandle,
  segment: Segment,
  chunks: readonly Uint8Array[],
  options: WriteOptions,
): Promise<void> {
  const { writtenBytes } = segment;
  if (segment.syncedBytes === writtenBytes) {
    await handle.writeDurably(chunks, writtenBytes, options);
    return;
  }
  // The log was not synced until now: what was written before becomes durable with this.
  await handle.write(chunks, writtenBytes);
  await handle.dataSync();
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
