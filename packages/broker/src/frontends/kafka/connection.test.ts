import {
  type ApiName,
  decodeResponse,
  encodeRequest,
  type OutgoingRequestOf,
  type ServedApis,
} from "@strandline/kafka-protocol";
import { BufferPool, type Lease, nullLogger } from "@strandline/platform";
import { beforeEach, describe, expect, it } from "vitest";
import { KafkaConnection } from "./connection.js";
import { KafkaDispatcher } from "./dispatcher.js";
import { FrameBudget } from "./frame-budget.js";
import type { KafkaHandlers, KafkaProduce } from "./handler.js";
import { FakeConnection } from "./testing/fake-connection.js";

type ProduceAnswer = Parameters<KafkaProduce>[2];
type Waiting = { readonly topic: string; readonly answer: ProduceAnswer };

const MIB = 1024 * 1024;

describe(KafkaConnection, () => {
  let dispatcher: KafkaDispatcher;
  let budget: FrameBudget;
  let buffers: BufferPool;
  let leases: Lease[];
  let peer: FakeConnection;
  let connection: KafkaConnection;
  let nowMs: number;
  let started: string[];
  let produces: Waiting[];
  let heartbeats: (() => void)[];
  let aborted: number;
  let closed: number;

  beforeEach(() => {
    nowMs = 1_000;
    started = [];
    produces = [];
    heartbeats = [];
    aborted = 0;
    closed = 0;
    leases = [];
    const handlers: KafkaHandlers = {
      Heartbeat: async (request, { signal, lease }) => {
        leases.push(lease);
        started.push(`heartbeat ${request.groupId}`);
        signal.addEventListener("abort", () => {
          aborted += 1;
        });
        if (request.groupId === "bug") throw new Error("a bug");
        await new Promise<void>((resolve) => heartbeats.push(resolve));
        return { errorCode: 0 };
      },
    };
    const produce: KafkaProduce = (request, _context, answer) => {
      const topic = request.topicData[0]?.name ?? "";
      started.push(`produce ${topic}`);
      if (topic === "at-once") answer({ responses: [] });
      else produces.push({ topic, answer });
    };
    dispatcher = new KafkaDispatcher(handlers, produce);
    budget = new FrameBudget(256 * MIB);
    buffers = new BufferPool();
    peer = new FakeConnection();
    connection = open(peer);
  });

  function open(end: FakeConnection): KafkaConnection {
    return new KafkaConnection(end, {
      dispatcher,
      listener: { endpointOf: () => undefined },
      clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
      logger: nullLogger,
      frameBytesMax: 100 * 1024 * 1024,
      budget,
      buffers,
      onClosed: () => {
        closed += 1;
      },
    });
  }

  function frame<Name extends ApiName>(
    name: Name,
    version: number,
    correlationId: number,
    body: OutgoingRequestOf<ServedApis[Name]>,
  ): Uint8Array {
    return Buffer.concat(encodeRequest(name, version, { correlationId, clientId: "test" }, body));
  }

  function produceFrame(correlationId: number, topic: string, options: Partial<Produce> = {}) {
    const { acks = -1, bytes = 0 } = options;
    const partitionData = [{ index: 0, records: new Uint8Array(bytes) }];
    const topicData = [{ name: topic, partitionData }];
    return frame("Produce", 7, correlationId, { acks, timeoutMs: 1_000, topicData });
  }

  interface Produce {
    readonly acks: number;
    readonly bytes: number;
  }

  function heartbeatFrame(correlationId: number, groupId: string): Uint8Array {
    const body = { groupId, generationId: 1, memberId: "m" };
    return frame("Heartbeat", 0, correlationId, body);
  }

  function answer(topic: string, errorCode = 0): void {
    const at = produces.findIndex((waiting) => waiting.topic === topic);
    const [waiting] = produces.splice(at, 1);
    const partitionResponses = [{ index: 0, errorCode, baseOffset: 0 }];
    waiting?.answer({ responses: [{ name: topic, partitionResponses }] });
  }

  function answeredIds(): number[] {
    return peer.written.map((bytes) => Buffer.from(bytes).readInt32BE(4));
  }

  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };

  it("answers a request that comes byte by byte", async () => {
    for (const byte of heartbeatFrame(7, "g")) connection.onData(Uint8Array.of(byte));
    heartbeats[0]?.();
    await settle();
    const [bytes] = peer.written;
    const { correlationId, body } = decodeResponse("Heartbeat", 0, bytes?.subarray(4) as never);
    expect({ correlationId, body }).toMatchObject({ correlationId: 7, body: { errorCode: 0 } });
  });

  it("lets produce requests overlap, and answers them in order", () => {
    connection.onData(Buffer.concat([produceFrame(1, "a"), produceFrame(2, "b")]));
    expect(started).toEqual(["produce a", "produce b"]);
    answer("b");
    expect(answeredIds()).toEqual([]);
    answer("a");
    expect(answeredIds()).toEqual([1, 2]);
  });

  it("uses the memory of a large produce request again, unless the log holds it", () => {
    const bytes = produceFrame(1, "a", { bytes: MIB });
    for (let at = 0; at < bytes.length; at += 100_000) {
      connection.onData(bytes.subarray(at, at + 100_000));
    }
    expect(started).toEqual(["produce a"]);
    expect(buffers.freeBytes).toBeGreaterThan(MIB);
  });

  it("releases what an answer is made of once the client's side has taken it", async () => {
    connection.onData(heartbeatFrame(1, "g"));
    leases[0]?.take(MIB);
    heartbeats[0]?.();
    await settle();
    expect(answeredIds()).toEqual([1]);
    expect(buffers.freeBytes).toBe(0);
    peer.onTaken[0]?.();
    expect(buffers.freeBytes).toBe(MIB);
  });

  it("starts any other request when everything before it is answered", async () => {
    connection.onData(
      Buffer.concat([produceFrame(1, "a"), heartbeatFrame(2, "g"), produceFrame(3, "b")]),
    );
    expect(started).toEqual(["produce a"]);
    answer("a");
    expect(started).toEqual(["produce a", "heartbeat g"]);
    heartbeats[0]?.();
    await settle();
    expect(started).toEqual(["produce a", "heartbeat g", "produce b"]);
    answer("b");
    expect(answeredIds()).toEqual([1, 2, 3]);
  });

  it("answers what was answered at once in a long row of requests", () => {
    const frames = Array.from({ length: 2_000 }, (_, id) => produceFrame(id, "at-once"));
    connection.onData(Buffer.concat(frames));
    expect(answeredIds()).toEqual(frames.map((_, id) => id));
  });

  it("says nothing to a produce request without acks, and closes when it is refused", () => {
    connection.onData(
      Buffer.concat([
        produceFrame(1, "a", { acks: 0 }),
        produceFrame(2, "b", { acks: 0 }),
        produceFrame(3, "c"),
      ]),
    );
    answer("c");
    answer("a");
    expect(answeredIds()).toEqual([]);
    answer("b", 6);
    expect(answeredIds()).toEqual([]);
    expect(peer.isDestroyed).toBe(true);
  });

  it.each([
    ["a negative length", [0xff, 0xff, 0xff, 0xff]],
    ["a length above the bound", [0x06, 0x40, 0x00, 0x01]],
    ["another protocol", [...Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]],
    ["an API that there is not", [0, 0, 0, 10, 0x7f, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff]],
    ["a version that is not served", [0, 0, 0, 10, 0, 3, 0, 99, 0, 0, 0, 1, 0xff, 0xff]],
    ["a body that ends early", [0, 0, 0, 10, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff]],
    ["an API without a handler", [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0]],
  ])("closes without an answer at %s", (_what, bytes) => {
    connection.onData(Uint8Array.from(bytes));
    expect(peer.isDestroyed).toBe(true);
    expect(peer.written).toEqual([]);
    expect(closed).toBe(1);
  });

  it("closes without an answer when a handler fails", async () => {
    connection.onData(heartbeatFrame(1, "bug"));
    await settle();
    expect(peer.isDestroyed).toBe(true);
    expect(peer.written).toEqual([]);
  });

  it("answers ApiVersions of a version that it does not know", () => {
    const unknown = [0, 0, 0, 12, 0, 18, 0, 99, 0, 0, 0, 5, 0xff, 0xff, 1, 2];
    connection.onData(Uint8Array.from(unknown));
    const [bytes] = peer.written;
    const { body } = decodeResponse("ApiVersions", 0, bytes?.subarray(4) as never);
    expect(body).toMatchObject({ errorCode: 35, apiKeys: [{ apiKey: 18, maxVersion: 4 }] });
    expect(peer.isDestroyed).toBe(false);
  });

  it("tells of exactly the APIs that have a handler", async () => {
    connection.onData(frame("ApiVersions", 0, 1, { clientSoftwareName: "" } as never));
    await settle();
    const [bytes] = peer.written;
    const { body } = decodeResponse("ApiVersions", 0, bytes?.subarray(4) as never);
    expect(body.apiKeys.map(({ apiKey }) => apiKey)).toEqual([0, 12, 18]);
    expect(body.apiKeys[0]).toEqual({ apiKey: 0, minVersion: 0, maxVersion: 11 });
  });

  it("refuses software that does not say its name well", async () => {
    const software = { clientSoftwareName: "-bad-", clientSoftwareVersion: "1" };
    connection.onData(frame("ApiVersions", 3, 1, software));
    await settle();
    const [bytes] = peer.written;
    const { body } = decodeResponse("ApiVersions", 3, bytes?.subarray(4) as never);
    expect(body).toMatchObject({ errorCode: 42, apiKeys: [] });
  });

  it("aborts what is parked when the client goes, and says nothing more", async () => {
    connection.onData(heartbeatFrame(1, "g"));
    connection.onEnd();
    expect(aborted).toBe(1);
    heartbeats[0]?.();
    await settle();
    expect(peer.written).toEqual([]);
    expect(closed).toBe(1);
  });

  it("stops reading behind a parked request, and goes on after it", async () => {
    connection.onData(heartbeatFrame(1, "g"));
    const next = produceFrame(2, "a", { bytes: 2 * MIB });
    connection.onData(next.subarray(0, MIB / 8));
    expect(peer.isPaused).toBe(false);
    connection.onData(next.subarray(MIB / 8, MIB));
    expect(peer.isPaused).toBe(true);
    heartbeats[0]?.();
    await settle();
    expect(peer.isPaused).toBe(false);
    connection.onData(next.subarray(MIB));
    expect(started).toEqual(["heartbeat g", "produce a"]);
  });

  it("stops starting requests while too many bytes of them wait, and goes on after", () => {
    const large = produceFrame(1, "a", { bytes: 8 * MIB });
    for (let count = 0; count < 9; count += 1) connection.onData(large);
    expect(started).toHaveLength(8);
    expect(peer.isPaused).toBe(true);
    answer("a");
    expect(started).toHaveLength(9);
    expect(peer.isPaused).toBe(false);
  });

  it("takes one request that is larger than what may wait", () => {
    connection.onData(produceFrame(1, "a", { bytes: 90 * MIB }));
    expect(started).toEqual(["produce a"]);
  });

  it("stops starting requests while the client does not read its answers", () => {
    peer.hasRoom = false;
    connection.onData(Buffer.concat([produceFrame(1, "a"), produceFrame(2, "b")]));
    answer("a");
    connection.onData(produceFrame(3, "c"));
    expect(started).toEqual(["produce a", "produce b"]);
    connection.onData(produceFrame(4, "d", { bytes: 2 * MIB }).subarray(0, MIB));
    expect(peer.isPaused).toBe(true);
    peer.hasRoom = true;
    connection.onDrain();
    expect(started).toEqual(["produce a", "produce b", "produce c"]);
    expect(peer.isPaused).toBe(false);
  });

  it("is active while a request is in work, and idle when its client is silent", async () => {
    connection.onData(heartbeatFrame(1, "g"));
    nowMs = 900_000;
    expect(connection.activeMs).toBe(900_000);
    heartbeats[0]?.();
    await settle();
    nowMs = 2_000_000;
    expect(connection.activeMs).toBe(900_000);
  });

  it("is idle while the client does not read, whatever is in work", () => {
    peer.hasRoom = false;
    connection.onData(Buffer.concat([produceFrame(1, "a"), produceFrame(2, "b")]));
    answer("a");
    nowMs = 900_000;
    expect(connection.activeMs).toBe(1_000);
  });

  it("reads a large request only with a share of the memory of all", () => {
    const large = produceFrame(1, "a", { bytes: 90 * MIB });
    const other = new FakeConnection();
    const [second, third] = [open(new FakeConnection()), open(other)];
    connection.onData(large.subarray(0, 89 * MIB));
    second.onData(large.subarray(0, MIB));
    third.onData(large.subarray(0, MIB));
    expect([peer.isPaused, other.isPaused]).toEqual([false, true]);
    connection.onData(large.subarray(89 * MIB));
    expect(other.isPaused).toBe(true);
    // What was on its way already changes nothing.
    third.onData(large.subarray(MIB));
    expect(started).toEqual(["produce a"]);
    answer("a");
    expect(other.isPaused).toBe(false);
    expect(started).toEqual(["produce a", "produce a"]);
    for (const one of [connection, second, third]) one.close();
    expect([budget.usedBytes, budget.hasWaiting]).toEqual([0, false]);
  });

  it("stalls when a large request comes too slowly for those who wait", () => {
    const large = produceFrame(1, "a", { bytes: 90 * MIB });
    connection.onData(large.subarray(0, MIB));
    nowMs += 30_000;
    expect(connection.isStalling(nowMs)).toBe(false);
    nowMs += 20_000;
    expect(connection.isStalling(nowMs)).toBe(true);
    connection.onData(large.subarray(MIB, 4 * MIB));
    expect(connection.isStalling(nowMs)).toBe(false);
    connection.onData(large.subarray(4 * MIB));
    nowMs += 600_000;
    expect(connection.isStalling(nowMs)).toBe(false);
  });
});
