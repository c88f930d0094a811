/**
 * Memory that is used again: messages that came in, and pieces read from files. A broker passes them
 * through by the gigabyte. Taken anew each time, every page of them is cleared by the system first,
 * and their garbage makes V8 collect all day.
 *
 * Whoever keeps bytes beyond the call that gave them to it holds them, and releases them; the last
 * release gives the memory back, to be overwritten. Holding and releasing bytes of other memory does
 * nothing, so nobody needs to know where bytes came from. Who cannot say when it is done keeps them:
 * then the garbage collector decides, as it does when a release is forgotten. Only a release that
 * comes too early does harm.
 */

/** Smaller memory is left to its allocator, which has it at hand. */
const BYTES_MIN = 16 * 1024;
const BYTES_MAX = 8 * 1024 * 1024;
/** Sizes between a power of two and the next: at most a fifth of a buffer is not used. */
const STEPS = 4;
const FREE_BYTES_MAX = 64 * 1024 * 1024;

export interface BufferPoolOptions {
  /** Smaller memory is not used again. At least 4. */
  readonly bytesMin?: number;
  /** Unused memory that is not given to the garbage collector. Bytes. */
  readonly freeBytesMax?: number;
  /** Overwrites what is given back at once, so that a release that came too early shows. */
  readonly overwrites?: boolean;
}

interface Share {
  readonly pool: BufferPool;
  holders: number;
  isKept: boolean;
}

/** Of the memory that came from a pool. */
const shares = new WeakMap<ArrayBufferLike, Share>();

export class BufferPool {
  /** Smaller memory does not come from the pool. */
  readonly bytesMin: number;
  readonly #freeBytesMax: number;
  readonly #overwrites: boolean;
  /** By size. */
  readonly #free = new Map<number, ArrayBufferLike[]>();
  #freeBytes = 0;

  constructor(options: BufferPoolOptions = {}) {
    this.bytesMin = options.bytesMin ?? BYTES_MIN;
    this.#freeBytesMax = options.freeBytesMax ?? FREE_BYTES_MAX;
    this.#overwrites = options.overwrites ?? false;
  }

  /** Bytes of memory that nobody uses. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Memory that the caller holds, with anything in it. */
  take(length: number): Uint8Array {
    if (length < this.bytesMin || length > BYTES_MAX) return new Uint8Array(length);
    const sizeBytes = sizeFor(length);
    const used = this.#free.get(sizeBytes)?.pop();
    if (used !== undefined) this.#freeBytes -= sizeBytes;
    const memory = used ?? new ArrayBuffer(sizeBytes);
    shares.set(memory, { pool: this, holders: 1, isKept: false });
    return new Uint8Array(memory, 0, length);
  }

  /** Nobody holds it any more. */
  giveBack(memory: ArrayBufferLike): void {
    if (this.#overwrites) new Uint8Array(memory).fill(0xa5);
    const sizeBytes = memory.byteLength;
    if (this.#freeBytes + sizeBytes > this.#freeBytesMax) return;
    const same = this.#free.get(sizeBytes);
    if (same === undefined) this.#free.set(sizeBytes, [memory]);
    else same.push(memory);
    this.#freeBytes += sizeBytes;
  }
}

/** One more holds the memory of these bytes. */
export function hold(bytes: Uint8Array): void {
  const share = shares.get(bytes.buffer);
  if (share !== undefined) share.holders += 1;
}

/** One less does. */
export function release(bytes: Uint8Array): void {
  const memory = bytes.buffer;
  const share = shares.get(memory);
  if (share === undefined) return;
  share.holders -= 1;
  if (share.holders > 0) return;
  shares.delete(memory);
  if (!share.isKept) share.pool.giveBack(memory);
}

/** The memory of these bytes is never used again for anything else. */
export function keep(bytes: Uint8Array): void {
  const share = shares.get(bytes.buffer);
  if (share !== undefined) share.isKept = true;
}

/** What one reader holds, until it is done with all of it at once. */
export class Lease {
  readonly #pool: BufferPool | undefined;
  #held: Uint8Array[] = [];

  /** With `pool`, memory may be taken too that comes back with the rest. */
  constructor(pool?: BufferPool) {
    this.#pool = pool;
  }

  hold(bytes: Uint8Array): void {
    hold(bytes);
    this.#held.push(bytes);
  }

  take(length: number): Uint8Array {
    if (this.#pool === undefined) return new Uint8Array(length);
    const bytes = this.#pool.take(length);
    this.#held.push(bytes);
    return bytes;
  }

  /** Idempotent. A lease that is never released is left to the garbage collector. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) release(bytes);
  }
}

function sizeFor(length: number): number {
  const power = 2 ** Math.floor(Math.log2(length));
  const step = power / STEPS;
  return Math.ceil(length / step) * step;
}
