/** What many executions came to: outcomes, the slowest, the largest, and what was never reached. */

/** Small inputs cost a message and an error whatever they say; ratios of larger ones mean something. */
const RATIO_BYTES_MIN = 1_024;

export class Tally {
  executions = 0;
  /** By target, how often each outcome was. */
  outcomes = {};
  /** APIs and versions whose frames were never decoded, or never refused. */
  #notDecoded;
  #notRefused;
  slowestMs = 0;
  /** Most that one decoder allocated in all, kept or not, per byte of a larger request. */
  totalRatioMax = 0;
  totalBytesMax = 0;
  /** By the profiler: how often it looked, and the largest share that it saw. */
  lookedAt = 0;
  largestRatioMax = 0;

  constructor(marks = []) {
    this.#notDecoded = new Set(marks);
    this.#notRefused = new Set(marks);
  }

  add({ target, mark, outcome, input, ms, totalBytes, largestBytes }) {
    this.executions += 1;
    this.#count(target, outcome, 1);
    (outcome === "decoded" ? this.#notDecoded : this.#notRefused).delete(mark);
    this.slowestMs = Math.max(this.slowestMs, ms);
    if (target === "requests" && input.length >= RATIO_BYTES_MIN) {
      this.totalRatioMax = Math.max(this.totalRatioMax, totalBytes / input.length);
      this.totalBytesMax = Math.max(this.totalBytesMax, totalBytes);
    }
    if (largestBytes === undefined) return;
    this.lookedAt += 1;
    if (input.length < RATIO_BYTES_MIN) return;
    this.largestRatioMax = Math.max(this.largestRatioMax, largestBytes / input.length);
  }

  get neverDecoded() {
    return [...this.#notDecoded];
  }

  get neverRefused() {
    return [...this.#notRefused];
  }

  /** Takes in what another process counted. */
  merge(other) {
    this.executions += other.executions;
    for (const [target, outcomes] of Object.entries(other.outcomes)) {
      for (const [outcome, count] of Object.entries(outcomes)) this.#count(target, outcome, count);
    }
    keepOnly(this.#notDecoded, other.neverDecoded);
    keepOnly(this.#notRefused, other.neverRefused);
    this.lookedAt += other.lookedAt;
    for (const name of ["slowestMs", "totalRatioMax", "totalBytesMax", "largestRatioMax"]) {
      this[name] = Math.max(this[name], other[name]);
    }
  }

  #count(target, outcome, count) {
    const outcomes = this.outcomes[target] ?? {};
    this.outcomes[target] = outcomes;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
  }

  toJson() {
    const { neverDecoded, neverRefused } = this;
    return { ...this, neverDecoded, neverRefused };
  }
}

/** What one process reached was reached. */
function keepOnly(marks, names) {
  for (const mark of marks) if (!names.includes(mark)) marks.delete(mark);
}
