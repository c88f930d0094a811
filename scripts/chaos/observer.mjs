/** What the cluster says about itself: who controls, who leads, who is in sync. */
import { connect } from "@strandline/client";
import { until } from "../lab/waiting.mjs";

/** Short: whoever is asked may be paused, and another broker knows as well. */
const CALL_MS = 2_000;

export class Observer {
  #client;
  #topic;
  #ids;

  constructor({ bootstrap, ids }, topic) {
    this.#client = connect({ bootstrap, clientId: "chaos-observer", requestTimeoutMs: CALL_MS });
    this.#topic = topic;
    this.#ids = ids;
  }

  async createTopic(partitions) {
    const topic = { name: this.#topic, partitions, replicationFactor: this.#ids.length };
    await until("the topic can be made", async () => {
      await unless("TOPIC_ALREADY_EXISTS", this.#client.admin.createTopic(topic));
      return true;
    });
  }

  async deleteTopic() {
    await until("the topic can be deleted", async () => {
      await unless("UNKNOWN_TOPIC_OR_PARTITION", this.#client.admin.deleteTopic(this.#topic));
      return true;
    });
  }

  /** By partition: `{ partition, leaderId, isr, … }`. */
  async partitions() {
    const { partitions } = await this.#client.admin.describeTopic(this.#topic);
    return [...partitions].sort((a, b) => a.partition - b.partition);
  }

  async controller() {
    const { controllerId } = await this.#client.admin.describeCluster();
    return controllerId;
  }

  /** Every broker serves; every partition is led, with every replica in sync. */
  async untilHealthy({ timeoutMs, signal }) {
    await this.untilTrue(
      "every broker is back and in sync",
      async () => {
        const { nodes, controllerId } = await this.#client.admin.describeCluster();
        const serving = nodes.filter((node) => node.isBroker && !node.fenced);
        if (controllerId < 0 || serving.length < this.#ids.length) return false;
        const partitions = await this.partitions();
        return partitions.every(
          ({ leaderId, isr }) => leaderId >= 0 && isr.length === this.#ids.length,
        );
      },
      { timeoutMs, signal },
    );
  }

  /** As `until`, and an aborted signal ends it. */
  async untilTrue(what, ask, { timeoutMs, signal }) {
    await until(what, async () => signal?.aborted === true || (await ask()), { timeoutMs });
    signal?.throwIfAborted();
  }

  async close() {
    await this.#client.close();
  }
}

/** A refusal with this code says that an earlier attempt, whose answer got lost, did the work. */
async function unless(code, work) {
  try {
    await work;
  } catch (error) {
    if (error.code !== code) throw error;
  }
}
