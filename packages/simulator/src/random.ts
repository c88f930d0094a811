/**
 * The only randomness of a simulated world: small, fast, and the same on every machine.
 *
 * A generator is forked by name, from its identity and not from its state: a component that draws
 * once more shifts nobody else's numbers, so that a seed stays comparable over changes of the code.
 */
import { assert } from "@strandline/model";
import type { Random } from "@strandline/platform";

const TWO_32 = 4_294_967_296;

/** Draws that only settle the state: close seeds have close first numbers. */
const WARM_UP_DRAWS = 12;

export class SimRandom implements Random {
  readonly #identity: readonly [number, number];
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  private constructor(high: number, low: number) {
    this.#identity = [high, low];
    this.#a = high | 0;
    this.#b = low | 0;
    this.#c = (high ^ 0x9e3779b9) | 0;
    for (let draw = 0; draw < WARM_UP_DRAWS; draw++) this.uint32();
  }

  /** `seed` is a non-negative safe integer. */
  static fromSeed(seed: number): SimRandom {
    assert(Number.isSafeInteger(seed) && seed >= 0, "a seed is a non-negative safe integer");
    return new SimRandom(Math.floor(seed / TWO_32), seed >>> 0);
  }

  /** A generator of its own, told apart by `name`; independent of what was drawn here. */
  fork(name: string): SimRandom {
    let [high, low] = this.#identity;
    for (let at = 0; at < name.length; at++) {
      const unit = name.charCodeAt(at);
      high = Math.imul(high ^ unit, 0x01000193) + low;
      low = Math.imul(low ^ (unit + 0x7f), 0x85ebca6b) ^ (high >>> 15);
    }
    return new SimRandom(mix(high ^ 0x27d4eb2f), mix(low ^ Math.imul(high, 0xc2b2ae35)));
  }

  /** 32 uniform bits: the "small fast counting" generator, 128 bits of state. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  below(bound: number): number {
    assert(Number.isInteger(bound) && bound >= 1 && bound <= TWO_32, "a bound is in [1, 2^32]");
    return Math.floor((this.uint32() / TWO_32) * bound);
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = this.uint32() >>> 24;
    return bytes;
  }

  /** True with this probability. Draws once whatever it is, so that 0 and 1 shift nothing. */
  chance(probability: number): boolean {
    return this.uint32() / TWO_32 < probability;
  }

  /** An integer in [min, max], both inclusive. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** An integer in [min, max] whose number of bits is uniform: mostly small, sometimes large. */
  magnitude(min: number, max: number): number {
    assert(min >= 1 && max >= min, "a magnitude is drawn from a positive range");
    let doublings = 0;
    for (let low = min * 2; low <= max; low *= 2) doublings++;
    const low = min * 2 ** this.below(doublings + 1);
    return this.between(low, Math.min(max, low * 2 - 1));
  }

  pick<Item>(items: readonly Item[]): Item {
    assert(items.length > 0, "something is picked from a list that holds something");
    return items[this.below(items.length)] as Item;
  }

  /** A new list in random order. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const list = [...items];
    for (let at = list.length - 1; at > 0; at--) {
      const other = this.below(at + 1);
      [list[at], list[other]] = [list[other] as Item, list[at] as Item];
    }
    return list;
  }
}

function mix(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}
