/** Reads records as an application does: through the client's consumer, which checks and unpacks. */

export class RecordReader {
  /** Bytes of values that were read. */
  readBytes = 0;
  #consumer;
  #topic;
  #spans;
  #stop = new AbortController();

  /** `spans`: `{ partition, from }`; a pass reads each from there to its end. */
  constructor(client, topic, spans) {
    this.#consumer = client.consumer({ stopAtEnd: true });
    this.#topic = topic;
    this.#spans = spans;
  }

  async pass() {
    const { signal } = this.#stop;
    await this.#consumer.assign(
      this.#spans.map(({ partition, from }) => ({
        topic: this.#topic,
        partition,
        start: { offset: from },
      })),
    );
    for await (const { records } of this.#consumer.batches({ signal })) {
      for (const { value } of records) this.readBytes += value.length;
    }
  }

  async repeat() {
    try {
      while (!this.#stop.signal.aborted) await this.pass();
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  stop() {
    this.#stop.abort();
  }

  async close() {
    await this.#consumer.close();
  }
}
