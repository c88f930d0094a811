/** One of the two clusters: where its brokers are, and who leads what. */
import { SERVED_APIS } from "@strandline/kafka-protocol";
import { KafkaConnection } from "../lab/kafka-connection.mjs";
import { until } from "../lab/waiting.mjs";

export class Side {
  name;
  /** Of each API, the lowest and the highest version that it tells of, by number. */
  advertised = new Map();
  #bootstrap;

  /** `bootstrap`: addresses as `host:port`. */
  static async open(name, bootstrap) {
    const side = new Side(name, bootstrap.map(parse));
    await until(`${name} answers`, async () => await side.#learnVersions(), { timeoutMs: 60_000 });
    return side;
  }

  constructor(name, bootstrap) {
    this.name = name;
    this.#bootstrap = bootstrap;
  }

  /** A new connection to any broker. */
  async connect() {
    return await KafkaConnection.open(this.#bootstrap[0]);
  }

  /** Whether this side says that it has this API in this version. */
  serves(name, version) {
    const range = this.advertised.get(SERVED_APIS[name].key);
    return range !== undefined && version >= range.minVersion && version <= range.maxVersion;
  }

  /** Of all brokers, by id. */
  async brokers() {
    const connection = await this.connect();
    const { body } = await connection.ask("Metadata", 1, { topics: [] });
    connection.close();
    return new Map(body.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
  }

  async partitions(topic) {
    const connection = await this.connect();
    const { body } = await connection.ask("Metadata", 9, { topics: [{ name: topic }] });
    connection.close();
    return body.topics[0];
  }

  async #learnVersions() {
    const connection = await this.connect();
    const { body } = await connection.ask("ApiVersions", 0, {});
    connection.close();
    for (const { apiKey, ...range } of body.apiKeys) this.advertised.set(apiKey, range);
    return body.apiKeys.length > 0;
  }
}

function parse(address) {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
}
