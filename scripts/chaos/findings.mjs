/** What is wrong, by kind: how often, and the first few in words. */

const EXAMPLES_MAX = 5;

export class Findings {
  #kinds = new Map();

  add(kind, sentence, count = 1) {
    const known = this.#kinds.get(kind) ?? { count: 0, examples: [] };
    known.count += count;
    if (known.examples.length < EXAMPLES_MAX) known.examples.push(sentence);
    this.#kinds.set(kind, known);
  }

  addAll(other) {
    for (const { kind, count, examples } of other.list()) {
      const [first = "", ...more] = examples;
      this.add(kind, first, count - more.length);
      for (const sentence of more) this.add(kind, sentence);
    }
  }

  count(kind) {
    return this.#kinds.get(kind)?.count ?? 0;
  }

  get isEmpty() {
    return this.#kinds.size === 0;
  }

  /** `{ kind, count, examples }` each. */
  list() {
    return [...this.#kinds].map(([kind, { count, examples }]) => ({ kind, count, examples }));
  }
}
