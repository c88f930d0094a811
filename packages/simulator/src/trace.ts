/**
 * One running fingerprint of everything that happened. Two runs of one seed must agree on it; where
 * they do not, something outside the simulator decided a step.
 */

const FNV_PRIME = 0x01000193;
const LANE_PRIME = 0x85ebca6b;

export class Trace {
  #low = 0x811c9dc5 | 0;
  #high = 0x9747b28c | 0;
  #count = 0;
  readonly #kinds = new Map<string, number>();

  /** Events noted so far. */
  get count(): number {
    return this.#count;
  }

  /** The fingerprint: 16 hexadecimal digits. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  /**
   * Notes that `kind` happened at node number `node`. `detail` is what tells it from others of its
   * kind: a size, a checksum of the bytes. Integer; its lower 32 bits count.
   */
  note(timeUs: number, node: number, kind: string, detail: number): void {
    this.#count++;
    this.#mix(timeUs | 0);
    this.#mix((timeUs / 4_294_967_296) ^ (node << 16));
    this.#mix(this.#kindHash(kind));
    this.#mix(detail);
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, FNV_PRIME);
    this.#low ^= this.#low >>> 13;
    this.#high = Math.imul(this.#high ^ value ^ (this.#low >>> 7), LANE_PRIME);
    this.#high ^= this.#high >>> 16;
  }

  #kindHash(kind: string): number {
    let hash = this.#kinds.get(kind);
    if (hash === undefined) {
      hash = 0x811c9dc5;
      for (let at = 0; at < kind.length; at++) {
        hash = Math.imul(hash ^ kind.charCodeAt(at), FNV_PRIME);
      }
      this.#kinds.set(kind, hash);
    }
    return hash;
  }
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, "0");
}
