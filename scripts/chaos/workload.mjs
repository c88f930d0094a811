/**
 * Producers that write all the time, and tell the history what they sent and what they were
 * promised. Each has a client of its own, and a lane per partition: an unavailable partition holds
 * up nothing but itself.
 */
import { connect } from "@strandline/client";
import { encodeContent, keyFor } from "./record-content.mjs";

const KEYS_PER_PARTITION = 20;
const TICK_MS = 5;
/** Sends under way per lane. Reached after a few seconds without an answer; then the lane waits. */
const WINDOW = 500;
/** The last producer gives up soon: so there are records of which nobody knows. */
const IMPATIENT_MS = 3_000;
/** Longer than any fault keeps the brokers away: such a producer must not fail at all. */
const PATIENT_MS = 120_000;
const IMPATIENT_CODES = new Set(["DELIVERY_TIMED_OUT", "OUTCOME_UNKNOWN"]);

export class Workload {
  /** Failed sends by error code. */
  failures = new Map();
  /** A sentence on the first failure that no fault excuses. */
  problem;
  #producers = [];
  #history;
  #availability;
  #topic;
  #ticker;
  #tickedAtMs;
  #perMs;

  constructor({ bootstrap, history, availability, topic, recordsPerSecond }) {
    this.#history = history;
    this.#availability = availability;
    this.#topic = topic;
    const count = history.sent.length;
    const partitions = history.seen.length;
    this.#perMs = recordsPerSecond / 1_000 / count / partitions;
    for (let id = 0; id < count; id += 1) {
      const client = connect({ bootstrap, clientId: `chaos-producer-${id}` });
      const isImpatient = id === count - 1;
      const producer = client.producer({
        acks: "all",
        idempotent: true,
        deliveryTimeoutMs: isImpatient ? IMPATIENT_MS : PATIENT_MS,
      });
      const lanes = Array.from({ length: partitions }, () => ({ budget: 0, sent: 0, underWay: 0 }));
      this.#producers.push({ id, isImpatient, client, producer, lanes });
    }
  }

  start() {
    this.#tickedAtMs = performance.now();
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Sends nothing more. */
  pause() {
    clearInterval(this.#ticker);
  }

  /** Waits until it is known of every record what became of it, up to `timeoutMs`. */
  async stop({ timeoutMs } = {}) {
    this.pause();
    const options = timeoutMs === undefined ? {} : { timeoutMs };
    await Promise.all(
      this.#producers.map(async ({ client, producer }) => {
        await producer.close(options);
        await client.close();
      }),
    );
  }

  #tick() {
    const nowMs = performance.now();
    // What was not sent while this process was held up is not made up for.
    const elapsedMs = Math.min(nowMs - this.#tickedAtMs, 20 * TICK_MS);
    this.#tickedAtMs = nowMs;
    for (const producer of this.#producers) {
      for (const [partition, lane] of producer.lanes.entries()) {
        lane.budget = Math.min(lane.budget + elapsedMs * this.#perMs, WINDOW);
        while (lane.budget >= 1 && lane.underWay < WINDOW) {
          lane.budget -= 1;
          this.#send(producer, partition, lane).catch((error) => this.#fail(producer, error));
        }
        // A lane that waits for answers saves nothing up for later.
        if (lane.underWay >= WINDOW) lane.budget = 0;
      }
    }
  }

  async #send({ id, producer }, partition, lane) {
    const sent = this.#history.sent[id];
    const sequence = sent.length;
    const content = encodeContent({
      producer: id,
      key: keyFor(partition, lane.sent % KEYS_PER_PARTITION),
      sequence,
      sentAtMs: Date.now(),
    });
    sent.add(partition, content.fingerprint);
    lane.sent += 1;
    lane.underWay += 1;
    const sentAtMs = performance.now();
    try {
      const { key, value } = content;
      const result = await producer.send({ topic: this.#topic, partition, key, value });
      sent.acknowledge(sequence, result.offset);
      this.#availability.acknowledged(partition, sentAtMs, performance.now());
    } finally {
      lane.underWay -= 1;
    }
  }

  #fail({ id, isImpatient }, error) {
    const code = error.code ?? error.name;
    if (!isImpatient || !IMPATIENT_CODES.has(code)) {
      this.problem ??= `a send of producer ${id} failed: ${error.message} (${code})`;
    }
    const known = this.failures.get(code) ?? { count: 0, example: error.message };
    known.count += 1;
    this.failures.set(code, known);
  }
}
