/**
 * One file: what processes see, what the disk holds, and the changes between the two in order.
 */
import { assert } from "@strandline/model";
import type { SimRandom } from "../random.js";
import { GrowingBytes } from "./growing-bytes.js";
import { applySurvivors, type Change, drawSurvival } from "./survival.js";

export class SimFile {
  readonly #current = new GrowingBytes();
  readonly #durable = new GrowingBytes();
  #unsynced: Change[] = [];
  /** Changes ever made. */
  #changeCount = 0;

  get lengthBytes(): number {
    return this.#current.length;
  }

  /** Where a sync that starts now will reach to. */
  get mark(): number {
    return this.#changeCount;
  }

  get hasUnsynced(): boolean {
    return this.#unsynced.length > 0;
  }

  /** Returns the bytes read. */
  read(target: Uint8Array, position: number): number {
    const found = this.#current.view(position, position + target.length);
    target.set(found);
    return found.length;
  }

  /** All of it, as processes see it. */
  content(): Uint8Array {
    return this.#current.view(0, this.#current.length).slice();
  }

  /** Takes ownership of `bytes`. */
  write(position: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#current.write(position, bytes);
    this.#note({ kind: "write", position, bytes });
  }

  truncate(lengthBytes: number): void {
    this.#current.setLength(lengthBytes);
    this.#note({ kind: "truncate", lengthBytes });
  }

  /** The changes up to `mark` reach the disk. */
  makeDurable(mark: number): void {
    const changes = this.#take(mark);
    const all = changes.length;
    applySurvivors(this.#durable, changes, {
      changesInSector: () => all,
      changesInLength: all,
    });
  }

  /**
   * A sync of the changes up to `mark` fails: some sectors were written, some not, and the system
   * takes all of them for clean. No later sync writes them; processes go on seeing them.
   */
  failSync(mark: number, random: SimRandom): void {
    const changes = this.#take(mark);
    applySurvivors(this.#durable, changes, drawSurvival(random, changes.length));
  }

  /** The power was cut: what processes see now is what the disk holds. */
  loseUnsynced(random: SimRandom): void {
    if (this.#unsynced.length > 0) {
      applySurvivors(this.#durable, this.#unsynced, drawSurvival(random, this.#unsynced.length));
      this.#unsynced = [];
    }
    this.#current.copyFrom(this.#durable);
  }

  /** Bit rot: inverts one bit on the disk and in memory. */
  flipBit(position: number, bit: number): void {
    for (const content of [this.#current, this.#durable]) {
      const byte = content.view(position, position + 1)[0];
      if (byte !== undefined) content.write(position, Uint8Array.of(byte ^ (1 << bit)));
    }
  }

  #note(change: Change): void {
    this.#unsynced.push(change);
    this.#changeCount++;
  }

  #take(mark: number): Change[] {
    assert(mark <= this.#changeCount, "a sync reaches no further than what was written");
    const kept = this.#changeCount - mark;
    return this.#unsynced.splice(0, Math.max(0, this.#unsynced.length - kept));
  }
}
