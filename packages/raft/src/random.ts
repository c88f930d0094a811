/**
 * Jitter for election timeouts: a small generator that is a function of its seed alone, so that a
 * simulated run replays. Not for secrets.
 */
import { assert } from "@strandline/model";

export class Jitter {
  #state: number;

  /** Streams of different nodes differ even when the seed does not. */
  constructor(seed: number, node: number) {
    this.#state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(node + 1, 0x85ebca6b)) | 0;
    // The all-zero state is the one point the generator never leaves.
    if (this.#state === 0) this.#state = 1;
    for (let i = 0; i < 4; i += 1) this.#next();
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    assert(Number.isInteger(bound) && bound > 0, "a random bound is a positive integer");
    return this.#next() % bound;
  }

  #next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }
}
