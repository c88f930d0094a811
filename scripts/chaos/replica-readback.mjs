/**
 * Reads everything back from each replica, which for that leads every partition.
 *
 * Nobody can name a leader, so the other two go in turn: one is killed until it is out of sync
 * everywhere; then the other is killed, and the first comes back for the controllers' majority. It
 * is not in sync, so the only one that may lead is the one that is wanted.
 */
import { connect } from "@strandline/client";
import { within } from "../lab/waiting.mjs";
import { readBatch } from "./tailing-reader.mjs";

const MOVE_MS = 60_000;
const READ_MS = 10 * 60_000;

export class ReplicaReadback {
  #brokers;
  #observer;
  #history;
  #topic;
  #signal;

  constructor({ brokers, observer, history, topic, signal }) {
    this.#brokers = brokers;
    this.#observer = observer;
    this.#history = history;
    this.#topic = topic;
    this.#signal = signal;
  }

  /** Reads with `id` as leader of everything; the cluster is healthy before and after. */
  async read(id) {
    const [first, second] = this.#brokers.ids.filter((each) => each !== id);
    await this.#brokers.kill(first);
    await this.#untilPartitions(
      `broker ${first} is out of sync`,
      ({ isr, leaderId }) => leaderId >= 0 && leaderId !== first && !isr.includes(first),
    );
    await this.#brokers.kill(second);
    await this.#brokers.start(first);
    const leads = ({ leaderId }) => leaderId === id;
    await this.#untilPartitions(
      `broker ${id} leads, and broker ${first} is in sync`,
      (partition) => leads(partition) && partition.isr.includes(first),
    );
    await within(READ_MS, `reading from broker ${id}`, this.#readAll(id));
    const partitions = await this.#observer.partitions();
    if (!partitions.every(leads)) throw new Error(`broker ${id} lost leadership while it was read`);
    await this.#brokers.start(second);
    await this.#observer.untilHealthy({ timeoutMs: MOVE_MS, signal: this.#signal });
  }

  async #readAll(id) {
    const client = connect({
      bootstrap: this.#brokers.target.bootstrap,
      clientId: `chaos-readback-${id}`,
    });
    const consumer = client.consumer({ stopAtEnd: true });
    const reading = this.#history.readWhole(`a reader of broker ${id}`);
    try {
      await consumer.assign(
        this.#history.seen.map((_, partition) => ({
          topic: this.#topic,
          partition,
          start: "earliest",
        })),
      );
      for await (const batch of consumer.batches({ signal: this.#signal })) {
        readBatch(reading, batch);
      }
      reading.end();
    } finally {
      await consumer.close();
      await client.close();
    }
  }

  async #untilPartitions(what, isSo) {
    await this.#observer.untilTrue(
      what,
      async () => (await this.#observer.partitions()).every(isSo),
      { timeoutMs: MOVE_MS, signal: this.#signal },
    );
  }
}
