import { streamRoute, unaryRoute } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import { askMethod, EchoWorld, type Heard, PORT, talkMethod } from "../testing/echo-world.js";

const LONG = { timeoutMs: 60_000 };
const echo = unaryRoute(askMethod, async (request) => request + 1);

/** Two nodes with a stream from "a" to "b", over which each has sent one message. */
async function talking(seed: number, options = {}) {
  const test = new EchoWorld({ seed, ...options });
  const { world } = test;
  const atServer = test.heard();
  const atClient = test.heard();
  const streams: { send(message: number): boolean }[] = [];
  const talk = streamRoute(talkMethod, (stream) => {
    streams.push(stream);
    stream.send(0);
    return atServer;
  });
  await test.start("b", [echo, talk]);
  const a = await test.start("a");
  const client = a.transport.open(`b:${PORT}`, talkMethod, atClient);
  client.send(0);
  await world.runUntil(() => atServer.messages.length + atClient.messages.length === 2, {
    withinMs: 1_000,
  });
  const server = streams[0];
  if (server === undefined) throw new Error("the stream did not arrive");
  return { test, world, client, server, atClient, atServer };
}

function reasonOf(heard: Heard): unknown {
  return heard.end?.error === undefined ? undefined : Reflect.get(heard.end.error, "reason");
}

async function reasonOfCall(test: EchoWorld, withinMs = 60_000): Promise<unknown> {
  let reason: unknown;
  let isSettled = false;
  const call = test.portsOf("a").transport.call(`b:${PORT}`, askMethod, 1, LONG);
  call.then(
    () => {
      isSettled = true;
    },
    (error: unknown) => {
      isSettled = true;
      reason = Reflect.get(error as object, "reason");
    },
  );
  await test.world.runUntil(() => isSettled, { withinMs });
  return isSettled ? reason : "nothing";
}

const SEEDS = [1, 2, 3, 4, 5];

describe("a partition", () => {
  it.each(SEEDS)(
    "breaks a stream for both sides once keepalives have failed, seed %i",
    async (seed) => {
      const { test, world, client, server, atClient, atServer } = await talking(seed);
      const fromMs = world.nowMs;
      world.partition([["a"], ["b"]]);
      client.send(1);
      server.send(1);
      await test.pass(9_000);
      expect([atClient.end, atServer.end]).toEqual([undefined, undefined]);
      await test.pass(7_000);
      expect([reasonOf(atClient), reasonOf(atServer)]).toEqual(["broken", "broken"]);
      for (const heard of [atClient, atServer]) {
        expect((heard.end?.atMs ?? 0) - fromMs).toBeGreaterThanOrEqual(10_000);
        expect(heard.messages).toEqual([0]);
      }
    },
  );

  it.each(SEEDS)(
    "that heals in time loses no message and keeps their order, seed %i",
    async (seed) => {
      const { test, world, client, server, atClient, atServer } = await talking(seed);
      client.send(1);
      server.send(1);
      world.partition([["a"], ["b"]]);
      client.send(2);
      server.send(2);
      await test.pass(5_000);
      expect(atServer.messages.includes(2)).toBe(false);
      world.heal();
      client.send(3);
      server.send(3);
      await test.pass(20_000);
      expect(atServer.messages).toEqual([0, 1, 2, 3]);
      expect(atClient.messages).toEqual([0, 1, 2, 3]);
      expect([atClient.end, atServer.end]).toEqual([undefined, undefined]);
    },
  );

  it("one way stops messages in that direction only, until the stream breaks", async () => {
    const { test, world, client, server, atClient, atServer } = await talking(1);
    world.cut("a", "b");
    client.send(1);
    server.send(1);
    await test.pass(1_000);
    expect(atServer.messages).toEqual([0]);
    expect(atClient.messages).toEqual([0, 1]);
    await test.pass(15_000);
    expect([reasonOf(atClient), reasonOf(atServer)]).toEqual(["broken", "broken"]);
  });

  it("makes a new connection fail, after it has tried for a while", async () => {
    const test = new EchoWorld({ seed: 1 });
    await test.start("b", [echo]);
    await test.start("a");
    test.world.partition([["a"], ["b"]]);
    const fromMs = test.world.nowMs;
    expect(await reasonOfCall(test)).toBe("unreachable");
    expect(test.world.nowMs - fromMs).toBeGreaterThanOrEqual(3_000);
    test.world.heal();
    await test.pass(1_000);
    expect(await reasonOfCall(test)).toBeUndefined();
  });

  it("leaves nodes alone that are in none of its groups, or in the same one", async () => {
    const { test, world, client, atServer } = await talking(1);
    await test.start("c");
    world.partition([["a", "b"], ["c"]]);
    client.send(1);
    await test.pass(20_000);
    expect(atServer.messages).toEqual([0, 1]);
    expect(atServer.end).toBeUndefined();
  });
});

