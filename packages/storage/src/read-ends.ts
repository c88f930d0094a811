/**
 * Where reads of a segment ended. Who reads on begins exactly there: the index only names a batch
 * before it, which would be read once more. A hint like the index, and checked like it.
 */

/** Readers of one segment that go on side by side. */
const ENDS_MAX = 16;

export class ReadEnds {
  /** Position by offset; the newest is last. */
  readonly #positions = new Map<number, number>();

  /** The batch that holds or follows `offset` stands at `position`. */
  note(offset: number, position: number): void {
    this.#positions.delete(offset);
    this.#positions.set(offset, position);
    if (this.#positions.size <= ENDS_MAX) return;
    for (const oldest of this.#positions.keys()) {
      this.#positions.delete(oldest);
      return;
    }
  }

  /** The position for `offset`, once: a hint that led astray must not be met again. */
  take(offset: number): number | undefined {
    const position = this.#positions.get(offset);
    if (position !== undefined) this.#positions.delete(offset);
    return position;
  }
}
