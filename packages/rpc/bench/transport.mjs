/**
 * How fast the gRPC transport is between two processes: `node packages/rpc/bench/transport.mjs`.
 * Streams are replication's appends, from the server to the client, and one-way acknowledgements;
 * the figures that count on a shared machine are CPU-seconds per GB.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { streamRoute, unaryRoute } from "@strandline/platform";
import { GrpcTransport, logMethods, replicationMethods } from "@strandline/rpc";

const quiet = {
  debug() {},
  info() {},
  warn: console.warn,
  error: console.error,
  child: () => quiet,
};
const HOST = "127.0.0.1";
const TOPIC = "AAAAAAAAAAAAAAAAAAAAAA";

function append(batches) {
  const head = { topicId: TOPIC, partition: 0, leaderEpoch: 1, session: 1, baseOffset: 1 };
  return { append: { ...head, highWatermark: 1, logStartOffset: 0, batches } };
}

/** Sends `count` appends of `partition` bytes each: the follow request says how many. */
function replicate(stream) {
  let left = 0;
  let message;
  const pump = () => {
    while (left > 0) {
      left -= 1;
      if (!stream.send(message)) return;
    }
    stream.end();
  };
  return {
    onMessage({ follow, acknowledge }) {
      if (acknowledge !== undefined) return;
      left = follow.logEndOffset;
      const half = Buffer.alloc(follow.partition / 2, 7);
      message = append([half, half]);
      pump();
    },
    onDrain: pump,
    onEnd() {},
  };
}

function produce(stream) {
  return {
    onMessage: ({ correlationId }) => {
      stream.send({
        correlationId,
        partition: 0,
        baseOffset: 1,
        logStartOffset: 0,
        positions: [],
      });
    },
    onEnd: () => stream.end(),
  };
}

async function serve() {
  const transport = new GrpcTransport({ logger: quiet });
  const routes = [
    streamRoute(replicationMethods.replicate, replicate),
    streamRoute(logMethods.produceStream, produce),
    unaryRoute(logMethods.initProducerId, async () => ({ producerId: 1, producerEpoch: 0 })),
  ];
  const listener = await transport.listen(HOST, 0, routes);
  let before = process.cpuUsage();
  process.on("message", () => {
    const used = process.cpuUsage(before);
    before = process.cpuUsage();
    process.send({ cpuSeconds: (used.user + used.system) / 1e6, rss: process.memoryUsage().rss });
  });
  process.send({ port: listener.port });
}

async function measure(name, server, unit, run) {
  await ask(server);
  const before = process.cpuUsage();
  const from = performance.now();
  const amount = await run();
  const seconds = (performance.now() - from) / 1000;
  const used = process.cpuUsage(before);
  const client = (used.user + used.system) / 1e6;
  const { cpuSeconds, rss } = await ask(server);
  const figures = [
    `${(amount / seconds).toFixed(0)} ${unit}/s`,
    `CPU-s per ${unit === "MB" ? "GB" : "100 k"}:`,
    `server ${((cpuSeconds / amount) * (unit === "MB" ? 1000 : 1e5)).toFixed(2)}`,
    `client ${((client / amount) * (unit === "MB" ? 1000 : 1e5)).toFixed(2)}`,
    `(server ${Math.round(rss / 1e6)} MB)`,
  ];
  console.log(`${name.padEnd(34)} ${figures.join("  ")}`);
}

function ask(server) {
  return new Promise((resolve) => {
    server.once("message", resolve);
    server.send("usage");
  });
}

function download(transport, address, sizeBytes, count) {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const stream = transport.open(address, replicationMethods.replicate, {
      onMessage: ({ append: { batches } }) => {
        bytes += batches.length;
      },
      onEnd: (error) => (error === undefined ? resolve(bytes / 1e6) : reject(error)),
    });
    const follow = { topicId: TOPIC, partition: sizeBytes, leaderEpoch: 0 };
    stream.send({ follow: { ...follow, logEndOffset: count, lastEpoch: 0, session: 0 } });
  });
}

function upload(transport, address, sizeBytes, count) {
  return new Promise((resolve, reject) => {
    let answered = 0;
    let sent = 0;
    const batch = Buffer.alloc(sizeBytes, 7);
    const base = { topic: "t", partition: 0, acks: "ACKS_ALL", timeoutMs: 0, records: [], batch };
    const pump = () => {
      while (sent < count) {
        sent += 1;
        if (!stream.send({ ...base, correlationId: sent, forwarded: false })) return;
      }
      stream.end();
    };
    const stream = transport.open(address, logMethods.produceStream, {
      onMessage: () => {
        answered += 1;
      },
      onDrain: pump,
      onEnd: (error) => {
        if (error !== undefined) reject(error);
        else resolve(sizeBytes < 1024 ? answered : (answered * sizeBytes) / 1e6);
      },
    });
    pump();
  });
}

async function unary(transport, address, count, lanes) {
  const lane = async () => {
    for (let left = count / lanes; left > 0; left -= 1) {
      await transport.call(address, logMethods.initProducerId, {}, { timeoutMs: 10_000 });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return count;
}

async function run() {
  const server = fork(fileURLToPath(import.meta.url), ["serve"]);
  const { port } = await new Promise((resolve) => server.once("message", resolve));
  const transport = new GrpcTransport({ logger: quiet });
  const address = `${HOST}:${port}`;
  await download(transport, address, 1024 * 1024, 500);
  for (const [name, size, count] of [
    ["1 MiB", 1024 * 1024, 3000],
    ["64 KiB", 64 * 1024, 30_000],
    ["16 KiB", 16 * 1024, 60_000],
  ]) {
    await measure(`server -> client, ${name}`, server, "MB", () =>
      download(transport, address, size, count),
    );
    await measure(`client -> server, ${name}`, server, "MB", () =>
      upload(transport, address, size, count / 2),
    );
  }
  await measure("requests on a stream, 100 bytes", server, "messages", () =>
    upload(transport, address, 100, 200_000),
  );
  await measure("unary calls, 64 at a time", server, "calls", () =>
    unary(transport, address, 30_000, 64),
  );
  await measure("unary calls, one at a time", server, "calls", () =>
    unary(transport, address, 5_000, 1),
  );
  await transport.close();
  server.kill("SIGKILL");
}

await (process.argv[2] === "serve" ? serve() : run());