describe("a crash", () => {
  it.each(SEEDS)("breaks the peer's streams within milliseconds, seed %i", async (seed) => {
    const { test, world, atClient } = await talking(seed);
    world.crash("b");
    await test.pass(20);
    expect(reasonOf(atClient)).toBe("broken");
    expect(await reasonOfCall(test)).toBe("unreachable");
  });

  it("of the caller is heard by the server", async () => {
    const { test, world, atServer } = await talking(1);
    world.crash("a");
    await test.pass(20);
    expect(reasonOf(atServer)).toBe("broken");
  });

  it("delivers some of what was sent before, and never more than a beginning of it", async () => {
    const counts = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const { test, world, client, atServer } = await talking(seed);
      for (let message = 1; message <= 20; message++) client.send(message);
      world.after(0.2, () => world.crash("a"));
      await test.pass(100);
      expect(atServer.messages).toEqual(atServer.messages.map((_, at) => at));
      counts.add(atServer.messages.length);
    }
    expect(counts.size).toBeGreaterThan(1);
  });

  it("that is silent is noticed by keepalive only", async () => {
    const { test, world, atClient } = await talking(1);
    world.crash("b", { isSilent: true });
    await test.pass(9_900);
    expect(atClient.end).toBeUndefined();
    await test.pass(5_200);
    expect(reasonOf(atClient)).toBe("broken");
    const fromMs = world.nowMs;
    expect(await reasonOfCall(test)).toBe("unreachable");
    expect(world.nowMs - fromMs).toBeGreaterThan(1_000);
  });

  it("that was silent is noticed at once when the machine is back", async () => {
    const { test, world, atClient } = await talking(1);
    world.crash("b", { isSilent: true });
    await test.pass(1_000);
    world.restart("b");
    await test.pass(100);
    expect(reasonOf(atClient)).toBe("broken");
    expect(await reasonOfCall(test)).toBeUndefined();
  });

  it("behind a partition is not noticed before the partition is", async () => {
    const { test, world, atClient } = await talking(1);
    world.partition([["a"], ["b"]]);
    world.crash("b");
    await test.pass(5_000);
    expect(atClient.end).toBeUndefined();
    world.heal();
    await test.pass(100);
    expect(reasonOf(atClient)).toBe("broken");
  });
});

describe("a pause", () => {
  it("keeps messages for the resume when it is short", async () => {
    const { test, world, client, atClient, atServer } = await talking(1);
    world.pause("b");
    client.send(1);
    await test.pass(8_000);
    expect(atServer.messages).toEqual([0]);
    world.resume("b");
    await test.pass(10_000);
    expect(atServer.messages).toEqual([0, 1]);
    expect([atClient.end, atServer.end]).toEqual([undefined, undefined]);
  });

  it("breaks the peer's streams when it is long, and the sleeper learns it when it wakes", async () => {
    const { test, world, atClient, atServer } = await talking(1);
    world.pause("b");
    await test.pass(16_000);
    expect(reasonOf(atClient)).toBe("broken");
    expect(atServer.end).toBeUndefined();
    world.resume("b");
    await test.pass(100);
    expect(reasonOf(atServer)).toBe("broken");
  });

  it("makes a sender feel that nobody reads", async () => {
    const { test, world, client, atServer } = await talking(1, {
      network: { streamWindowBytes: 1_000 },
    });
    world.pause("b");
    let count = 0;
    while (client.send(7)) count++;
    expect(count).toBeLessThan(1_000);
    expect(count).toBeGreaterThan(100);
    await test.pass(1_000);
    expect(atServer.messages.length).toBe(1);
    world.resume("b");
    await test.pass(1_000);
    expect(client.send(7)).toBe(true);
  });
});

