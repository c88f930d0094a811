/** What happens to calls and streams when processes die and networks fail. */
import dns from "node:dns";
import { nullLogger, streamRoute, unaryRoute } from "@strandline/platform";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startHttp2Client, startHttp2Server } from "../testing/child.js";
import { CuttableProxy } from "../testing/cuttable-proxy.js";
import { startSilentListener } from "../testing/silent-listener.js";
import { askMethod, numbered, numberOf, Recorder, talkMethod } from "../transport-suite/methods.js";
import { DEFAULT_TIMINGS } from "./channel-options.js";
import { GrpcTransport } from "./grpc-transport.js";

const HOST = "127.0.0.1";
const SHORT = { keepaliveMs: 200, keepaliveTimeoutMs: 200, openTimeoutMs: 300 };

const closing: (() => Promise<void> | void)[] = [];

function transportOf(timings = {}): GrpcTransport {
  const transport = new GrpcTransport({ logger: nullLogger, timings });
  closing.push(() => transport.close());
  return transport;
}

/** As that of a node to its peers. */
function peerTransportOf(timings = {}): GrpcTransport {
  const transport = new GrpcTransport({ logger: nullLogger, followsNames: true, timings });
  closing.push(async () => await transport.close());
  return transport;
}

/** Every name leads to HOST, until told otherwise. A stream's first connection does not ask here. */
function spyOnNames() {
  const lookup = vi.spyOn(dns.promises, "lookup");
  closing.push(() => lookup.mockRestore());
  const leadTo = (address: string) => lookup.mockResolvedValue([{ address, family: 4 }] as never);
  leadTo(HOST);
  return { leadTo, forget: () => lookup.mockRejectedValue(new Error("no such name")) };
}

/** When the transport would find a dead peer by itself. */
const KEEPALIVE_MS = 10_000;

