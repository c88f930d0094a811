/** kafkajs, with the codecs that it leaves to its users. */
import { createRequire } from "node:module";
import { nodeCompressors } from "@strandline/platform";
import { compressionOf } from "@strandline/record";
import kafkajsModule from "kafkajs";
import { driverSuite } from "../driver-suite.mjs";

const { AssignerProtocol, CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajsModule;
const TYPES = { none: "None", gzip: "GZIP", snappy: "Snappy", lz4: "LZ4", zstd: "ZSTD" };
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
/** It waits for its last fetch when it is closed. */
const WAIT_MS_MAX = 500;
/** As kafkajs numbers the resources of DescribeConfigs. */
const TOPIC_RESOURCE = 2;

const { compress, decompress } = compressionOf(nodeCompressors);
for (const name of ["snappy", "lz4", "zstd"]) {
  CompressionCodecs[CompressionTypes[TYPES[name]]] = () => ({
    compress: async (encoder) => Buffer.from(compress(name, encoder.buffer)),
    decompress: async (bytes) => Buffer.from(decompress(name, bytes, OUTPUT_BYTES_MAX)),
  });
}

export const kafkajs = driverSuite({
  name: "kafkajs",
  version: () => createRequire(import.meta.url)("kafkajs/package.json").version,
  open: async ({ bootstrap }) => await KafkajsDriver.open(bootstrap),
});

class KafkajsDriver {
  #kafka;
  #admin;
  #closers = [];

  static async open(bootstrap) {
    const driver = new KafkajsDriver();
    driver.#kafka = new Kafka({
      clientId: "conformance",
      brokers: bootstrap,
      logLevel: logLevel.NOTHING,
    });
    driver.#admin = driver.#kafka.admin();
    await driver.#admin.connect();
    driver.#closers.push(async () => await driver.#admin.disconnect());
    return driver;
  }

  async close() {
    for (const close of this.#closers.reverse()) await close();
  }

  async createTopic(topic, { partitions, replicas = -1, configs = {} }) {
    const isNew = await this.#admin.createTopics({
      topics: [
        {
          topic,
          numPartitions: partitions,
          replicationFactor: replicas,
          configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
        },
      ],
    });
    if (!isNew) throw new Error(`${topic} was there`);
  }

  async deleteTopic(topic) {
    await this.#admin.deleteTopics({ topics: [topic] });
  }

  async topics() {
    return await this.#admin.listTopics();
  }

  async partitionCount(topic) {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0].partitions.length;
  }

  async addPartitions(topic, count) {
    await this.#admin.createPartitions({ topicPartitions: [{ topic, count }] });
  }

  async configOf(topic, name) {
    const { resources } = await this.#admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: TOPIC_RESOURCE, name: topic, configNames: [name] }],
    });
    return resources[0].configEntries.find((entry) => entry.configName === name).configValue;
  }

  async setConfig(topic, name, value) {
    const resource = { type: TOPIC_RESOURCE, name: topic, configEntries: [{ name, value }] };
    await this.#admin.alterConfigs({ validateOnly: false, resources: [resource] });
  }

  async deleteRecords(topic, partition, before) {
    const partitions = [{ partition, offset: String(before) }];
    // The first call only lets it learn who leads a topic that it has not asked about before.
    await this.#admin.deleteTopicRecords({ topic, partitions }).catch(async (error) => {
      if (error.partitions?.[0]?.error.name !== "KafkaJSBrokerNotFound") throw error;
      await this.#admin.deleteTopicRecords({ topic, partitions });
    });
  }

  async groups() {
    const { groups } = await this.#admin.listGroups();
    return groups.map((group) => group.groupId);
  }

  async describeGroup(id) {
    const { groups } = await this.#admin.describeGroups([id]);
    for (const member of groups[0].members) {
      AssignerProtocol.MemberAssignment.decode(member.memberAssignment);
    }
    return { state: groups[0].state, members: groups[0].members.length };
  }

  async deleteGroup(id) {
    await this.#admin.deleteGroups([id]);
  }

  async offsets(topic, partition) {
    const offsets = await this.#admin.fetchTopicOffsets(topic);
    const { low, high } = offsets.find((each) => each.partition === partition);
    return { first: Number(low), end: Number(high) };
  }

  async offsetAt(topic, partition, timestampMs) {
    const offsets = await this.#admin.fetchTopicOffsetsByTimestamp(topic, timestampMs);
    return Number(offsets.find((each) => each.partition === partition).offset);
  }

  async committed(groupId, topic, partitions) {
    const [{ partitions: found }] = await this.#admin.fetchOffsets({ groupId, topics: [topic] });
    return partitions.map((id) => Number(found.find((each) => each.partition === id).offset));
  }

  async produce(topic, partition, records, { codec = "none", acks = "all" }) {
    const producer = this.#kafka.producer();
    await producer.connect();
    try {
      await producer.send({
        topic,
        acks: acks === "all" ? -1 : acks,
        compression: CompressionTypes[TYPES[codec]],
        messages: records.map((record) => messageOf(record, partition)),
      });
    } finally {
      await producer.disconnect();
    }
  }

  async producer({ isIdempotent }) {
    const producer = this.#kafka.producer(
      isIdempotent ? { idempotent: true, maxInFlightRequests: 1 } : {},
    );
    await producer.connect();
    return {
      send: async (topic, partition, records) => {
        const messages = records.map((record) => messageOf(record, partition));
        await producer.send({ topic, acks: -1, messages });
      },
      close: async () => await producer.disconnect(),
    };
  }

  async read(topic, partition, { from, count }) {
    const records = [];
    let isEnough;
    const enough = new Promise((resolve) => {
      isEnough = resolve;
    });
    const consumer = this.#kafka.consumer({
      groupId: `read-${topic}-${Date.now()}`,
      maxWaitTimeInMs: WAIT_MS_MAX,
    });
    await consumer.connect();
    this.#closers.push(async () => await consumer.disconnect());
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition: source, message }) => {
        if (source !== partition || Number(message.offset) < from) return;
        records.push(recordOf(message));
        if (records.length === count) isEnough();
      },
    });
    consumer.seek({ topic, partition, offset: String(from) });
    await enough;
    return records.slice(0, count);
  }

  async member(groupId, topic, onRecord) {
    const consumer = this.#kafka.consumer({ groupId, maxWaitTimeInMs: WAIT_MS_MAX });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => onRecord(recordOf(message)),
    });
    let isClosed = false;
    const close = async () => {
      if (isClosed) return;
      isClosed = true;
      await consumer.stop();
      await consumer.disconnect();
    };
    this.#closers.push(close);
    return { close };
  }
}

function messageOf({ key, value, headers, timestampMs }, partition) {
  return {
    partition,
    key,
    value,
    headers: Object.fromEntries(headers),
    ...(timestampMs === undefined ? {} : { timestamp: String(timestampMs) }),
  };
}

function recordOf({ offset, key, value, headers, timestamp }) {
  return {
    offset: Number(offset),
    key,
    value,
    headers: Object.entries(headers ?? {}),
    timestampMs: Number(timestamp),
  };
}