describe("the simulated network", () => {
  it("shares no bytes between two nodes", async () => {
    const test = new EchoWorld({ seed: 1 });
    const bytes = { encode: (message: Uint8Array) => message, decode: (b: Uint8Array) => b };
    const method = { path: "/t/B", kind: "unary", request: bytes, response: bytes } as const;
    const seen: Uint8Array[] = [];
    const route = unaryRoute(method, async (request) => {
      seen.push(request);
      return request;
    });
    await test.start("b", [route]);
    const a = await test.start("a");
    const request = Uint8Array.of(1, 2, 3);
    const call = a.transport.call(`b:${PORT}`, method, request, LONG);
    request.fill(9);
    let response: Uint8Array | undefined;
    call.then(
      (answer) => {
        response = answer;
      },
      () => undefined,
    );
    await test.world.runUntil(() => response !== undefined, { withinMs: 1_000 });
    expect(seen[0]).toEqual(Uint8Array.of(1, 2, 3));
    seen[0]?.fill(8);
    expect(response).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("delivers a stream's messages in order, however they are delayed, and others in between", async () => {
    const network = { delayChance: 0.5, delayUs: [1_000, 50_000] } as const;
    const { test, client, atServer } = await talking(1, { network });
    const other = test.heard();
    const a = test.portsOf("a");
    const second = a.transport.open(`b:${PORT}`, talkMethod, other);
    for (let message = 1; message <= 200; message++) {
      client.send(message);
      second.send(1_000 + message);
    }
    await test.pass(60_000);
    const first = atServer.messages.filter((message) => message < 1_000);
    expect(first).toEqual(first.map((_, at) => at));
    expect(atServer.messages.length).toBe(401);
    // Two streams are not in lockstep: what was sent later on one may arrive before the other's.
    const sendOrder = atServer.messages.map((message) => {
      return message < 1_000 ? 2 * message : 2 * (message - 1_000) + 1;
    });
    expect(sendOrder).not.toEqual(sendOrder.toSorted((one, other) => one - other));
  });

  it("breaks a connection as a fault, for both sides", async () => {
    const { test, world, atClient, atServer } = await talking(1);
    expect(world.network.resetOne(world.random("test"))).toBe(true);
    await test.pass(50);
    expect([reasonOf(atClient), reasonOf(atServer)]).toEqual(["broken", "broken"]);
    expect(await reasonOfCall(test)).toBeUndefined();
  });

  it("forgets connections that are over", async () => {
    const { test, world } = await talking(1);
    world.crash("b");
    await test.pass(100);
    expect(world.network.connectionCount).toBe(0);
  });

  it("keeps for both ends the window that a stream was opened with", async () => {
    const test = new EchoWorld({ seed: 1, network: { streamWindowBytes: 1_000 } });
    const atServer = test.heard();
    await test.start("b", [streamRoute(talkMethod, () => atServer)]);
    const a = await test.start("a");
    const client = a.transport.open(`b:${PORT}`, talkMethod, test.heard());
    Object.assign(test.world.network.settings, { streamWindowBytes: 1_000_000 });
    while (client.send(7));
    await test.pass(1_000);
    expect(client.send(7)).toBe(true);
  });

  it("finds a sender that does not heed the window", async () => {
    const network = { streamWindowBytes: 100, streamQueueBytesMax: 1_000 };
    const { world, client } = await talking(1, { network });
    world.pause("b");
    for (let message = 0; message < 2_000; message++) client.send(message);
    expect(world.findings()[0]).toMatchObject({ kind: "contract", node: "a" });
  });
});
