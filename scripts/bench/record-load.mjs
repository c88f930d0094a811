/** Records as an application sends them: through the client's producer, with acks=all. */

export class RecordLoad {
  /** Records that were acknowledged. */
  acknowledged = 0;
  #producer;
  #record;
  #failure;
  #isStopped = false;
  #done;

  constructor(client, { topic, valueBytes }) {
    this.#record = { topic, value: Buffer.alloc(valueBytes, "strandline ") };
    this.#producer = client.producer({
      acks: "all",
      onDelivery: ({ error, recordCount }) => {
        if (error === undefined) this.acknowledged += recordCount;
        else this.#failure ??= error;
      },
    });
  }

  start() {
    this.#done = this.#run();
    this.#done.catch(() => undefined);
  }

  /** Rejects when a record could not be sent. */
  async stop() {
    this.#isStopped = true;
    await this.#done;
    await this.#producer.close();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #run() {
    while (!this.#isStopped && this.#failure === undefined) {
      // Until the buffer is full; the waiting lets answers in.
      while (this.#producer.enqueue(this.#record));
      await this.#producer.ready();
    }
  }
}
