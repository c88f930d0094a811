/** Records as an application sends them: through the client's producer, with acks=all. */

export class RecordLoad {
  /** Records that were acknowledged. */
  acknowledged = 0;
  #producer;
  #records;
  #next = 0;
  #failure;
  #isStopped = false;
  #done;

  /** Without keys; `spread` names so many partitions in turn instead of leaving them to the client. */
  constructor(client, { topic, valueBytes, spread }) {
    const value = Buffer.alloc(valueBytes, "strandline ");
    this.#records =
      spread === undefined
        ? [{ topic, value }]
        : Array.from({ length: spread }, (_, partition) => ({ topic, partition, value }));
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
      while (this.#producer.enqueue(this.#records[this.#next])) {
        this.#next = (this.#next + 1) % this.#records.length;
      }
      await this.#producer.ready();
    }
  }
}
