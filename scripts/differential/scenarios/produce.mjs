/** Produce: what is taken, in which order refusals come, and what is remembered of producers. */
import { crc32c } from "@strandline/platform";
import { versionsOf } from "../../lab/kafka-connection.mjs";
import { BASE_MS, batch, produceBody } from "../batches.mjs";

const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"];
const HOUR_MS = 3_600_000;

/** Requests that are refused, or that surprise by not being. */
function oddities() {
  const good = batch({ count: 3 });
  return [
    ["nothing", Buffer.alloc(0)],
    ["null", null],
    ["less than a header", good.subarray(0, 40)],
    ["a batch cut short", good.subarray(0, good.length - 4)],
    ["two batches", Buffer.concat([good, good])],
    ["a batch and the start of one", Buffer.concat([good, good.subarray(0, 30)])],
    ["a batch and zeros", Buffer.concat([good, Buffer.alloc(20)])],
    ["magic 0", batch({ set: { magic: 0 } })],
    ["magic 1", batch({ set: { magic: 1 } })],
    ["magic 3", batch({ set: { magic: 3 } })],
    ["a wrong checksum", batch({ isDamaged: true })],
    ["a base offset of its own", batch({ set: { baseOffset: 7 } })],
    ["a leader epoch of its own", batch({ set: { leaderEpoch: 5 } })],
    ["a length too large", batch({ set: { length: 1_000_000 } })],
    ["a length too small", batch({ set: { length: 30 } })],
    ["a length below zero", batch({ set: { length: -1 } })],
    ["no records", batch({ set: { count: 0, lastOffsetDelta: -1 } })],
    ["a count of zero", batch({ set: { count: 0 } })],
    ["a count too large", batch({ count: 2, set: { count: 3, lastOffsetDelta: 2 } })],
    ["a count too small", batch({ count: 3, set: { count: 2, lastOffsetDelta: 1 } })],
    ["gaps", batch({ count: 2, set: { lastOffsetDelta: 4 } })],
    ["a count below zero", batch({ set: { count: -1 } })],
    ["an unknown codec", batch({ set: { attributes: 5 } })],
    ["a codec that it is not", batch({ set: { attributes: 1 } })],
    ["the control bit", batch({ set: { attributes: 0x20 } })],
    ["the transactional bit", batch({ set: { attributes: 0x10 } })],
    ["the delete horizon's bit", batch({ set: { attributes: 0x40 } })],
    ["a bit that nobody uses", batch({ set: { attributes: 0x80 } })],
    ["the append time's bit", batch({ set: { attributes: 0x08 } })],
    ["a producer without a sequence", batch({ set: { producerId: 4_000_000, producerEpoch: 0 } })],
    ["a sequence without a producer", batch({ set: { producerEpoch: 0, baseSequence: 0 } })],
    ["no time", batch({ timestampMs: -1, stepMs: 0 })],
    ["times of long ago", batch({ timestampMs: 1_000 })],
    ["times of tomorrow", batch({ timestampMs: BASE_MS + 24 * HOUR_MS })],
    ["times in half an hour", batch({ timestampMs: BASE_MS + HOUR_MS / 2 })],
    ["a wrong maximal time", batch({ set: { maxTimestamp: BASE_MS + 1_000_000 } })],
    ["a base time below zero", batch({ set: { baseTimestamp: -5 } })],
    ["no key", batch({ key: null })],
    ["more than a batch may have", batch({ valueBytes: 1_048_600 })],
  ];
}

