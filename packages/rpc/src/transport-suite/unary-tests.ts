/** Part of the transport suite: unary calls. */
import { BrokerError } from "@strandline/model";
import { TransportError, unaryRoute } from "@strandline/platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askMethod, MALFORMED, numbered, numberOf, talkMethod } from "./methods.js";
import type { OpenTransportWorld, TransportWorld } from "./world.js";

const LONG = { timeoutMs: 10_000 };
const echo = unaryRoute(askMethod, async (request) => request);

/** Never answers; keeps the signals of the calls it holds. */
function holding() {
  const signals: AbortSignal[] = [];
  const route = unaryRoute(askMethod, (_request, _peer, signal) => {
    signals.push(signal);
    return new Promise<never>(() => undefined);
  });
  return { route, signals };
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** The call's failure, which must come within the time. */
async function failureWithin(
  world: TransportWorld,
  promise: Promise<unknown>,
  withinMs: number,
): Promise<unknown> {
  let isSettled = false;
  const failure = failureOf(promise).finally(() => {
    isSettled = true;
  });
  await world.until(() => isSettled, withinMs);
  return world.settle(failure);
}

export function unaryTests(open: OpenTransportWorld): void {
  let world: TransportWorld;
  beforeEach(async () => {
    world = await open();
  });
  afterEach(() => world.close());

  describe("a unary call", () => {
    it("brings the handler's answer, of any size", async () => {
      const peer = await world.settle(world.serve([echo]));
      const transport = world.transport();
      for (const sizeBytes of [4, 70_000, 3 * 1024 * 1024]) {
        const request = numbered(7, sizeBytes);
        const answer = await world.settle(transport.call(peer.address, askMethod, request, LONG));
        expect(answer.length).toBe(sizeBytes);
        expect(numberOf(answer)).toBe(7);
      }
      const empty = transport.call(peer.address, askMethod, new Uint8Array(0), LONG);
      expect((await world.settle(empty)).length).toBe(0);
    });

    it("tells the handler where it came from", async () => {
      let from = "";
      const route = unaryRoute(askMethod, async (request, peer) => {
        from = peer.address;
        return request;
      });
      const peer = await world.settle(world.serve([route]));
      await world.settle(world.transport().call(peer.address, askMethod, numbered(1), LONG));
      expect(from).toMatch(/.+:\d+$/);
    });

    it("brings the handler's refusal, equal in code and message", async () => {
      const refusal = new BrokerError("NOT_ENOUGH_REPLICAS", "1 of 2 in sync: “ü” 100%");
      const route = unaryRoute(askMethod, () => Promise.reject(refusal));
      const peer = await world.settle(world.serve([route]));
      const call = world.transport().call(peer.address, askMethod, numbered(1), LONG);
      const error = await world.settle(failureOf(call));
      expect(error).toBeInstanceOf(BrokerError);
      expect(error).toMatchObject({ code: refusal.code, message: refusal.message });
      expect((error as BrokerError).retriable).toBe(true);
    });

    it("keeps the text of any other failure from the caller", async () => {
      const route = unaryRoute(askMethod, () => {
        throw new TypeError("secret of the server");
      });
      const peer = await world.settle(world.serve([route]));
      const call = world.transport().call(peer.address, askMethod, numbered(1), LONG);
      const error = await world.settle(failureOf(call));
      expect(error).toMatchObject({ name: "BrokerError", code: "UNKNOWN_SERVER_ERROR" });
      expect(String(error)).not.toContain("secret");
    });

    it("is refused when the request is malformed, or the method not served", async () => {
      const peer = await world.settle(world.serve([echo]));
      const transport = world.transport();
      const malformed = transport.call(peer.address, askMethod, Uint8Array.of(MALFORMED), LONG);
      expect(await world.settle(failureOf(malformed))).toMatchObject({ code: "INVALID_REQUEST" });
      const unserved = { ...talkMethod, kind: "unary" } as const;
      const unknown = transport.call(peer.address, unserved, numbered(1), LONG);
      expect(await world.settle(failureOf(unknown))).toMatchObject({ code: "UNSUPPORTED_VERSION" });
    });

    it("ends at its deadline, and the handler hears of it", async () => {
      const { route, signals } = holding();
      const peer = await world.settle(world.serve([route]));
      const options = { timeoutMs: 150 };
      const call = world.transport().call(peer.address, askMethod, numbered(1), options);
      const error = await world.settle(failureOf(call));
      expect(error).toBeInstanceOf(TransportError);
      expect(error).toMatchObject({ reason: "timeout" });
      await world.until(() => signals[0]?.aborted === true, 1000);
    });

    it("that has no time, or is aborted at once, leaves nothing behind", async () => {
      const { route, signals } = holding();
      const peer = await world.settle(world.serve([route]));
      const transport = world.transport();
      for (let count = 0; count < 200; count += 1) {
        const stop = new AbortController();
        const options = { ...LONG, signal: stop.signal };
        const call = failureOf(transport.call(peer.address, askMethod, numbered(1), options));
        stop.abort();
        expect(await world.settle(call)).toMatchObject({ reason: "aborted" });
        const late = transport.call(peer.address, askMethod, numbered(1), { timeoutMs: 0 });
        expect(await world.settle(failureOf(late))).toMatchObject({ reason: "timeout" });
      }
      await world.until(() => signals.every((signal) => signal.aborted), 1000);
      const call = transport.call(peer.address, askMethod, numbered(1), { timeoutMs: 300 });
      const before = signals.length;
      expect(await world.settle(failureOf(call))).toMatchObject({ reason: "timeout" });
      expect(signals.length).toBe(before + 1);
    });

    it("ends when its signal says so, and the handler hears of it", async () => {
      const { route, signals } = holding();
      const peer = await world.settle(world.serve([route]));
      const stop = new AbortController();
      const options = { ...LONG, signal: stop.signal };
      const call = failureOf(world.transport().call(peer.address, askMethod, numbered(1), options));
      await world.until(() => signals.length === 1, 1000);
      stop.abort();
      expect(await world.settle(call)).toMatchObject({ reason: "aborted" });
      await world.until(() => signals[0]?.aborted === true, 1000);
      const late = world.transport().call(peer.address, askMethod, numbered(1), options);
      expect(await world.settle(failureOf(late))).toMatchObject({ reason: "aborted" });
    });

    it("fails soon where nobody listens, and works soon after somebody does", async () => {
      const peer = await world.settle(world.serve([echo]));
      peer.vanish();
      const transport = world.transport();
      const attempt = () => transport.call(peer.address, askMethod, numbered(1), LONG);
      for (let count = 0; count < 20; count += 1) {
        const error = await failureWithin(world, attempt(), 1000);
        expect(error).toMatchObject({ reason: "unreachable" });
        await world.pass(50);
      }
      await world.settle(world.serve([echo], peer.port));
      let isAnswered = false;
      const retry = async () => {
        while (!isAnswered) {
          isAnswered = (await failureOf(attempt())) === undefined;
          if (!isAnswered) await world.pass(10);
        }
      };
      const retrying = retry();
      await world.until(() => isAnswered, 1000);
      await world.settle(retrying);
    });

    it("fails at once when the peer vanishes under it", async () => {
      const { route, signals } = holding();
      const peer = await world.settle(world.serve([route]));
      const call = world.transport().call(peer.address, askMethod, numbered(1), LONG);
      call.catch(() => undefined);
      await world.until(() => signals.length === 1, 1000);
      peer.vanish();
      const error = await failureWithin(world, call, 500);
      expect(error).toMatchObject({ name: "TransportError", reason: "broken" });
    });

    it("ends as aborted when its transport closes", async () => {
      const { route, signals } = holding();
      const peer = await world.settle(world.serve([route]));
      const transport = world.transport();
      const call = failureOf(transport.call(peer.address, askMethod, numbered(1), LONG));
      await world.until(() => signals.length === 1, 1000);
      await world.settle(transport.close());
      expect(await world.settle(call)).toMatchObject({ reason: "aborted" });
      const late = failureOf(transport.call(peer.address, askMethod, numbered(1), LONG));
      expect(await world.settle(late)).toBeInstanceOf(TransportError);
    });
  });
}
