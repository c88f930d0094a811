/**
 * What every client library is tried for, written once. A driver puts each client's own calls behind
 * the same names; what a client has no call for is
 * skipped. Records are `{ key, value, headers, timestampMs }`: buffers or null, headers in pairs.
 */
import assert from "node:assert/strict";
import { Lacking } from "../lab/lacking.mjs";
import { until } from "../lab/waiting.mjs";
import { idempotentThroughFailover } from "./failover.mjs";
import { rebalanceUnderLoad } from "./rebalance.mjs";
import { freshName, need, numbered, numberIn } from "./test-records.mjs";

const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"];
const ACKS = [0, 1, "all"];
const LARGE_BYTES = 900_000;

/** The titles, in the order of the card. */
export const BEHAVIOURS = [
  ...CODECS.map((codec) => ({
    test: `produce and consume: ${codec === "none" ? "uncompressed" : codec}`,
    run: async (driver) => await codecRoundTrip(driver, codec),
  })),
  ...ACKS.map((acks) => ({
    test: `produce with acks=${acks}`,
    run: async (driver) => await withAcks(driver, acks),
  })),
  { test: "keys, null values, headers and timestamps come back", run: everyField },
  { test: "a record of 900 KB", run: largeRecord },
  { test: "the first use of a topic creates it", run: autoCreated },
  { test: "consume from an offset", run: fromOffset },
  { test: "first and last offsets", run: edges },
  { test: "seek by time", run: byTime },
  { test: "group: what was committed is resumed", run: resumed },
  { test: "group: rebalances under load", run: rebalanceUnderLoad },
  { test: "admin: topics", run: adminTopics },
  { test: "admin: partitions", run: adminPartitions },
  { test: "admin: configs", run: adminConfigs },
  { test: "admin: delete records", run: adminDeleteRecords },
  { test: "admin: groups", run: adminGroups },
  {
    test: "idempotent produce through a leader failover",
    run: idempotentThroughFailover,
  },
];

async function freshTopic(driver, what, options = {}) {
  const topic = freshName(what);
  await driver.createTopic(topic, { partitions: 1, ...options });
  return topic;
}

function numbers(from, to, options) {
  return Array.from({ length: to - from }, (_, at) => numbered(from + at, options));
}

async function codecRoundTrip(driver, codec) {
  const reason = driver.lacksCodec?.(codec);
  if (reason !== undefined) throw new Lacking(reason);
  const topic = await freshTopic(driver, `codec-${codec}`);
  const records = numbers(0, 500);
  await driver.produce(topic, 0, records, { codec });
  const read = await driver.read(topic, 0, { from: 0, count: records.length });
  assert.deepEqual(read.map(contentOf), records.map(contentOf));
}

async function withAcks(driver, acks) {
  const topic = await freshTopic(driver, `acks-${acks}`);
  for (let from = 0; from < 30; from += 10) {
    await driver.produce(topic, 0, numbers(from, from + 10), { acks });
  }
  const read = await driver.read(topic, 0, { from: 0, count: 30 });
  assert.deepEqual(
    read.map(numberIn),
    Array.from({ length: 30 }, (_, at) => at),
  );
}

async function everyField(driver) {
  const topic = await freshTopic(driver, "fields");
  const records = [
    { key: null, value: Buffer.from("no key"), headers: [], timestampMs: 1_700_000_000_001 },
    { key: Buffer.from("k"), value: null, headers: [], timestampMs: 1_700_000_000_002 },
    {
      key: Buffer.from([0, 255, 128]),
      value: Buffer.from([255, 0, 254]),
      headers: [
        ["one", Buffer.from("1")],
        ["bytes", Buffer.from([0, 1, 255])],
      ],
      timestampMs: 1_700_000_000_003,
    },
    {
      key: Buffer.from("ключ"),
      value: Buffer.from(""),
      headers: [],
      timestampMs: 1_700_000_000_004,
    },
  ];
  await driver.produce(topic, 0, records, {});
  const read = await driver.read(topic, 0, { from: 0, count: records.length });
  assert.deepEqual(read.map(contentOf), records.map(contentOf));
  assert.deepEqual(
    read.map((record) => record.timestampMs),
    records.map((record) => record.timestampMs),
  );
}

async function largeRecord(driver) {
  const topic = await freshTopic(driver, "large");
  const record = numbered(7, { bytes: LARGE_BYTES });
  await driver.produce(topic, 0, [record], {});
  const [read] = await driver.read(topic, 0, { from: 0, count: 1 });
  assert.ok(read.value.equals(record.value), "the value came back different");
}

async function autoCreated(driver) {
  const topic = freshName("first-use");
  await driver.produce(topic, 0, numbers(0, 3), {});
  const read = await driver.read(topic, 0, { from: 0, count: 3 });
  assert.deepEqual(read.map(numberIn), [0, 1, 2]);
}

async function fromOffset(driver) {
  const topic = await freshTopic(driver, "from-offset");
  await driver.produce(topic, 0, numbers(0, 100), {});
  const read = await driver.read(topic, 0, { from: 60, count: 40 });
  assert.equal(read[0].offset, 60);
  assert.equal(numberIn(read[0]), 60);
  assert.equal(read.at(-1).offset, 99);
}

async function edges(driver) {
  need(driver, "offsets");
  const topic = await freshTopic(driver, "edges");
  assert.deepEqual(await driver.offsets(topic, 0), { first: 0, end: 0 });
  await driver.produce(topic, 0, numbers(0, 100), {});
  assert.deepEqual(await driver.offsets(topic, 0), { first: 0, end: 100 });
}

