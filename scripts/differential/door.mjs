/**
 * What a scenario asks one side through. Every answer goes into the transcript under a label; names
 * of topics and groups are this run's own, so that runs do not meet.
 */

import { KafkaConnection } from "../lab/kafka-connection.mjs";
import { until } from "../lab/waiting.mjs";

export class Door {
  side;
  /** `{ label, outcome }` in the order in which they came. */
  transcript = [];
  /** What names of this run begin with. */
  prefix;
  /** Ids of topics that were made here, with the names that the scenario knows them by. */
  topicIds = new Map();
  #opened = [];
  #connections = new Map();
  #brokers;

  constructor(side, prefix) {
    this.side = side;
    this.prefix = prefix;
  }

  name(suffix) {
    return `${this.prefix}${suffix}`;
  }

  record(label, outcome) {
    this.transcript.push({ label, outcome });
    return outcome;
  }

  /** Asks any broker, or `options.to`. Of what a side does not tell clients, it is not asked. */
  async ask(label, api, version, body, options = {}) {
    if (!this.side.serves(api, version))
      return this.record(label, { unserved: `${api} ${version}` });
    const outcome = await this.quietly(api, version, body, options);
    const { hides = [] } = options;
    this.record(label, hides.length === 0 ? outcome : hidden(outcome, hides));
    return outcome.body;
  }

  /** The same, not for the transcript. */
  async quietly(api, version, body, options = {}) {
    const connection = options.to ?? (await this.connection());
    return await connection.ask(api, version, body, options);
  }

  /** The connection to a broker that is kept for this scenario. */
  async connection(node = "any") {
    const known = this.#connections.get(node);
    if (known !== undefined && !known.isClosed) return known;
    const connection = await this.fresh(node);
    this.#connections.set(node, connection);
    return connection;
  }

  /** A connection of one's own. */
  async fresh(node = "any") {
    if (node === "any") return await this.#keep(await this.side.connect());
    this.#brokers ??= await this.side.brokers();
    return await this.#keep(await KafkaConnection.open(this.#brokers.get(node)));
  }

  /** Where a partition is led; waits until it is. */
  async leader(topic, partition = 0) {
    const id = await this.leaderId(topic, partition);
    return await this.connection(id);
  }

  async leaderId(topic, partition = 0) {
    return await until(`${topic}/${partition} is led`, async () => {
      const { partitions } = await this.side.partitions(topic);
      const found = partitions.find((each) => each.partitionIndex === partition);
      return found !== undefined && found.leaderId >= 0 ? found.leaderId : undefined;
    });
  }

  /** A broker that does not lead a partition. */
  async otherNode(topic, partition = 0) {
    const leader = await this.leaderId(topic, partition);
    this.#brokers ??= await this.side.brokers();
    return [...this.#brokers.keys()].find((id) => id !== leader);
  }

  async coordinator(group) {
    return await this.connection(await this.coordinatorId(group));
  }

  async coordinatorId(group) {
    return await until(`group ${group} has a coordinator`, async () => {
      const outcome = await this.quietly("FindCoordinator", 0, { key: group });
      if (outcome.body?.errorCode !== 0) return undefined;
      // It may still be reading what it has to know.
      const to = await this.connection(outcome.body.nodeId);
      const described = await this.quietly("DescribeGroups", 0, { groups: [group] }, { to });
      return described.body?.groups[0]?.errorCode === 0 ? outcome.body.nodeId : undefined;
    });
  }

  /** Until a group is in a state. */
  async untilState(group, state) {
    const to = await this.coordinator(group);
    await until(`${group} is ${state}`, async () => {
      const described = await this.quietly("DescribeGroups", 0, { groups: [group] }, { to });
      return described.body?.groups[0]?.groupState === state;
    });
  }

  /** Makes a topic and waits until every broker knows that it is led. Returns its name and id. */
  async topic(suffix, options) {
    const refusal = await this.refusalOfTopic(suffix, options);
    if (refusal !== undefined) throw new Error(`topic ${suffix} was not created: error ${refusal}`);
    const name = this.name(suffix);
    return { name, id: await this.untilKnown(name, options?.partitions ?? 1) };
  }

  /** Makes a topic, unless it is refused: the code of that. */
  async refusalOfTopic(suffix, { partitions = 1, configs = {} } = {}) {
    const name = this.name(suffix);
    const outcome = await this.quietly("CreateTopics", 5, {
      topics: [
        {
          name,
          numPartitions: partitions,
          replicationFactor: 3,
          assignments: [],
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
      timeoutMs: 20_000,
      validateOnly: false,
    });
    const { errorCode } = outcome.body?.topics[0] ?? { errorCode: "no answer" };
    if (errorCode !== 0) return errorCode;
    this.topicIds.set(await this.untilKnown(name, partitions), suffix);
    return undefined;
  }

  /** Until all brokers say that every partition of it is led, and the leaders answer for it. */
  async untilKnown(name, partitions) {
    this.#brokers ??= await this.side.brokers();
    let id;
    for (const node of this.#brokers.keys()) {
      await until(`broker ${node} knows ${name}`, async () => {
        const to = await this.connection(node);
        const body = { topics: [{ name }], allowAutoTopicCreation: false };
        const outcome = await this.quietly("Metadata", 10, body, { to });
        const [topic] = outcome.body?.topics ?? [];
        id = topic?.topicId;
        return (
          topic?.partitions.length === partitions &&
          topic.partitions.every(
            (each) => each.leaderId >= 0 && each.isrNodes.length === each.replicaNodes.length,
          )
        );
      });
    }
    for (let partition = 0; partition < partitions; partition += 1) {
      await until(`the leader of ${name}/${partition} answers`, async () => {
        const to = await this.leader(name, partition);
        const asked = { partitionIndex: partition, timestamp: -1 };
        const body = { replicaId: -1, topics: [{ name, partitions: [asked] }] };
        const outcome = await this.quietly("ListOffsets", 1, body, { to });
        return outcome.body?.topics[0].partitions[0].errorCode === 0;
      });
    }
    return id;
  }

  /** Until a partition has so many replicas, all of them in sync. */
  async untilReplicas(name, partition, count) {
    await until(`${name}/${partition} has ${count} replicas`, async () => {
      const { partitions } = await this.side.partitions(name);
      const found = partitions.find((each) => each.partitionIndex === partition);
      return found.replicaNodes.length === count && found.isrNodes.length === count;
    });
  }

  /** Until a broker no longer knows a topic: deletion is told to brokers one by one. */
  async untilGone(name) {
    await until(`${name} is gone`, async () => {
      const body = { topics: [{ name }], allowAutoTopicCreation: false };
      const outcome = await this.quietly("Metadata", 9, body);
      return outcome.body?.topics[0].errorCode === 3;
    });
  }

  /** What a socket gets for bytes: an answer's size would say nothing, so only whether it came. */
  async raw(label, bytes, { timeoutMs = 1_500 } = {}) {
    const connection = await this.fresh();
    connection.write(bytes);
    const frame = await connection.frame(timeoutMs);
    connection.close();
    return this.record(label, frame instanceof Uint8Array ? { answered: true } : frame);
  }

  close() {
    for (const connection of this.#opened) connection.close();
  }

  #keep(connection) {
    this.#opened.push(connection);
    return connection;
  }
}

/** An outcome without some of its fields, wherever they stand. */
function hidden(value, names) {
  if (value instanceof Uint8Array || value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((each) => hidden(each, names));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !names.includes(name))
      .map(([name, member]) => [name, hidden(member, names)]),
  );
}
