/**
 * Which bytes of a segment's file had the right checksums when this process read them. A hint that
 * saves work: what is forgotten is checked again.
 */

interface Stretch {
  from: number;
  to: number;
}

/** Readers that begin at different places leave islands, until one of them has read what is between. */
const STRETCHES_MAX = 16;

export class CheckedStretches {
  /** By position; none touches another. */
  readonly #stretches: Stretch[] = [];

  note(from: number, to: number): void {
    const first = this.#stretches.findIndex((stretch) => stretch.to >= from);
    const at = first < 0 ? this.#stretches.length : first;
    const merged = { from, to };
    let end = at;
    for (; end < this.#stretches.length; end += 1) {
      const stretch = this.#stretches[end] as Stretch;
      if (stretch.from > to) break;
      merged.from = Math.min(merged.from, stretch.from);
      merged.to = Math.max(merged.to, stretch.to);
    }
    this.#stretches.splice(at, end - at, merged);
    if (this.#stretches.length > STRETCHES_MAX) this.#forgetSmallest();
  }

  /** All of it is known to be right. */
  covers(from: number, to: number): boolean {
    return this.#stretches.some((stretch) => stretch.from <= from && to <= stretch.to);
  }

  /** Some of it is. */
  overlaps(from: number, to: number): boolean {
    return this.#stretches.some((stretch) => stretch.from < to && from < stretch.to);
  }

  /** What is left when the file is cut. The old one may still be told of bytes that are gone. */
  upTo(position: number): CheckedStretches {
    const left = new CheckedStretches();
    for (const { from, to } of this.#stretches) {
      if (from < position) left.note(from, Math.min(to, position));
    }
    return left;
  }

  #forgetSmallest(): void {
    const sizes = this.#stretches.map(({ from, to }) => to - from);
    this.#stretches.splice(sizes.indexOf(Math.min(...sizes)), 1);
  }
}
