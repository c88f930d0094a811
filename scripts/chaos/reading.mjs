/** One reader's way through the log: each offset in turn, and nothing that others saw otherwise. */

export class Reading {
  #history;
  #name;
  #isWhole;
  #next;

  constructor(history, name, { isWhole }) {
    this.#history = history;
    this.#name = name;
    this.#isWhole = isWhole;
    this.#next = history.seen.map(() => 0);
  }

  /** Where reading goes on. */
  position(partition) {
    return this.#next[partition];
  }

  /** `record`: `{ producer, sequence, fingerprint }`. */
  read(partition, offset, record) {
    const next = this.#next[partition];
    const seen = this.#history.seen[partition];
    if (offset > next) this.#skip(partition, next, offset);
    if (offset < next) {
      this.#add("repeated", `read offset ${partition}/${offset} again, at ${next}`);
    }
    this.#next[partition] = Math.max(next, offset + 1);
    if (!seen.has(offset)) seen.set(offset, record);
    else if (!seen.isSame(offset, record) && seen.markBroken(offset)) {
      const before = recordName(seen.producer(offset), seen.sequence(offset));
      const now = recordName(record.producer, record.sequence);
      const what = before === now ? `${now} with other bytes` : `${now}, which was ${before}`;
      this.#add("rewritten", `read at ${partition}/${offset} ${what} before`);
    }
  }

  /** A whole reading has come to the end of every partition. */
  end() {
    for (const [partition, seen] of this.#history.seen.entries()) {
      const end = this.#next[partition];
      const missing = seen.endOffset - end;
      if (missing <= 0) continue;
      seen.markGoneFrom(end);
      const range = `[${end}, ${seen.endOffset})`;
      this.#add("vanished", `found nothing in ${range} of partition ${partition}`, missing);
    }
  }

  #skip(partition, from, to) {
    const seen = this.#history.seen[partition];
    if (this.#isWhole) for (let offset = from; offset < to; offset += 1) seen.markBroken(offset);
    this.#add("skipped", `found nothing in [${from}, ${to}) of partition ${partition}`, to - from);
  }

  #add(kind, what, count) {
    this.#history.findings.add(kind, `${this.#name} ${what}`, count);
  }
}

export function recordName(producer, sequence) {
  return `record ${sequence} of producer ${producer}`;
}