export const produce = {
  async "records that are taken"(door) {
    const { name } = await door.topic("taken");
    const to = await door.leader(name);
    for (const version of versionsOf("Produce")) {
      for (const acks of [-1, 1]) {
        const body = produceBody(name, batch({ count: 2 }), { acks });
        await door.ask(`v${version} acks ${acks}`, "Produce", version, body, { to });
      }
      for (const acks of [2, -2, 127]) {
        const body = produceBody(name, batch({ count: 2 }), { acks });
        await door.ask(`v${version} acks ${acks}`, "Produce", version, body, { to });
      }
      for (const compression of CODECS) {
        const records = batch({ count: 10, valueBytes: 100, compression });
        const label = `v${version} ${compression}`;
        await door.ask(label, "Produce", version, produceBody(name, records), { to });
      }
      const none = { acks: -1, timeoutMs: 1_000, topicData: [] };
      await door.ask(`v${version} of no topic`, "Produce", version, none, { to });
      const empty = { ...none, topicData: [{ name, partitionData: [] }] };
      await door.ask(`v${version} of no partition`, "Produce", version, empty, { to });
    }
  },

  async "records without acknowledgement"(door) {
    const { name } = await door.topic("unacknowledged");
    const leader = await door.leaderId(name);
    for (const version of [3, 7, 9, 11]) {
      if (!door.side.serves("Produce", version)) continue;
      for (const [what, topic, records] of [
        ["good", name, batch()],
        ["unknown topic", door.name("absent"), batch()],
        ["damaged", name, batch({ isDamaged: true })],
      ]) {
        const to = await door.fresh(leader);
        const options = { to, timeoutMs: 700 };
        const body = produceBody(topic, records, { acks: 0 });
        const outcome = await door.quietly("Produce", version, body, options);
        door.record(`v${version} ${what}`, outcome);
      }
    }
    const asked = { partitionIndex: 0, timestamp: -1 };
    const body = { replicaId: -1, topics: [{ name, partitions: [asked] }] };
    const to = await door.leader(name);
    await door.ask("how many there are then", "ListOffsets", 1, body, { to });
  },

  async "records that are odd"(door) {
    for (const version of [3, 7, 8, 11]) {
      const { name } = await door.topic(`odd-${version}`);
      const leader = await door.leaderId(name);
      // The reference may never answer one of these on its connection: each has its own.
      const send = async (label, records) => {
        const options = { to: await door.fresh(leader), timeoutMs: 2_000 };
        const body = produceBody(name, records);
        // Offsets follow from what was taken before, which has its own lines.
        await door.ask(`v${version} ${label}`, "Produce", version, body, {
          ...options,
          hides: OFFSETS,
        });
      };
      for (const [what, records] of oddities()) await send(what, records);
      for (const compression of ["gzip", "zstd"]) {
        const cut = batch({ count: 5, valueBytes: 200, compression });
        const broken = Buffer.from(cut);
        broken.fill(0x11, 70, 90);
        await send(`${compression} that does not unpack`, withCrc(broken));
      }
    }
  },

  async "places where records cannot go"(door) {
    const { name } = await door.topic("places", { partitions: 2 });
    const to = await door.leader(name);
    const wrong = await door.connection(await door.otherNode(name));
    for (const version of versionsOf("Produce")) {
      const ask = async (label, topic, options, connection = to) =>
        await door.ask(
          `v${version} ${label}`,
          "Produce",
          version,
          produceBody(topic, batch(), options),
          { to: connection },
        );
      await ask("unknown topic", door.name("absent"));
      await ask("unknown partition", name, { partition: 7 });
      await ask("partition below zero", name, { partition: -1 });
      await ask("an empty name", "");
      await ask("a bad name", "a b");
      await ask("a broker that does not lead", name, {}, wrong);
      await ask("unknown topic, odd acks", door.name("absent"), { acks: 5 });
      const several = {
        acks: -1,
        timeoutMs: 5_000,
        topicData: [
          { name: door.name("absent"), partitionData: [{ index: 0, records: batch() }] },
          {
            name,
            partitionData: [
              { index: 0, records: batch() },
              { index: 9, records: batch() },
            ],
          },
        ],
      };
      await door.ask(`v${version} good and bad together`, "Produce", version, several, {
        to,
        hides: OFFSETS,
      });
      const twice = {
        ...several,
        topicData: [
          {
            name,
            partitionData: [
              { index: 0, records: batch() },
              { index: 0, records: batch() },
            ],
          },
        ],
      };
      await door.ask(`v${version} one partition twice`, "Produce", version, twice, {
        to,
        hides: OFFSETS,
      });
    }
    await door.coordinator(door.name("any-group"));
    const own = produceBody("__consumer_offsets", batch());
    await door.ask("Kafka's own topic", "Produce", 7, own, { to });
  },

  async "topics with rules of their own"(door) {
    const rules = {
      "append-time": { "message.timestamp.type": "LogAppendTime" },
      compacted: { "cleanup.policy": "compact" },
      small: { "max.message.bytes": "300" },
      "few-in-sync": { "min.insync.replicas": "3" },
      "old-times": { "message.timestamp.before.max.ms": "3600000" },
      gzip: { "compression.type": "gzip" },
      uncompressed: { "compression.type": "uncompressed" },
    };
    for (const [suffix, configs] of Object.entries(rules)) {
      const refusal = await door.refusalOfTopic(suffix, { configs });
      door.record(`${suffix} is made`, { body: { errorCode: refusal ?? 0 } });
      if (refusal !== undefined) continue;
      const { name } = { name: door.name(suffix) };
      const to = await door.leader(name);
      for (const version of [3, 8, 11]) {
        const ask = async (label, records) =>
          await door.ask(
            `${suffix} v${version} ${label}`,
            "Produce",
            version,
            produceBody(name, records),
            { to, hides: OFFSETS },
          );
        await ask("good", batch({ count: 2 }));
        await ask("without a key", batch({ key: null, count: 2 }));
        await ask("large", batch({ valueBytes: 400 }));
        await ask("zstd", version < 7 ? batch() : batch({ count: 20, compression: "zstd" }));
        await ask("the append time's bit", batch({ set: { attributes: 0x08 } }));
        await ask("old", batch({ timestampMs: BASE_MS - 48 * HOUR_MS }));
      }
      await door.ask(`${suffix}, its start`, "Fetch", 11, fetchBody(name, 0, 100), {
        to,
        hides: OFFSETS,
      });
    }
  },

  async "sequences of producers"(door) {
    const { name } = await door.topic("sequences");
    const to = await door.leader(name);
    const id = (await door.quietly("InitProducerId", 1, INIT)).body.producerId;
    const other = (await door.quietly("InitProducerId", 1, INIT)).body.producerId;
    const send = async (label, baseSequence, fields = {}) => {
      const { producerId = id, producerEpoch = 0, count = 1, valueBytes } = fields;
      const records = batch({
        count,
        valueBytes,
        producer: { producerId, producerEpoch, baseSequence },
      });
      await door.ask(label, "Produce", 8, produceBody(name, records), { to });
    };
    await send("first at 0", 0);
    await send("first again", 0);
    await send("next", 1, { count: 3 });
    await send("next again", 1, { count: 3 });
    await send("the same start, another end", 1, { count: 2 });
    await send("the same sequences, other bytes", 0, { valueBytes: 33 });
    await send("a gap", 9);
    await send("back", 2);
    for (let at = 4; at < 10; at += 1) await send(`one more: ${at}`, at);
    for (let at = 0; at < 10; at += 1) await send(`again after ten: ${at}`, at);
    await send("an epoch ahead, not at 0", 4, { producerEpoch: 1 });
    await send("an epoch ahead", 0, { producerEpoch: 1 });
    await send("the old epoch", 10);
    await send("the old epoch from 0", 0);
    await send("the epoch after the next", 0, { producerEpoch: 3 });
    await send("another producer, not at 0", 5, { producerId: other });
    await send("that one goes on", 6, { producerId: other });
    await send("an id that nobody gave out", 0, { producerId: 9_000_000_000 });
    const last = 2_147_483_647;
    const wrapping = (await door.quietly("InitProducerId", 1, INIT)).body.producerId;
    await send("at the end of numbers", last - 1, { producerId: wrapping, count: 2 });
    await send("round to 0", 0, { producerId: wrapping });
    const across = (await door.quietly("InitProducerId", 1, INIT)).body.producerId;
    await send("before the end", last - 1, { producerId: across });
    await send("across the end", last, { producerId: across, count: 3 });
    await send("across again", last, { producerId: across, count: 3 });
    await send("behind it", 2, { producerId: across });
    await door.ask("what is there then", "Fetch", 11, fetchBody(name, 0), { to });
  },

  async "ids of producers"(door) {
    for (const version of versionsOf("InitProducerId")) {
      const ask = async (label, fields) =>
        await door.ask(`v${version} ${label}`, "InitProducerId", version, { ...INIT, ...fields });
      await ask("one");
      await ask("another");
      await ask("an empty name", { transactionalId: "" });
      await ask("no time", { transactionTimeoutMs: 0 });
      if (version < 3) continue;
      await ask("an id without an epoch", { producerId: 5 });
      await ask("an epoch without an id", { producerEpoch: 5 });
      await ask("both", { producerId: 5, producerEpoch: 5 });
    }
  },
};

/** What a scenario leaves out of answers. */
const OFFSETS = ["baseOffset", "highWatermark", "lastStableOffset"];
const INIT = { transactionalId: null, transactionTimeoutMs: 60_000 };

export function fetchBody(topic, fetchOffset, partitionMaxBytes = 10_000_000) {
  return {
    replicaId: -1,
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: 50_000_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes }] }],
    forgottenTopicsData: [],
    rackId: "",
  };
}

/** The bytes with a checksum that is right. */
function withCrc(bytes) {
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}
