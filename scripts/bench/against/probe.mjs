/**
 * The smallest client that does: makes topics, and writes one record at a time to whoever leads, as
 * soon as somebody does. For times until a write is acknowledged, so it asks again at once.
 */
import { crc32c } from "@strandline/platform";
import { BatchEncoder } from "@strandline/record";
import { KafkaConnection } from "../../lab/kafka-connection.mjs";
import { sleep, until } from "../../lab/waiting.mjs";

const ASK_MS_MAX = 2_000;
const RETRY_MS = 5;

export class Probe {
  #addresses;
  #connections = new Map();
  #batch = oneRecord();

  /** `addresses` as `host:port`. */
  constructor(addresses) {
    this.#addresses = addresses;
  }

  /** Asks until it is made, or there already. `answerMs`: how long one answer may take. */
  async createTopic(name, { partitions = 6, configs = {}, answerMs = 60_000 } = {}) {
    const topic = {
      name,
      numPartitions: partitions,
      replicationFactor: 3,
      assignments: [],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    };
    const body = { topics: [topic], timeoutMs: answerMs, validateOnly: false };
    await until(
      `topic ${name} is made`,
      async () => {
        const code = (await this.#askAny("CreateTopics", 4, body, 2 * answerMs))?.topics[0]
          .errorCode;
        return code === 0 || code === 36;
      },
      { timeoutMs: 120_000, pollMs: RETRY_MS },
    );
  }

  async deleteTopic(name) {
    const body = { topicNames: [name], timeoutMs: 30_000 };
    await this.#askAny("DeleteTopics", 3, body, 40_000);
  }

  /** Waits until every partition is led and has three copies in sync. */
  async untilInSync(name, partitions) {
    await until(
      `${name} is in sync`,
      async () => {
        const topic = await this.#describe(name);
        return (
          topic?.partitions.length === partitions &&
          topic.partitions.every(({ leaderId, isrNodes }) => leaderId >= 0 && isrNodes.length === 3)
        );
      },
      { timeoutMs: 120_000, pollMs: 100 },
    );
  }

  async leaderOf(name) {
    return (await this.#describe(name))?.partitions[0]?.leaderId;
  }

  /** Writes one record, however long it takes; resolves when it is acknowledged by all. */
  async write(name, timeoutMs = 60_000) {
    const records = this.#batch;
    const body = {
      acks: -1,
      timeoutMs: ASK_MS_MAX,
      topicData: [{ name, partitionData: [{ index: 0, records }] }],
    };
    await until(
      `a record of ${name} is acknowledged`,
      async () => {
        const to = await this.#leader(name);
        if (to === undefined) return false;
        const outcome = await to.ask("Produce", 7, body, { timeoutMs: ASK_MS_MAX });
        const code = outcome.body?.responses[0].partitionResponses[0].errorCode;
        if (code !== 0) this.#leaders.delete(name);
        return code === 0;
      },
      { timeoutMs, pollMs: RETRY_MS },
    );
  }

  close() {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  #leaders = new Map();

  async #leader(name) {
    const known = this.#leaders.get(name);
    if (known !== undefined && !known.isClosed) return known;
    const partition = (await this.#describe(name))?.partitions[0];
    if (partition === undefined || partition.leaderId < 0) return undefined;
    const address = this.#brokers.get(partition.leaderId);
    const connection = await this.#connection(address);
    this.#leaders.set(name, connection);
    return connection;
  }

  #brokers = new Map();

  async #describe(name) {
    const body = { topics: [{ name }], allowAutoTopicCreation: false };
    const answer = await this.#askAny("Metadata", 5, body);
    for (const { nodeId, host, port } of answer?.brokers ?? []) {
      this.#brokers.set(nodeId, `${host}:${port}`);
    }
    return answer?.topics[0];
  }

  /** Whoever answers first in turn: some of them may be gone. */
  async #askAny(api, version, body, timeoutMs = ASK_MS_MAX) {
    for (const address of this.#addresses) {
      try {
        const connection = await this.#connection(address);
        const outcome = await connection.ask(api, version, body, { timeoutMs });
        if (outcome.body !== undefined) return outcome.body;
      } catch {
        // It is not there; the next one may be.
      }
    }
    await sleep(RETRY_MS);
    return undefined;
  }

  async #connection(address) {
    const known = this.#connections.get(address);
    if (known !== undefined && !known.isClosed) return known;
    const [host, port] = address.split(":");
    const connection = await KafkaConnection.open({ host, port: Number(port) });
    this.#connections.set(address, connection);
    return connection;
  }
}

function oneRecord() {
  const encoder = new BatchEncoder();
  encoder.append({ key: null, value: Buffer.from("record"), timestampMs: Date.now() });
  return encoder.finish({ crc32c });
}
