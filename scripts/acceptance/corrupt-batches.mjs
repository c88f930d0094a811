/** Batches that are damaged, sent past the client library: refused, and nothing of them stored. */
import { crc32c } from "@strandline/platform";
import { BatchEncoder } from "@strandline/record";
import { logMethods } from "@strandline/rpc";
import { within } from "../lab/waiting.mjs";

const TOPIC = "corrupt";

export async function corruptBatches({ report, cluster }) {
  await cluster.client.admin.createTopic({ name: TOPIC, partitions: 1, replicationFactor: 3 });
  const leader = await cluster.leaderOf(TOPIC, 0);
  await unary({ report, cluster, leader });
  await stream({ report, cluster, leader });
  const { highWatermark } = await cluster.partition(TOPIC, 0);
  report.check(
    "nothing of a corrupt batch is stored",
    highWatermark === 2 ? undefined : `the partition ends at ${highWatermark}, not at 2`,
  );
}

async function unary({ report, cluster, leader }) {
  for (const [what, batch, codes] of damages()) {
    let problem;
    try {
      const answer = await cluster.call(leader, logMethods.produce, requestOf(batch));
      problem = `it was taken, at offset ${answer.baseOffset}`;
    } catch (error) {
      if (!codes.includes(error.code)) {
        problem = `${codes.join(" or ")} was expected, not ${error.code}: ${error.message}`;
      }
    }
    report.check(`a batch with ${what} is refused`, problem);
  }
  const answer = await cluster.call(leader, logMethods.produce, requestOf(wholeBatch()));
  report.check(
    "a whole batch is taken after the corrupt ones",
    answer.baseOffset === 0 ? undefined : `its offset is ${answer.baseOffset}`,
  );
}

/** On a stream a refusal is an answer, and what follows is served. */
async function stream({ report, cluster, leader }) {
  const [, corrupt] = damages()[0];
  const answers = new Map();
  const done = new Promise((resolve, reject) => {
    const address = `127.0.0.1:${cluster.nodes.get(leader).grpcPort}`;
    const open = cluster.transport.open(address, logMethods.produceStream, {
      onMessage: (answer) => {
        answers.set(answer.correlationId, answer);
        if (answers.size === 2) open.end();
      },
      onEnd: (error) => (error === undefined ? resolve() : reject(error)),
    });
    open.send({ ...requestOf(corrupt), correlationId: 1 });
    open.send({ ...requestOf(wholeBatch()), correlationId: 2 });
  });
  let problem;
  try {
    await within(10_000, "the stream", done);
    const code = answers.get(1)?.error?.code;
    if (code !== "CORRUPT_MESSAGE") problem = `the corrupt batch was answered with ${code}`;
    else if (answers.get(2)?.error !== undefined) problem = answers.get(2).error.message;
  } catch (error) {
    problem = error.message;
  }
  report.check("a stream answers a corrupt batch with the refusal, and goes on", problem);
}

/** What is wrong, the bytes, and the codes that may say so. */
function damages() {
  const flipped = wholeBatch();
  flipped[flipped.length - 1] ^= 1;
  const oldMagic = wholeBatch();
  oldMagic[16] = 1;
  const whole = wholeBatch();
  return [
    ["a flipped bit", flipped, ["CORRUPT_MESSAGE"]],
    ["a cut end", whole.subarray(0, whole.length - 3), ["CORRUPT_MESSAGE", "INVALID_RECORD"]],
    [
      "bytes after its end",
      Buffer.concat([whole, Buffer.alloc(5)]),
      ["CORRUPT_MESSAGE", "INVALID_RECORD"],
    ],
    ["an old format", oldMagic, ["CORRUPT_MESSAGE", "INVALID_RECORD", "UNSUPPORTED_VERSION"]],
    ["nothing but zeros", Buffer.alloc(100), ["CORRUPT_MESSAGE", "INVALID_RECORD"]],
  ];
}

function wholeBatch() {
  const encoder = new BatchEncoder();
  const value = Buffer.from("a record");
  encoder.append({ key: null, value, timestampMs: Date.now(), headers: [] });
  return Buffer.from(encoder.finish({ crc32c }));
}

function requestOf(batch) {
  return {
    correlationId: 0,
    topic: TOPIC,
    partition: 0,
    acks: "ACKS_ALL",
    timeoutMs: 10_000,
    records: [],
    batch,
    forwarded: false,
  };
}