async function byTime(driver) {
  need(driver, "offsetAt");
  const topic = await freshTopic(driver, "by-time");
  const startMs = Date.now() - 3_600_000;
  for (let from = 0; from < 100; from += 20) {
    const records = Array.from({ length: 20 }, (_, at) =>
      numbered(from + at, { timestampMs: startMs + (from + at) * 1_000 }),
    );
    await driver.produce(topic, 0, records, {});
  }
  assert.equal(await driver.offsetAt(topic, 0, startMs), 0);
  assert.equal(await driver.offsetAt(topic, 0, startMs + 49_500), 50);
  const from = await driver.offsetAt(topic, 0, startMs + 70_000);
  const [first] = await driver.read(topic, 0, { from, count: 30 });
  assert.equal(numberIn(first), 70);
}

async function resumed(driver) {
  need(driver, "member", "committed");
  const topic = await freshTopic(driver, "resumed", { partitions: 2 });
  const group = freshName("resumed");
  await driver.produce(topic, 0, numbers(0, 60), {});
  await driver.produce(topic, 1, numbers(60, 100), {});
  await consumeAsMember(driver, group, topic, 100);
  assert.deepEqual(await driver.committed(group, topic, [0, 1]), [60, 40]);
  await driver.produce(topic, 0, numbers(100, 125), {});
  await driver.produce(topic, 1, numbers(125, 150), {});
  const seen = await consumeAsMember(driver, group, topic, 50);
  assert.deepEqual([...seen].sort((a, b) => a - b)[0], 100, "what was committed came again");
  assert.deepEqual(await driver.committed(group, topic, [0, 1]), [85, 65]);
}

/** One member reads until it has seen `count` records, and leaves with everything committed. */
async function consumeAsMember(driver, group, topic, count) {
  const seen = new Set();
  let isEnough;
  const enough = new Promise((resolve) => {
    isEnough = resolve;
  });
  const member = await driver.member(group, topic, (record) => {
    seen.add(numberIn(record));
    if (seen.size === count) isEnough();
  });
  await enough;
  await member.close();
  return seen;
}

async function adminTopics(driver) {
  need(driver, "topics", "partitionCount", "deleteTopic");
  const topic = await freshTopic(driver, "admin", { partitions: 3, replicas: 3 });
  const isListed = async () => (await driver.topics()).includes(topic);
  // The broker that is asked hears of it a moment after the controller has said yes.
  await until("a new topic is listed", isListed, { timeoutMs: 10_000 });
  assert.equal(await driver.partitionCount(topic), 3);
  await assert.rejects(driver.createTopic(topic, { partitions: 3 }), "it was created twice");
  await driver.deleteTopic(topic);
  await until("a deleted topic is gone from the list", async () => !(await isListed()), {
    timeoutMs: 10_000,
  });
}

async function adminPartitions(driver) {
  need(driver, "addPartitions", "partitionCount");
  const topic = await freshTopic(driver, "partitions", { partitions: 2 });
  await driver.addPartitions(topic, 5);
  await until("there are five partitions", async () => (await driver.partitionCount(topic)) === 5, {
    timeoutMs: 10_000,
  });
  await driver.produce(topic, 4, numbers(0, 3), {});
  const read = await driver.read(topic, 4, { from: 0, count: 3 });
  assert.deepEqual(read.map(numberIn), [0, 1, 2]);
}

async function adminConfigs(driver) {
  need(driver, "configOf", "setConfig");
  const topic = await freshTopic(driver, "configs", { configs: { "retention.ms": "3600000" } });
  assert.equal(await driver.configOf(topic, "retention.ms"), "3600000");
  assert.equal(await driver.configOf(topic, "cleanup.policy"), "delete");
  await driver.setConfig(topic, "retention.ms", "7200000");
  assert.equal(await driver.configOf(topic, "retention.ms"), "7200000");
}

async function adminDeleteRecords(driver) {
  need(driver, "deleteRecords", "offsets");
  const topic = await freshTopic(driver, "delete-records");
  await driver.produce(topic, 0, numbers(0, 100), {});
  await driver.deleteRecords(topic, 0, 40);
  assert.deepEqual(await driver.offsets(topic, 0), { first: 40, end: 100 });
}

async function adminGroups(driver) {
  need(driver, "member", "groups", "describeGroup", "deleteGroup");
  const topic = await freshTopic(driver, "groups");
  const group = freshName("described");
  await driver.produce(topic, 0, numbers(0, 10), {});
  let isFirst;
  const first = new Promise((resolve) => {
    isFirst = resolve;
  });
  const member = await driver.member(group, topic, () => isFirst());
  await first;
  assert.ok((await driver.groups()).includes(group), "a group is not listed");
  assert.deepEqual(await driver.describeGroup(group), { state: "Stable", members: 1 });
  await member.close();
  assert.deepEqual(await driver.describeGroup(group), { state: "Empty", members: 0 });
  await driver.deleteGroup(group);
  assert.ok(!(await driver.groups()).includes(group), "a deleted group is listed");
}

/** For comparison: what a client made of absent and empty must be what was sent. */
function contentOf({ key, value, headers }) {
  const hex = (bytes) => (bytes === null ? null : bytes.toString("hex"));
  return { key: hex(key), value: hex(value), headers: headers.map(([k, v]) => [k, hex(v)]) };
}
