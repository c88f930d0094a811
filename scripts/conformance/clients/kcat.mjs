/** kcat: what people type when they want to see whether a cluster is there. */
import assert from "node:assert/strict";
import { have, must } from "../../lab/toolchain.mjs";
import { freshName } from "../test-records.mjs";

const RUN_MS_MAX = 60_000;
const LINES = Array.from({ length: 200 }, (_, at) => `key-${at % 5}:value ${at}`);

export const kcat = {
  name: "kcat",
  async prepare({ workspace }) {
    const about = await have(workspace, ["kcat", "-V"]);
    const [, version] = /Version (\S+)/.exec(about);
    const [, library] = /librdkafka (\S+)/.exec(about);
    const run = async (target, args, input) =>
      await must(workspace, ["kcat", "-b", target.bootstrap.join(","), ...args], {
        input,
        timeoutMs: RUN_MS_MAX,
      });
    const cases = CASES.map(([test, check]) => ({
      test,
      run: async ({ target }) => await check(async (args, input) => await run(target, args, input)),
    }));
    return { version: `${version} (librdkafka ${library})`, cases };
  },
};

const CASES = [
  ["-L lists brokers, topics and partitions", list],
  ["-P and -C -e -J: what was typed is printed", typed],
  ...["gzip", "snappy", "lz4", "zstd"].map((codec) => [
    `-P -z ${codec}`,
    async (kcat) => await produceAndCompare(kcat, ["-z", codec]),
  ]),
  ...["0", "1", "all"].map((acks) => [
    `-P -X acks=${acks}`,
    async (kcat) => await produceAndCompare(kcat, ["-X", `acks=${acks}`]),
  ]),
  [
    "-P -X enable.idempotence=true",
    async (kcat) => await produceAndCompare(kcat, ["-X", "enable.idempotence=true"]),
  ],
  ["-P -H and -Z: headers and null values", headersAndNulls],
  ["-C -o: from an offset, and the last ones", fromOffset],
  ["-Q and -C -o s@: by time", byTime],
  ["-G: a group goes on where it was", groupGoesOn],
];

async function list(kcat) {
  const topic = freshName("kcat-list");
  await kcat(["-P", "-t", topic], "x\n");
  const { brokers, topics } = JSON.parse(await kcat(["-L", "-J", "-t", topic]));
  assert.ok(brokers.length > 0 && brokers.every(({ name }) => /:\d+$/.test(name)));
  assert.equal(topics[0].topic, topic);
  for (const { leader, replicas, isrs } of topics[0].partitions) {
    assert.ok(leader > 0, "a partition has no leader");
    assert.equal(isrs.length, replicas.length);
  }
  assert.match(await kcat(["-L"]), new RegExp(`topic "${topic}" with`));
}

async function typed(kcat) {
  const topic = freshName("kcat-typed");
  await kcat(["-P", "-t", topic], "first\nsecond\n");
  const records = recordsIn(await kcat(["-C", "-e", "-J", "-t", topic]));
  assert.deepEqual(records.map(({ payload }) => payload).sort(), ["first", "second"]);
  for (const { topic: name, offset, ts } of records) {
    assert.equal(name, topic);
    assert.ok(offset >= 0 && ts > 0);
  }
}

async function produceAndCompare(kcat, options) {
  const topic = freshName("kcat");
  await kcat(["-P", "-t", topic, "-K:", ...options], `${LINES.join("\n")}\n`);
  const records = recordsIn(await kcat(["-C", "-e", "-J", "-t", topic]));
  const lines = records.map(({ key, payload }) => `${key}:${payload}`);
  assert.deepEqual(lines.sort(), [...LINES].sort());
}

async function headersAndNulls(kcat) {
  const topic = freshName("kcat-headers");
  await kcat(["-P", "-t", topic, "-K:", "-Z", "-H", "one=1", "-H", "two=2"], "a:1\nb:\n");
  const records = recordsIn(await kcat(["-C", "-e", "-J", "-t", topic]));
  const byKey = new Map(records.map((record) => [record.key, record]));
  assert.deepEqual(byKey.get("a").headers, ["one", "1", "two", "2"]);
  assert.equal(byKey.get("a").payload, "1");
  assert.equal(byKey.get("b").payload, null);
}

async function fromOffset(kcat) {
  const topic = freshName("kcat-offset");
  const lines = Array.from({ length: 50 }, (_, at) => `${at}`);
  await kcat(["-P", "-t", topic, "-p", "0"], `${lines.join("\n")}\n`);
  const read = async (offset) => {
    const read = await kcat(["-C", "-e", "-J", "-t", topic, "-p", "0", "-o", offset]);
    return recordsIn(read).map(({ payload }) => payload);
  };
  assert.deepEqual(await read("30"), lines.slice(30));
  assert.deepEqual(await read("-5"), lines.slice(-5));
  assert.deepEqual(await read("end"), []);
}

async function byTime(kcat) {
  const topic = freshName("kcat-time");
  await kcat(["-P", "-t", topic, "-p", "0"], "before\n");
  const [{ ts }] = recordsIn(await kcat(["-C", "-e", "-J", "-t", topic, "-p", "0"]));
  const later = ts + 1;
  while (Date.now() <= later) await new Promise((resolve) => setTimeout(resolve, 2));
  await kcat(["-P", "-t", topic, "-p", "0"], "after\n");
  const query = async (time) => (await kcat(["-Q", "-t", `${topic}:0:${time}`])).trim();
  assert.equal(await query(ts), `${topic} [0] offset 0`);
  assert.equal(await query(later), `${topic} [0] offset 1`);
  assert.equal(await query(-2), `${topic} [0] offset 0`);
  assert.equal(await query(-1), `${topic} [0] offset 2`);
  const read = await kcat(["-C", "-e", "-J", "-t", topic, "-p", "0", "-o", `s@${later}`]);
  assert.deepEqual(
    recordsIn(read).map(({ payload }) => payload),
    ["after"],
  );
}

async function groupGoesOn(kcat) {
  const topic = freshName("kcat-group");
  const group = freshName("kcat-group");
  const reset = ["-X", "auto.offset.reset=earliest"];
  const read = async (count) => {
    const lines = await kcat(["-G", group, "-c", String(count), "-J", ...reset, topic]);
    return recordsIn(lines).map(({ payload }) => payload);
  };
  await kcat(["-P", "-t", topic, "-p", "0"], "1\n2\n3\n");
  assert.deepEqual(await read(3), ["1", "2", "3"]);
  await kcat(["-P", "-t", topic, "-p", "0"], "4\n5\n");
  assert.deepEqual(await read(2), ["4", "5"]);
}

function recordsIn(text) {
  const lines = text.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line));
}
