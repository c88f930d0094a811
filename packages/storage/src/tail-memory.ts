/**
 * The memory that the tails of all logs of a broker share. When it is full, the oldest chunk of
 * all gives way, whichever log it belongs to: a bound for each log would be too much for a thousand
 * of them, and too little for one.
 */
export interface TailHolder {
  /** Forgets the oldest chunk; false when it must stay, as what is not written yet. */
  dropOldest(): boolean;
}

/** What a chunk costs besides its bytes: objects and places in lists. */
export const CHUNK_OVERHEAD_BYTES = 512;

/** Passed places at the front of the queue before they are dropped together. */
const SLACK = 1024;

export class TailMemory {
  readonly #bytesMax: number;
  #bytes = 0;
  /** The holder of each chunk, oldest first; undefined once passed. */
  #queue: (TailHolder | undefined)[] = [];
  #head = 0;
  /** Chunks that a holder has dropped by itself, and that still stand in the queue. */
  readonly #gone = new Map<TailHolder, number>();

  /** `bytesMax`: chunks and what they cost besides. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  /** A holder keeps one more chunk. Others may have to drop theirs. */
  added(holder: TailHolder, bytes: number): void {
    this.#queue.push(holder);
    this.#bytes += bytes + CHUNK_OVERHEAD_BYTES;
    this.#makeRoom();
  }

  /** A holder has `count` chunks less: dropped as it was told to, or by itself. */
  removed(holder: TailHolder, count: number, bytes: number): void {
    this.#bytes -= bytes + count * CHUNK_OVERHEAD_BYTES;
    this.#gone.set(holder, (this.#gone.get(holder) ?? 0) + count);
  }

  #makeRoom(): void {
    // Once around at most: what must stay is asked again when more comes.
    for (let left = this.#queue.length - this.#head; left > 0; left -= 1) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#passFirst();
    }
    if (this.#head > SLACK && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  #passFirst(): void {
    const holder = this.#queue[this.#head] as TailHolder;
    const gone = this.#gone.get(holder) ?? 0;
    // It tells `removed` about the chunk; this place in the queue stood for one that is gone.
    if (gone === 0 && !holder.dropOldest()) this.#queue.push(holder);
    else this.#passGone(holder);
    this.#queue[this.#head] = undefined;
    this.#head += 1;
  }

  #passGone(holder: TailHolder): void {
    const gone = (this.#gone.get(holder) ?? 0) - 1;
    if (gone > 0) this.#gone.set(holder, gone);
    else this.#gone.delete(holder);
  }
}
