/** The listener as strangers see it: other gRPC clients, tools, and those who mean harm. */
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { BrokerError, MESSAGE_BYTES_MAX } from "@strandline/model";
import { type Listener, nullLogger, streamRoute, unaryRoute } from "@strandline/platform";
import { protoPath as healthProto } from "grpc-health-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeStatusDetails } from "../errors/status-details.js";
import { logMethods } from "../index.js";
import { callForeign, foreignClient } from "../testing/foreign-client.js";
import { askMethod, numbered, Recorder, talkMethod } from "../transport-suite/methods.js";
import { HEADER_LIST_BYTES_MAX, SERVER_WINDOW_BYTES } from "./channel-options.js";
import { GrpcTransport } from "./grpc-transport.js";
import { HealthStatus } from "./health-status.js";

const HOST = "127.0.0.1";
const LOG_PROTO = "strandline/v1/log.proto";

const health = new HealthStatus();
const clients: Client[] = [];
let transport: GrpcTransport;
let listener: Listener;
let address: string;
let requests: Recorder;

beforeEach(async () => {
  requests = new Recorder();
  transport = new GrpcTransport({ logger: nullLogger, health, reflection: true });
  const routes = [
    unaryRoute(askMethod, async (request) => request),
    streamRoute(talkMethod, () => requests),
    unaryRoute(logMethods.initProducerId, async () => ({ producerId: 2 ** 40, producerEpoch: 3 })),
    unaryRoute(logMethods.listOffsets, () =>
      Promise.reject(new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", "no topic t")),
    ),
    streamRoute(logMethods.produceStream, (stream) => ({
      onMessage: ({ correlationId }) => {
        const zeros = { partition: 0, baseOffset: 0, logStartOffset: 0, positions: [] };
        stream.send({ correlationId, ...zeros });
      },
      onEnd: () => stream.end(),
    })),
  ];
  listener = await transport.listen(HOST, 0, routes);
  address = `${HOST}:${listener.port}`;
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await transport.close();
  await listener.close();
});

function foreign(file: string, service: string): Client {
  const client = foreignClient(address, file, service);
  clients.push(client);
  return client;
}

async function stillServes(): Promise<void> {
  const answer = await transport.call(address, askMethod, numbered(1), { timeoutMs: 2000 });
  expect(answer.length).toBe(4);
}

describe("a client in another language", () => {
  it("calls methods, and finds the typed detail of a refusal", async () => {
    const log = foreign(LOG_PROTO, "strandline.v1.Log");
    const answer = await callForeign(log, "InitProducerId", {});
    expect(answer).toMatchObject({ producerId: 2 ** 40, producerEpoch: 3 });
    const error = (await callForeign(log, "ListOffsets", { topic: "t" })) as ServiceError;
    expect([error.code, error.details]).toEqual([status.NOT_FOUND, "no topic t"]);
    const [details] = error.metadata.get("grpc-status-details-bin");
    const expected = { code: "UNKNOWN_TOPIC_OR_PARTITION", message: "no topic t", retriable: true };
    expect(decodeStatusDetails(details as Buffer)).toEqual(expected);
  });

  it("holds a conversation", async () => {
    const log = foreign(LOG_PROTO, "strandline.v1.Log");
    const stream = (Reflect.get(log, "ProduceStream") as () => NodeJS.ReadWriteStream).call(log);
    const answers: unknown[] = [];
    stream.on("data", (answer: unknown) => answers.push(answer));
    for (const correlationId of [1, 2, 3]) stream.write({ correlationId } as never);
    stream.end();
    await once(stream, "end");
    expect(answers).toMatchObject([
      { correlationId: 1 },
      { correlationId: 2 },
      { correlationId: 3 },
    ]);
  });

  it("may compress what it sends", async () => {
    const raw = new Client(address, credentials.createInsecure(), {
      "grpc.default_compression_algorithm": 2,
    });
    clients.push(raw);
    const same = (bytes: Buffer) => bytes;
    const stream = raw.makeBidiStreamRequest(talkMethod.path, same, same);
    stream.on("error", () => undefined);
    stream.write(Buffer.from(numbered(7, 5000)));
    await expect.poll(() => requests.numbers).toEqual([7]);
    stream.cancel();
  });

  it("asks for the state of the server", async () => {
    const service = foreign(healthProto, "grpc.health.v1.Health");
    expect(await callForeign(service, "Check", {})).toMatchObject({ status: 2 });
    health.set("SERVING");
    expect(await callForeign(service, "Check", { service: "" })).toMatchObject({ status: 1 });
    health.set("NOT_SERVING");
    const unknown = (await callForeign(service, "Check", { service: "x" })) as ServiceError;
    expect(unknown.code).toBe(status.NOT_FOUND);
  });

  it("learns the public services by reflection, and no others", async () => {
    const raw = new Client(address, credentials.createInsecure());
    clients.push(raw);
    const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    const same = (bytes: Buffer) => bytes;
    const stream = raw.makeBidiStreamRequest(path, same, same);
    stream.write(Buffer.of(0x3a, 1, 0x2a));
    const [answer] = (await once(stream, "data")) as [Buffer];
    stream.cancel();
    stream.on("error", () => undefined);
    const text = answer.toString("latin1");
    expect(text).toContain("strandline.v1.Log");
    expect(text).toContain("strandline.v1.Admin");
    expect(text).not.toContain("strandline.internal");
  });
});

describe("what a listener takes from a caller", () => {
  it("is bounded for a message", async () => {
    const raw = new Client(address, credentials.createInsecure());
    clients.push(raw);
    const same = (bytes: Buffer) => bytes;
    const error = await new Promise<ServiceError | null>((resolve) => {
      const huge = Buffer.alloc(MESSAGE_BYTES_MAX + 1);
      raw.makeUnaryRequest(askMethod.path, same, same, huge, (failure) => resolve(failure));
    });
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    const own = transport.call(address, askMethod, new Uint8Array(MESSAGE_BYTES_MAX + 1), {
      timeoutMs: 1000,
    });
    await expect(own).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
    const answers = new Recorder();
    const stream = transport.open(address, talkMethod, answers);
    stream.send(new Uint8Array(MESSAGE_BYTES_MAX + 1));
    await expect.poll(() => answers.ends).toMatchObject([{ code: "MESSAGE_TOO_LARGE" }]);
    await stillServes();
  });

  it("is bounded in headers, streams and windows, which grpc-js has no options for", async () => {
    const session = http2.connect(`http://${address}`);
    await once(session, "remoteSettings");
    expect(session.remoteSettings).toMatchObject({
      initialWindowSize: SERVER_WINDOW_BYTES,
      maxConcurrentStreams: 128,
      maxHeaderListSize: HEADER_LIST_BYTES_MAX,
    });
    await expect.poll(() => session.state.remoteWindowSize).toBe(SERVER_WINDOW_BYTES);
    const stream = session.request({
      ":method": "POST",
      ":path": askMethod.path,
      "content-type": "application/grpc",
      "x-padding": "x".repeat(HEADER_LIST_BYTES_MAX),
    });
    stream.on("error", () => undefined);
    await expect.poll(() => stream.closed).toBe(true);
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
    session.destroy();
    await stillServes();
  });

  it("may be no gRPC, no HTTP/2, or nothing at all", async () => {
    for (const bytes of [
      "GET / HTTP/1.1\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff",
      "",
    ]) {
      const socket = net.connect(listener.port, HOST);
      socket.on("error", () => undefined);
      socket.resume();
      socket.write(Buffer.from(bytes, "latin1"));
      socket.write(Buffer.alloc(100_000, 0xff));
      socket.end();
      await once(socket, "close");
    }
    const session = http2.connect(`http://${address}`);
    const page = session.request({ ":method": "GET", ":path": "/" });
    const [headers] = (await once(page, "response")) as [http2.IncomingHttpHeaders];
    expect(headers[":status"]).toBe(415);
    session.destroy();
    await stillServes();
  });

  it("may break off anywhere in a message", async () => {
    const session = http2.connect(`http://${address}`);
    const headers = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
    for (const path of [askMethod.path, talkMethod.path]) {
      for (const bytes of [
        [],
        [0],
        [0, 0, 0, 0, 9],
        [0, 0, 0, 0, 2, 1],
        [1, 0, 0, 0, 1, 1],
        [0, 255, 255, 255, 255],
      ]) {
        const stream = session.request({ ...headers, ":path": path });
        stream.on("error", () => undefined);
        stream.end(Buffer.from(bytes));
        stream.resume();
        const timer = setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL), 50);
        await once(stream, "close");
        clearTimeout(timer);
      }
    }
    session.destroy();
    await stillServes();
  });

  it("may come and go in a flood", async () => {
    const session = http2.connect(`http://${address}`);
    session.on("error", () => undefined);
    const headers = {
      ":method": "POST",
      "content-type": "application/grpc",
      ":path": talkMethod.path,
    };
    for (let count = 0; count < 2000 && !session.destroyed; count += 1) {
      const stream = session.request(headers);
      stream.on("error", () => undefined);
      stream.close(http2.constants.NGHTTP2_CANCEL);
      if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    session.destroy();
    await stillServes();
  });
});
