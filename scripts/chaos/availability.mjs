/**
 * When writes were acknowledged: per second, the longest silences, and how long it took after a
 * fault. Pure: the caller says what time it is. Milliseconds of one monotonic clock.
 *
 * A silence is excused while fewer than a majority of the brokers run; the rest of it is not.
 */

const SECOND_MS = 1_000;

export class Availability {
  /** Acknowledged records, by second since the start. */
  perSecond = [];
  /** `{ what, fault, partition, waitedMs }`, what: "kill" or "majority" (came back; no fault). */
  waits = [];
  #startedAtMs;
  #all;
  #partitions;
  #pending = [];
  #hasMajority = true;
  #isFinished = false;

  constructor(partitions, atMs) {
    this.#startedAtMs = atMs;
    this.#all = new Silence(atMs);
    this.#partitions = Array.from({ length: partitions }, () => new Silence(atMs));
  }

  get startedAtMs() {
    return this.#startedAtMs;
  }

  acknowledged(partition, sentAtMs, atMs) {
    if (this.#isFinished) return;
    const second = Math.floor((atMs - this.#startedAtMs) / SECOND_MS);
    while (this.perSecond.length <= second) this.perSecond.push(0);
    this.perSecond[second] += 1;
    this.#all.interrupt(atMs);
    this.#partitions[partition].interrupt(atMs);
    if (this.#pending.length > 0) this.#answer(partition, sentAtMs, atMs);
  }

  /**
   * Whether a majority of the brokers runs, from now on. Its return is measured like a fault; while
   * it is away, nobody can be asked to answer.
   */
  setMajority(isThere, atMs) {
    if (this.#isFinished || isThere === this.#hasMajority) return;
    this.#hasMajority = isThere;
    for (const silence of [this.#all, ...this.#partitions]) silence.setMajority(isThere, atMs);
    this.#pending = [];
    if (!isThere) return;
    for (const partition of this.#partitions.keys()) {
      this.awaitWrite({ what: "majority", partition, fromMs: atMs });
    }
  }

  /**
   * Measures from `fromMs` to the acknowledgement of the first record of the partition that was
   * sent at or after `sinceMs`: earlier ones may have been answered by whoever is gone.
   */
  awaitWrite({ what, fault, partition, fromMs, sinceMs = fromMs }) {
    this.#pending.push({ what, fault, partition, fromMs, sinceMs });
  }

  /** What has not been answered yet. */
  get pending() {
    return this.#pending;
  }

  /** Longest of the current silences, of the cluster or of one partition, that nothing excuses. */
  stalled(nowMs) {
    const partitions = this.#partitions.map((silence, partition) => ({
      partition,
      ms: silence.unexcusedMs(nowMs),
    }));
    return partitions.reduce((longest, each) => (each.ms > longest.ms ? each : longest));
  }

  /** No more writes come. */
  finish(atMs) {
    this.#isFinished = true;
    this.#pending = [];
    for (const silence of [this.#all, ...this.#partitions]) silence.interrupt(atMs);
  }

  /** Longest silences: `{ ms, atMs, withMajorityMs }`, of the cluster and by partition. */
  longest() {
    return {
      cluster: this.#all.longest(this.#startedAtMs),
      partitions: this.#partitions.map((silence) => silence.longest(this.#startedAtMs)),
    };
  }

  #answer(partition, sentAtMs, atMs) {
    this.#pending = this.#pending.filter((wait) => {
      const isAnswer = wait.partition === partition && sentAtMs >= wait.sinceMs;
      if (!isAnswer) return true;
      const { what, fault, fromMs } = wait;
      this.waits.push({ what, fault, partition, waitedMs: atMs - fromMs });
      return false;
    });
  }
}

class Silence {
  #sinceMs;
  #majoritySinceMs;
  #longest = { ms: 0, sinceMs: 0 };
  #unexcusedMs = 0;

  constructor(atMs) {
    this.#sinceMs = atMs;
    this.#majoritySinceMs = atMs;
  }

  interrupt(atMs) {
    const ms = atMs - this.#sinceMs;
    if (ms > this.#longest.ms) this.#longest = { ms, sinceMs: this.#sinceMs };
    this.#unexcusedMs = Math.max(this.#unexcusedMs, this.unexcusedMs(atMs));
    this.#sinceMs = atMs;
  }

  setMajority(isThere, atMs) {
    if (isThere === (this.#majoritySinceMs !== undefined)) return;
    this.#unexcusedMs = Math.max(this.#unexcusedMs, this.unexcusedMs(atMs));
    this.#majoritySinceMs = isThere ? atMs : undefined;
  }

  unexcusedMs(nowMs) {
    if (this.#majoritySinceMs === undefined) return 0;
    return nowMs - Math.max(this.#sinceMs, this.#majoritySinceMs);
  }

  longest(startedAtMs) {
    const { ms, sinceMs } = this.#longest;
    return { ms, atMs: Math.max(0, sinceMs - startedAtMs), withMajorityMs: this.#unexcusedMs };
  }
}
