/**
 * How many Produce requests are decoded and answered per second on one core: frame reader, decoder
 * and encoder, without socket and log. `node packages/kafka-protocol/bench/codecs.mjs`, after a
 * build. One line of JSON for each shape of request; exits 1 when the target is missed.
 */
import { decodeRequest, encodeRequest, encodeResponse, FrameReader } from "../dist/index.js";

const TARGET_PER_SECOND = 300_000;
const SECONDS = Number(process.env.SECONDS ?? 2);

/** What clients send: one batch each, or one for each of some partitions. */
const SHAPES = [
  { name: "one partition, 100 B", version: 7, partitions: 1, batchBytes: 100, isTarget: true },
  { name: "one partition, 100 B", version: 9, partitions: 1, batchBytes: 100, isTarget: true },
  { name: "one partition, 16 KiB", version: 11, partitions: 1, batchBytes: 16_384, isTarget: true },
  { name: "ten partitions, 1 KiB", version: 11, partitions: 10, batchBytes: 1024 },
];

function requestFrame({ version, partitions, batchBytes }) {
  const records = new Uint8Array(batchBytes);
  const partitionData = Array.from({ length: partitions }, (_, index) => ({ index, records }));
  const body = { acks: -1, timeoutMs: 30_000, topicData: [{ name: "orders", partitionData }] };
  const pieces = encodeRequest("Produce", version, { correlationId: 7, clientId: "bench" }, body);
  return Buffer.concat(pieces);
}

function answer(request) {
  const responses = request.body.topicData.map(({ name, partitionData }) => ({
    name,
    partitionResponses: partitionData.map(({ index }) => ({
      index,
      errorCode: 0,
      baseOffset: 1_234_567,
      logStartOffset: 0,
    })),
  }));
  return encodeResponse("Produce", request.version, request.correlationId, { responses });
}

function run(frame, count) {
  const reader = new FrameReader({ frameBytesMax: 8 * 1024 * 1024 });
  let bytes = 0;
  for (let index = 0; index < count; index++) {
    reader.push(frame);
    const pieces = answer(decodeRequest(reader.next()));
    for (const piece of pieces) bytes += piece.length;
  }
  return bytes;
}

/** A broker decodes other requests too: code that has seen one shape only is faster than it is. */
function seeOtherShapes() {
  const topics = [{ name: "orders", partitions: [{ partitionIndex: 0, timestamp: -1 }] }];
  const others = [
    ["Metadata", 12, { topics: [{ name: "orders" }] }, { brokers: [], topics: [] }],
    ["ListOffsets", 7, { replicaId: -1, topics }, { topics: [] }],
    ["Fetch", 11, { maxWaitMs: 1, minBytes: 1, topics: [] }, { responses: [] }],
    ["Heartbeat", 4, { groupId: "g", generationId: 1, memberId: "m" }, { errorCode: 0 }],
    ["FindCoordinator", 4, { coordinatorKeys: ["g"] }, { coordinators: [] }],
    ["InitProducerId", 4, { transactionalId: null, transactionTimeoutMs: 1 }, INIT_ANSWER],
  ];
  for (let index = 0; index < 2000; index++) {
    for (const [name, version, request, response] of others) {
      const header = { correlationId: 1, clientId: "bench" };
      const frame = Buffer.concat(encodeRequest(name, version, header, request));
      decodeRequest(frame.subarray(4));
      encodeResponse(name, version, 1, response);
    }
  }
}

const INIT_ANSWER = { errorCode: 0, producerId: 1, producerEpoch: 0 };

seeOtherShapes();
let isMissed = false;
for (const shape of SHAPES) {
  const frame = requestFrame(shape);
  run(frame, 20_000);
  const used = process.cpuUsage();
  let count = 0;
  let cpuSeconds = 0;
  while (cpuSeconds < SECONDS) {
    run(frame, 10_000);
    count += 10_000;
    const { user, system } = process.cpuUsage(used);
    cpuSeconds = (user + system) / 1e6;
  }
  const perCpuSecond = Math.round(count / cpuSeconds);
  const isMet = perCpuSecond >= TARGET_PER_SECOND;
  const { name, version, isTarget } = shape;
  const target = isTarget ? { target: TARGET_PER_SECOND, met: isMet } : {};
  console.log(JSON.stringify({ what: `Produce v${version}, ${name}`, perCpuSecond, ...target }));
  if (isTarget && !isMet) isMissed = true;
}
process.exitCode = isMissed ? 1 : 0;
