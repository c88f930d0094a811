/** Reads every partition of a topic from its end on, as a consumer that keeps up does. */

export class TailReader {
  /** Bytes of values that were read. */
  readBytes = 0;
  #consumer;
  #stop = new AbortController();
  #done;

  constructor(client) {
    this.#consumer = client.consumer();
  }

  async start(topic, partitions) {
    await this.#consumer.assign(
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition, start: "latest" })),
    );
    this.#done = this.#run();
    this.#done.catch(() => undefined);
  }

  /** Rejects when reading failed. */
  async stop() {
    this.#stop.abort();
    await this.#done;
    await this.#consumer.close();
  }

  async #run() {
    const { signal } = this.#stop;
    try {
      for await (const batch of this.#consumer.batches({ signal })) {
        for (const { value } of batch.records) this.readBytes += value.length;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