/** Waits for the end of what the recorder records; returns how long it took. Milliseconds. */
async function untilEnd(recorder: Recorder, withinMs: number): Promise<number> {
  const from = performance.now();
  while (!recorder.hasEnded) {
    if (performance.now() - from > withinMs) throw new Error(`no end within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return performance.now() - from;
}

/** Serves an echo, and streams that greet with message 0 and record. */
async function listening(requests: Recorder, timings = {}) {
  const routes = [
    streamRoute(talkMethod, (stream) => {
      stream.send(numbered(0));
      return requests;
    }),
    unaryRoute(askMethod, async (request) => request),
  ];
  const listener = await transportOf(timings).listen(HOST, 0, routes);
  closing.push(() => listener.close());
  return listener;
}

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe("a process that is killed", () => {
  it("as a server breaks its callers' streams, long before a keepalive would notice", async () => {
    const child = await startHttp2Server();
    const answers = new Recorder();
    const transport = transportOf();
    transport.open(`${HOST}:${child.greeting}`, talkMethod, answers).send(numbered(1));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answers.hasEnded).toBe(false);
    await child.kill();
    await untilEnd(answers, KEEPALIVE_MS / 2);
    expect(answers.reason).toBe("broken");
  });

  it("as a caller breaks its streams at the server, long before a keepalive would notice", async () => {
    const requests = new Recorder();
    const listener = await listening(requests);
    const child = await startHttp2Client(`${HOST}:${listener.port}`, talkMethod.path);
    expect(requests.hasEnded).toBe(false);
    await child.kill();
    await untilEnd(requests, KEEPALIVE_MS / 2);
    expect(requests.reason).toBe("broken");
  });
});

describe("an address where nobody answers", () => {
  it("is given up soon, so that the name is looked up again", async () => {
    const silent = await startSilentListener();
    closing.push(async () => await silent.close());
    const answers = new Recorder();
    transportOf().open(`${HOST}:${silent.port}`, talkMethod, answers);
    await untilEnd(answers, DEFAULT_TIMINGS.openTimeoutMs - 1_000);
    expect(answers.reason).toBe("unreachable");
  });
});

describe("a name that leads elsewhere", () => {
  it("is looked up again for calls after a loss, though somebody answers at the old address", async () => {
    let addresses = ["127.0.0.1"];
    const lookup = vi.spyOn(dns.promises, "lookup").mockImplementation((async () => {
      // As the names of containers: unknown while theirs is down.
      if (addresses.length === 0) throw new Error("no such name");
      return addresses.map((address) => ({ address, family: 4 }));
    }) as never);
    closing.push(() => lookup.mockRestore());
    const wanted = numbered(1);
    const answering = async (host: string, port: number, answer: Uint8Array) =>
      await transportOf().listen(host, port, [unaryRoute(askMethod, async () => answer)]);
    const before = await answering("127.0.0.1", 0, wanted);
    const { port } = before;
    const transport = transportOf();
    const ask = async () =>
      await transport.call(`broker.test:${port}`, askMethod, numbered(0), { timeoutMs: 5_000 });
    expect(numberOf(await ask())).toBe(1);
    await before.close();
    addresses = [];
    await expect(ask()).rejects.toMatchObject({ name: "TransportError" });
    const stranger = await answering("127.0.0.1", port, numbered(2));
    closing.push(() => stranger.close());
    const after = await answering("127.0.0.2", port, wanted);
    closing.push(() => after.close());
    addresses = ["127.0.0.2"];
    // The attempts before it may fail: a lost peer is not tried again at once.
    const answer = await vi.waitFor(ask, { timeout: 5_000 });
    expect(numberOf(answer)).toBe(1);
  });

  it("takes a peer's streams along, though a stranger answers at the old address", async () => {
    const names = spyOnNames();
    const strangers = new Recorder();
    const stranger = await transportOf().listen(HOST, 0, [
      streamRoute(talkMethod, () => strangers),
    ]);
    closing.push(async () => await stranger.close());
    const answers = new Recorder();
    const transport = peerTransportOf({ keepaliveMs: 50 });
    transport.open(`localhost:${stranger.port}`, talkMethod, answers).send(numbered(1));
    await vi.waitFor(() => expect(strangers.numbers).toEqual([1]));
    names.forget();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(answers.hasEnded).toBe(false);
    names.leadTo("127.0.0.2");
    await untilEnd(answers, 5_000);
    expect(answers.reason).toBe("broken");
  });

  it("is asked again soon while it is not known, as that of a container that is down", async () => {
    const names = spyOnNames();
    names.forget();
    const stranger = await listening(new Recorder());
    const answers = new Recorder();
    peerTransportOf().open(`localhost:${stranger.port}`, talkMethod, answers);
    await vi.waitFor(() => expect(answers.numbers).toEqual([0]));
    names.leadTo("127.0.0.2");
    await untilEnd(answers, DEFAULT_TIMINGS.keepaliveMs / 2);
    expect(answers.reason).toBe("broken");
  });

  it("takes a peer's calls along, though a stranger answers at the old address", async () => {
    const names = spyOnNames();
    const answering = async (host: string, port: number, answer: number) => {
      const routes = [
        unaryRoute(askMethod, async (request) =>
          // A question to which no answer comes.
          numberOf(request) === 9 ? await new Promise<never>(() => undefined) : numbered(answer),
        ),
      ];
      const listener = await transportOf().listen(host, port, routes);
      closing.push(async () => await listener.close());
      return listener.port;
    };
    const port = await answering(HOST, 0, 1);
    await answering("127.0.0.2", port, 2);
    const transport = peerTransportOf({ keepaliveMs: 50 });
    const ask = async (question: number) =>
      await transport.call(`broker.test:${port}`, askMethod, numbered(question), {
        timeoutMs: 60_000,
      });
    expect(numberOf(await ask(0))).toBe(1);
    const unanswered = ask(9);
    names.leadTo("127.0.0.2");
    await expect(unanswered).rejects.toMatchObject({ reason: "broken" });
    expect(numberOf(await ask(0))).toBe(2);
  });
});

describe("a network that falls silent", () => {
  it("breaks streams on both sides when no sign of life comes", async () => {
    const requests = new Recorder();
    const listener = await listening(requests, SHORT);
    const proxy = await CuttableProxy.open(0, listener.port);
    closing.unshift(() => proxy.cut());
    const answers = new Recorder();
    transportOf(SHORT).open(`${HOST}:${proxy.port}`, talkMethod, answers).send(numbered(1));
    while (answers.messages.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    proxy.silence();
    await untilEnd(answers, 2000);
    await untilEnd(requests, 2000);
    expect([answers.reason, requests.reason]).toEqual(["broken", "broken"]);
  });

  it("does not let the opening of a stream wait for ever", async () => {
    const listener = await listening(new Recorder());
    const proxy = await CuttableProxy.open(0, listener.port);
    closing.unshift(() => proxy.cut());
    proxy.silence();
    const answers = new Recorder();
    transportOf(SHORT).open(`${HOST}:${proxy.port}`, talkMethod, answers);
    expect(await untilEnd(answers, 2000)).toBeGreaterThan(250);
    expect(answers.reason).toBe("unreachable");
  });

  it("is given up by timed-out calls, which then connect afresh", async () => {
    const listener = await listening(new Recorder());
    const silent = await CuttableProxy.open(0, listener.port);
    silent.silence();
    const { port } = silent;
    const transport = transportOf();
    const call = (timeoutMs: number) =>
      transport.call(`${HOST}:${port}`, askMethod, numbered(1), { timeoutMs });
    for (let count = 0; count < 4; count += 1) {
      await expect(call(200)).rejects.toMatchObject({ name: "TransportError" });
    }
    // The silent connections stay open; only a fresh one gets through.
    silent.stopListening();
    const open = await CuttableProxy.open(port, listener.port);
    closing.unshift(() => open.cut());
    closing.unshift(() => silent.cut());
    let failures = 0;
    const counted = () => {
      failures += 1;
    };
    while ((await call(200).catch(counted)) === undefined) expect(failures).toBeLessThan(7);
  });
});

describe("a transport", () => {
  it("does not keep the address of a peer that cannot be resolved from failing soon", async () => {
    const call = transportOf().call("no-such-host.invalid:1", askMethod, numbered(1), {
      timeoutMs: 5000,
    });
    await expect(call).rejects.toMatchObject({ reason: "unreachable" });
  });

  it("can be closed twice, and calls nobody afterwards", async () => {
    const listener = await listening(new Recorder());
    const transport = transportOf();
    const address = `${HOST}:${listener.port}`;
    await transport.call(address, askMethod, numbered(1), { timeoutMs: 1000 });
    await transport.close();
    await transport.close();
    const late = transport.call(address, askMethod, numbered(1), { timeoutMs: 1000 });
    await expect(late).rejects.toMatchObject({ reason: "unreachable" });
  });
});
