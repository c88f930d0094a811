/** @platformatic/kafka. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";
import { Admin, Consumer, MessagesStreamModes, Producer } from "@platformatic/kafka";
import { driverSuite } from "../driver-suite.mjs";

const TOPIC_RESOURCE = 2;
const SET = 0;
/** Of ListOffsets: the first offset, and the end. */
const FIRST = -2n;
const END = -1n;

export const platformatic = driverSuite({
  name: "@platformatic/kafka",
  version: () => {
    // The package lets nobody import its description.
    const main = fileURLToPath(import.meta.resolve("@platformatic/kafka"));
    return JSON.parse(readFileSync(path.join(path.dirname(main), "../package.json"))).version;
  },
  open: async ({ bootstrap }) => new PlatformaticDriver(bootstrap),
});

class PlatformaticDriver {
  #base;
  #admin;
  #closers = [];

  constructor(bootstrap) {
    this.#base = { clientId: "conformance", bootstrapBrokers: bootstrap };
    this.#admin = new Admin(this.#base);
    this.#closers.push(async () => await this.#admin.close());
  }

  async close() {
    for (const close of this.#closers.reverse()) await close();
  }

  lacksCodec(codec) {
    const isThere = codec !== "zstd" || typeof zlib.zstdCompressSync === "function";
    return isThere ? undefined : `Node ${process.versions.node} has no zstd, which the client uses`;
  }

  async createTopic(topic, { partitions, replicas = -1, configs = {} }) {
    await this.#admin.createTopics({
      topics: [topic],
      partitions,
      replicas,
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    });
  }

  async deleteTopic(topic) {
    await this.#admin.deleteTopics({ topics: [topic] });
  }

  async topics() {
    return await this.#admin.listTopics();
  }

  async partitionCount(topic) {
    const { topics } = await this.#admin.metadata({ topics: [topic], forceUpdate: true });
    return topics.get(topic).partitionsCount;
  }

  async addPartitions(topic, count) {
    await this.#admin.createPartitions({ topics: [{ name: topic, count, assignments: null }] });
  }

  async configOf(topic, name) {
    const [{ configs }] = await this.#admin.describeConfigs({
      resources: [{ resourceType: TOPIC_RESOURCE, resourceName: topic, configurationKeys: [name] }],
    });
    return configs.find((config) => config.name === name).value;
  }

  async setConfig(topic, name, value) {
    await this.#admin.incrementalAlterConfigs({
      resources: [
        {
          resourceType: TOPIC_RESOURCE,
          resourceName: topic,
          configs: [{ name, value, configOperation: SET }],
        },
      ],
    });
  }

  async deleteRecords(topic, partition, before) {
    const partitions = [{ partition, offset: BigInt(before) }];
    await this.#admin.deleteRecords({ topics: [{ name: topic, partitions }] });
  }

  async groups() {
    return [...(await this.#admin.listGroups()).keys()];
  }

  async describeGroup(id) {
    const group = (await this.#admin.describeGroups({ groups: [id] })).get(id);
    const state = group.state.toLowerCase();
    return { state: state[0].toUpperCase() + state.slice(1), members: group.members.size };
  }

  async deleteGroup(id) {
    await this.#admin.deleteGroups({ groups: [id] });
  }

  async offsets(topic, partition) {
    const [first, end] = await Promise.all([
      this.offsetAt(topic, partition, FIRST),
      this.offsetAt(topic, partition, END),
    ]);
    return { first, end };
  }

  async offsetAt(topic, partition, timestampMs) {
    const partitions = [{ partitionIndex: partition, timestamp: BigInt(timestampMs) }];
    const [listed] = await this.#admin.listOffsets({ topics: [{ name: topic, partitions }] });
    return Number(listed.partitions[0].offset);
  }

  async committed(group, topic, partitions) {
    const [{ topics }] = await this.#admin.listConsumerGroupOffsets({
      groups: [{ groupId: group, topics: [{ name: topic, partitionIndexes: partitions }] }],
    });
    return partitions.map((id) =>
      Number(topics[0].partitions.find((each) => each.partitionIndex === id).committedOffset),
    );
  }

  async produce(topic, partition, records, { codec = "none", acks = "all" }) {
    const producer = new Producer({ ...this.#base, autocreateTopics: true });
    try {
      await producer.send({
        acks: acks === "all" ? -1 : acks,
        compression: codec,
        messages: records.map((record) => messageOf(topic, record, partition)),
      });
    } finally {
      await producer.close();
    }
  }

  async producer({ isIdempotent }) {
    const producer = new Producer({ ...this.#base, idempotent: isIdempotent });
    return {
      send: async (topic, partition, records) => {
        const messages = records.map((record) => messageOf(topic, record, partition));
        await producer.send({ acks: -1, messages });
      },
      close: async () => await producer.close(),
    };
  }

  async read(topic, partition, { from, count }) {
    const consumer = new Consumer({ ...this.#base, groupId: `read-${topic}-${Date.now()}` });
    this.#closers.push(async () => await consumer.close(true));
    const partitions = await this.partitionCount(topic);
    const stream = await consumer.consume({
      topics: [topic],
      autocommit: false,
      maxWaitTime: 500,
      mode: MessagesStreamModes.MANUAL,
      offsets: Array.from({ length: partitions }, (_, id) => ({
        topic,
        partition: id,
        offset: BigInt(id === partition ? from : 0),
      })),
    });
    const records = [];
    for await (const message of stream) {
      if (message.partition !== partition) continue;
      records.push(recordOf(message));
      if (records.length === count) break;
    }
    return records;
  }

  async member(groupId, topic, onRecord) {
    const consumer = new Consumer({ ...this.#base, groupId });
    const stream = await consumer.consume({
      topics: [topic],
      mode: MessagesStreamModes.COMMITTED,
      fallbackMode: "earliest",
      autocommit: true,
      maxWaitTime: 500,
    });
    stream.on("data", (message) => onRecord(recordOf(message)));
    // A failed stream shows as records that do not come.
    stream.on("error", () => undefined);
    let isClosed = false;
    const close = async () => {
      if (isClosed) return;
      isClosed = true;
      await stream.close();
      await consumer.close(true);
    };
    this.#closers.push(close);
    return { close };
  }
}

function messageOf(topic, { key, value, headers, timestampMs }, partition) {
  return {
    topic,
    partition,
    ...(key === null ? {} : { key }),
    ...(value === null ? {} : { value }),
    headers: new Map(headers.map(([name, bytes]) => [Buffer.from(name), bytes])),
    ...(timestampMs === undefined ? {} : { timestamp: BigInt(timestampMs) }),
  };
}

function recordOf({ offset, key, value, headers, timestamp }) {
  return {
    offset: Number(offset),
    key: key ?? null,
    value: value ?? null,
    headers: [...headers].map(([name, bytes]) => [name.toString(), bytes]),
    timestampMs: Number(timestamp),
  };
}
