/**
 * Reads stored batches as they are, over the public Consume call, one stream to each leader: what the
 * brokers give, not what a client makes of it. The bytes come from this script's own batches, so
 * bytes of values are a fixed share of what arrives.
 */
import { logMethods } from "@strandline/rpc";
import { BATCH_BYTES, BATCH_VALUE_BYTES } from "./batch-load.mjs";

export class RawReader {
  #cluster;
  #topic;
  #spans;
  #bytes = 0;
  /** Ends each read that is under way. */
  #ends = new Set();
  #isStopped = false;

  /** `spans`: `{ partition, leader, from, to }`; a pass reads `[from, to)` of each. */
  constructor(cluster, topic, spans) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#spans = spans;
  }

  /** Bytes of values that were read. */
  get readBytes() {
    return this.#bytes * (BATCH_VALUE_BYTES / BATCH_BYTES);
  }

  /** Reads every span once. Rejects when one was not read to its end. */
  async pass() {
    const leaders = [...new Set(this.#spans.map(({ leader }) => leader))];
    await Promise.all(leaders.map(async (leader) => await this.#read(leader, true)));
  }

  /** The same again and again, each leader by itself, until `stop`. */
  async repeat() {
    const leaders = [...new Set(this.#spans.map(({ leader }) => leader))];
    await Promise.all(
      leaders.map(async (leader) => {
        while (!this.#isStopped) await this.#read(leader, true);
      }),
    );
  }

  /** Reads on and on as more is written, until `stop`. */
  async follow() {
    const leaders = [...new Set(this.#spans.map(({ leader }) => leader))];
    await Promise.all(leaders.map(async (leader) => await this.#read(leader, false)));
  }

  stop() {
    this.#isStopped = true;
    for (const end of this.#ends) end();
  }

  async #read(leader, stopAtEnd) {
    const spans = this.#spans.filter((each) => each.leader === leader);
    const reached = new Map();
    const address = `127.0.0.1:${this.#cluster.nodes.get(leader).grpcPort}`;
    let stream;
    let end;
    try {
      await new Promise((resolve, reject) => {
        end = resolve;
        this.#ends.add(end);
        stream = this.#cluster.transport.open(address, logMethods.consume, {
          onMessage: ({ partition, nextOffset, batches, error }) => {
            if (error !== undefined) {
              reject(new Error(`partition ${partition}: ${error.message} (${error.code})`));
              return;
            }
            this.#bytes += batches.length;
            reached.set(partition, nextOffset);
          },
          onEnd: (error) => (error === undefined || this.#isStopped ? resolve() : reject(error)),
        });
        stream.send({
          partitions: spans.map(({ partition, from }) => ({
            topic: this.#topic,
            partition,
            start: { offset: from },
          })),
          format: "RECORD_FORMAT_BATCHES",
          bytesMax: 0,
          stopAtEnd,
          forwarded: false,
        });
        stream.end();
      });
    } finally {
      stream?.abort();
      this.#ends.delete(end);
    }
    if (!stopAtEnd || this.#isStopped) return;
    for (const { partition, to } of spans) {
      if (reached.get(partition) === to) continue;
      throw new Error(`partition ${partition} was read to ${reached.get(partition)}, not ${to}`);
    }
  }
}
