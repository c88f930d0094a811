/**
 * Hash of a key → the last offset it was seen at. Open addressing in flat arrays: 24 bytes a place,
 * and nothing per key for the garbage collector to look at.
 */
import { hashKey } from "./key-hash.js";

const INITIAL_PLACES = 1024;
/** Places per key at most full: beyond it, the walks to a free place become long. */
const LOAD_MAX = 0.75;

export class OffsetMap {
  readonly #seed: number;
  readonly #hash = new Int32Array(4);
  #count = 0;
  #mask = INITIAL_PLACES - 1;
  /** Four words a place. */
  #hashes = new Int32Array(INITIAL_PLACES * 4);
  /** Offset + 1; 0 in a free place. */
  #offsets = new Float64Array(INITIAL_PLACES);

  /** Another `seed` for each map, so that nobody can prepare keys of one hash. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Keys in the map. */
  get size(): number {
    return this.#count;
  }

  /** Notes that `key` stands at `offset`, unless it is known from a later one. */
  put(key: Uint8Array, offset: number): void {
    hashKey(key, this.#seed, this.#hash);
    this.#putHash(offset);
  }

  /** The last offset of `key`; -1 for none. */
  get(key: Uint8Array): number {
    hashKey(key, this.#seed, this.#hash);
    return (this.#offsets[this.#place()] as number) - 1;
  }

  /** The hash of a key, to be put later. */
  hashOf(key: Uint8Array): Int32Array {
    const hash = new Int32Array(4);
    hashKey(key, this.#seed, hash);
    return hash;
  }

  putHashed(hash: Int32Array, offset: number): void {
    this.#hash.set(hash);
    this.#putHash(offset);
  }

  #putHash(offset: number): void {
    const place = this.#place();
    if (this.#offsets[place] === 0) {
      this.#hashes.set(this.#hash, place * 4);
      this.#count += 1;
    }
    this.#offsets[place] = Math.max(this.#offsets[place] as number, offset + 1);
    if (this.#count > (this.#mask + 1) * LOAD_MAX) this.#grow();
  }

  /** Where the current hash stands, or the free place where it would. */
  #place(): number {
    const hash = this.#hash;
    let place = (hash[0] as number) & this.#mask;
    while (this.#offsets[place] !== 0) {
      const at = place * 4;
      if (
        this.#hashes[at] === hash[0] &&
        this.#hashes[at + 1] === hash[1] &&
        this.#hashes[at + 2] === hash[2] &&
        this.#hashes[at + 3] === hash[3]
      ) {
        break;
      }
      place = (place + 1) & this.#mask;
    }
    return place;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const offsets = this.#offsets;
    const places = offsets.length * 2;
    this.#mask = places - 1;
    this.#hashes = new Int32Array(places * 4);
    this.#offsets = new Float64Array(places);
    for (let from = 0; from < offsets.length; from++) {
      if (offsets[from] === 0) continue;
      this.#hash.set(hashes.subarray(from * 4, from * 4 + 4));
      const to = this.#place();
      this.#hashes.set(this.#hash, to * 4);
      this.#offsets[to] = offsets[from] as number;
    }
  }
}
