/** Follows every partition from its start while it is written, and tells the history. */
import { connect } from "@strandline/client";
import { until } from "../lab/waiting.mjs";
import { decodeContent } from "./record-content.mjs";

export class TailingReader {
  /** Why reading ended before it was told to. */
  failure;
  #client;
  #consumer;
  #reading;
  #topic;
  #stop = new AbortController();
  #done;

  constructor({ bootstrap, history, topic, name }) {
    this.#client = connect({ bootstrap, clientId: name });
    // However long the brokers are away: the run itself decides what takes too long.
    this.#consumer = this.#client.consumer({ unavailableMsMax: 0 });
    this.#reading = history.follow(name);
    this.#topic = topic;
  }

  async start(partitions) {
    await this.#consumer.assign(
      Array.from({ length: partitions }, (_, partition) => ({
        topic: this.#topic,
        partition,
        start: "earliest",
      })),
    );
    this.#done = this.#run();
    this.#done.catch((error) => {
      this.failure = error;
    });
  }

  /** Waits until everything in front of `endOffsets` was read. */
  async untilRead(endOffsets, options) {
    await until(
      "a reader has read everything",
      () => endOffsets.every((end, partition) => this.#reading.position(partition) >= end),
      options,
    );
  }

  async stop() {
    this.#stop.abort();
    await this.#done?.catch(() => undefined);
    await this.#consumer.close();
    await this.#client.close();
  }

  async #run() {
    const { signal } = this.#stop;
    try {
      for await (const batch of this.#consumer.batches({ signal })) {
        readBatch(this.#reading, batch);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

export function readBatch(reading, { partition, records }) {
  for (const { offset, key, value } of records) {
    reading.read(partition, offset, decodeContent(key, value));
  }
}
