/**
 * The end of a log, in memory: what followers and consumers at the tail read.
 *
 * Holds the chunks as they were appended, whole batches each, in offset order. Chunks that are
 * not yet in the file stay whatever the bound says: nobody could read them elsewhere.
 */
import { assert } from "@strandline/model";
import { hold, keep, type Lease, release } from "@strandline/platform";
import { batchBytes, lastOffset } from "@strandline/record";
import { lowerBound } from "./offset-index.js";
import type { TailHolder, TailMemory } from "./tail-memory.js";

/** Dropped places at the front of the lists before they are moved together. */
const SLACK = 256;

const NOTHING = new Uint8Array(0);

export class RecentBatches implements TailHolder {
  readonly #memory: TailMemory | undefined;
  /** Everything below is in the file. */
  #writtenEndOffset: number;
  #chunks: Uint8Array[] = [];
  #baseOffsets: number[] = [];
  #head = 0;
  #bytes = 0;
  #endOffset: number;

  /** Empty; the log ends at `endOffset`. With `memory`, other logs' chunks count too. */
  constructor(endOffset: number, memory?: TailMemory) {
    this.#endOffset = endOffset;
    this.#writtenEndOffset = endOffset;
    this.#memory = memory;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  /** First offset in memory; the log's end when nothing is. */
  get startOffset(): number {
    return this.#baseOffsets[this.#head] ?? this.#endOffset;
  }

  /** Adds a chunk of whole batches that continue the log. */
  push(chunk: Uint8Array, baseOffset: number, endOffset: number): void {
    assert(baseOffset >= this.#endOffset, "the tail grows at its end");
    hold(chunk);
    this.#chunks.push(chunk);
    this.#baseOffsets.push(baseOffset);
    this.#bytes += chunk.length;
    this.#endOffset = endOffset;
    this.#memory?.added(this, chunk.length);
  }

  /** Forgets the oldest chunks beyond `bytesMax` that end at or before `writtenEndOffset`. */
  evict(bytesMax: number, writtenEndOffset: number): void {
    this.#writtenEndOffset = writtenEndOffset;
    while (this.#bytes > bytesMax && this.dropOldest());
  }

  dropOldest(): boolean {
    const chunk = this.#chunks[this.#head];
    if (chunk === undefined) return false;
    const endOffset = this.#baseOffsets[this.#head + 1] ?? this.#endOffset;
    if (endOffset > this.#writtenEndOffset) return false;
    this.#bytes -= chunk.length;
    this.#chunks[this.#head] = NOTHING;
    this.#head += 1;
    if (this.#head > SLACK && this.#head * 2 > this.#chunks.length) this.#compact();
    this.#memory?.removed(this, 1, chunk.length);
    release(chunk);
    return true;
  }

  /**
   * Whole batches from the one that holds `fromOffset`, all of them below `endOffset`; at least
   * one when there is any. Undefined when memory does not reach back that far. They are held by
   * `lease`; without one they stay as they are for good.
   */
  read(
    fromOffset: number,
    bytesMax: number,
    endOffset: number,
    lease?: Lease,
  ): Uint8Array[] | undefined {
    if (fromOffset >= endOffset || fromOffset >= this.#endOffset) return [];
    if (fromOffset < this.startOffset) return undefined;
    let index = this.#indexOf(fromOffset);
    let at = positionOf(this.#chunks[index] as Uint8Array, fromOffset);
    const found: Uint8Array[] = [];
    let room = bytesMax;
    for (; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index] as Uint8Array;
      const chunkEnd = this.#baseOffsets[index + 1] ?? this.#endOffset;
      const isWhole = chunkEnd <= endOffset && chunk.length - at <= room;
      const stop = isWhole
        ? chunk.length
        : stopOf(chunk, at, { endOffset, bytesMax: room, isFirst: found.length === 0 });
      if (stop > at) {
        if (lease === undefined) keep(chunk);
        else lease.hold(chunk);
        found.push(at === 0 && stop === chunk.length ? chunk : chunk.subarray(at, stop));
        room -= stop - at;
      }
      if (stop < chunk.length) break;
      at = 0;
    }
    return found;
  }

  /**
   * Forgets everything at or after `offset`, which is where a batch begins or the log ends. What may
   * still be on its way to a file is released by nobody.
   */
  truncate(offset: number): void {
    this.#compact();
    const before = { count: this.#chunks.length, bytes: this.#bytes };
    while (this.#chunks.length > 0 && (this.#baseOffsets.at(-1) as number) >= offset) {
      this.#bytes -= (this.#chunks.pop() as Uint8Array).length;
      this.#baseOffsets.pop();
    }
    const last = this.#chunks.length - 1;
    const chunk = this.#chunks[last];
    if (chunk !== undefined) {
      const kept = chunk.subarray(0, positionOf(chunk, offset));
      this.#bytes -= chunk.length - kept.length;
      this.#chunks[last] = kept;
    }
    this.#endOffset = offset;
    this.#writtenEndOffset = Math.min(this.#writtenEndOffset, offset);
    const count = before.count - this.#chunks.length;
    this.#memory?.removed(this, count, before.bytes - this.#bytes);
  }

  /** Forgets everything, as `truncate` does; the log ends at `endOffset`. */
  reset(endOffset: number): void {
    this.#memory?.removed(this, this.#chunks.length - this.#head, this.#bytes);
    this.#chunks = [];
    this.#baseOffsets = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#endOffset = endOffset;
    this.#writtenEndOffset = endOffset;
  }

  /** The last chunk that begins at or before `offset`. */
  #indexOf(offset: number): number {
    return lowerBound(this.#baseOffsets, this.#baseOffsets.length, offset + 1) - 1;
  }

  #compact(): void {
    this.#chunks.splice(0, this.#head);
    this.#baseOffsets.splice(0, this.#head);
    this.#head = 0;
  }
}

/** Where the first batch begins that ends after `offset`; the chunk's length when none does. */
function positionOf(chunk: Uint8Array, offset: number): number {
  let at = 0;
  while (at < chunk.length && lastOffset(chunk, at) < offset) at += batchBytes(chunk, at);
  return at;
}

interface Bounds {
  readonly endOffset: number;
  readonly bytesMax: number;
  /** Nothing was found before: the first batch is given whatever its size. */
  readonly isFirst: boolean;
}

/** Where to stop reading a chunk from `at`. */
function stopOf(chunk: Uint8Array, at: number, bounds: Bounds): number {
  let stop = at;
  while (stop < chunk.length) {
    if (lastOffset(chunk, stop) >= bounds.endOffset) break;
    const next = stop + batchBytes(chunk, stop);
    if (next - at > bounds.bytesMax && !(bounds.isFirst && stop === at)) break;
    stop = next;
  }
  return stop;
}
