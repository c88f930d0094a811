/**
 * Writes numbered records with acks=all, a bounded number of them under way, and remembers what was
 * acknowledged where and when: the promise that the log is held against afterwards.
 */
import { sleep, until } from "./waiting.mjs";

/** With so many failures there is nothing more to learn. */
const FAILURES_MAX = 100;

export class Writer {
  /** `{ number, partition, offset, sentAtMs, acknowledgedAtMs }`, in the order of the answers. */
  acknowledged = [];
  /** `{ number, partition, message }` */
  failed = [];
  /** Where the next records go, in turn. */
  partitions;
  #producer;
  #topic;
  #window;
  #paddingBytes;
  #next = 0;
  #isStopped = false;
  #done;

  /** `window`: sends under way at a time. */
  constructor(client, { topic, partitions = [0], window = 1, valueBytes = 100, producer = {} }) {
    this.partitions = partitions;
    this.#topic = topic;
    this.#window = window;
    this.#paddingBytes = valueBytes;
    this.#producer = client.producer({ acks: "all", idempotent: true, lingerMs: 0, ...producer });
  }

  start() {
    this.#done = this.#run();
    // A failure surfaces in `stop`.
    this.#done.catch(() => undefined);
  }

  /** Takes no more, and waits until everything on its way is settled. */
  async stop() {
    this.#isStopped = true;
    await this.#done;
    await this.#producer.close();
  }

  get sentCount() {
    return this.#next;
  }

  /** The first acknowledgement of a record that was sent at or after `sinceMs`. */
  acknowledgedSince(sinceMs) {
    for (let at = this.acknowledged.length - 1; at >= 0; at -= 1) {
      const entry = this.acknowledged[at];
      if (entry.sentAtMs >= sinceMs) continue;
      // Answers come nearly in order: look a window back, not at everything ever sent.
      const recent = this.acknowledged.slice(Math.max(0, at - this.#window));
      return recent.find((each) => each.sentAtMs >= sinceMs);
    }
    return this.acknowledged[0];
  }

  async untilAcknowledgedSince(sinceMs, timeoutMs = 60_000) {
    return await until("a record is acknowledged again", () => this.acknowledgedSince(sinceMs), {
      timeoutMs,
      pollMs: 2,
    });
  }

  /** Longest time without any acknowledgement between two moments. Milliseconds. */
  longestSilenceMs(fromMs, toMs) {
    const moments = this.acknowledged
      .map((entry) => entry.acknowledgedAtMs)
      .filter((atMs) => atMs > fromMs && atMs < toMs);
    let longest = 0;
    let before = fromMs;
    for (const atMs of [...moments, toMs]) {
      longest = Math.max(longest, atMs - before);
      before = atMs;
    }
    return longest;
  }

  async #run() {
    const underWay = new Set();
    while (!this.#isStopped && this.failed.length < FAILURES_MAX) {
      const sent = this.#send();
      underWay.add(sent);
      sent.then(() => underWay.delete(sent)).catch(() => undefined);
      if (underWay.size >= this.#window) await Promise.race(underWay);
    }
    await Promise.all(underWay);
  }

  async #send() {
    const number = this.#next;
    this.#next += 1;
    const partition = this.partitions[number % this.partitions.length];
    const sentAtMs = performance.now();
    try {
      const { offset } = await this.#producer.send({
        topic: this.#topic,
        partition,
        value: valueFor(number, this.#paddingBytes),
      });
      const acknowledgedAtMs = performance.now();
      this.acknowledged.push({ number, partition, offset, sentAtMs, acknowledgedAtMs });
    } catch (error) {
      this.failed.push({ number, partition, message: `${error.message} (${error.code})` });
      await sleep(10);
    }
  }
}

function valueFor(number, bytes) {
  return `${number} `.padEnd(bytes, "strandline ");
}

/** The number that a record's value carries. */
export function numberOf(value) {
  return Number.parseInt(Buffer.from(value).toString("latin1", 0, 20), 10);
}
