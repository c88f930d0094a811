/** Part of the transport suite: listeners. */
import { streamRoute, TransportError, unaryRoute } from "@strandline/platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askMethod, numbered, numberOf, Recorder, talkMethod } from "./methods.js";
import type { OpenTransportWorld, TransportWorld } from "./world.js";

const SOON_MS = 1000;
const LONG = { timeoutMs: 10_000 };
const echo = unaryRoute(askMethod, async (request) => request);

export function listenerTests(open: OpenTransportWorld): void {
  let world: TransportWorld;
  beforeEach(async () => {
    world = await open();
  });
  afterEach(() => world.close());

  describe("a listener", () => {
    it("refuses a port that is taken, and names it", async () => {
      const peer = await world.settle(world.serve([echo]));
      const { port } = peer.listener;
      const second = world.transport().listen(peer.host, port, [echo]);
      const error = await world.settle(second.then(undefined, (failure: unknown) => failure));
      expect(error).toBeInstanceOf(TransportError);
      expect(error).toMatchObject({ reason: "address-in-use" });
      expect(String(error)).toContain(String(port));
    });

    it("that closes ends its streams, refuses calls and frees its port", async () => {
      const requests = new Recorder();
      const talk = streamRoute(talkMethod, () => requests);
      const server = world.transport();
      const { host } = await world.settle(world.serve([]));
      const listener = await world.settle(server.listen(host, 0, [echo, talk]));
      const address = `${host}:${listener.port}`;
      const client = world.transport();
      const answers = new Recorder();
      client.open(address, talkMethod, answers).send(numbered(1));
      await world.until(() => requests.messages.length === 1, SOON_MS);
      const closing = [listener.close(), listener.close()];
      await world.until(() => answers.hasEnded && requests.hasEnded, SOON_MS);
      expect(answers.ends[0]).toBeInstanceOf(TransportError);
      await world.settle(Promise.all(closing));
      const call = client.call(address, askMethod, numbered(1), LONG);
      const error = await world.settle(call.then(undefined, (failure: unknown) => failure));
      expect(error).toBeInstanceOf(TransportError);
      const again = await world.settle(server.listen(host, listener.port, [echo]));
      expect(again.port).toBe(listener.port);
      await world.settle(again.close());
    });

    it("that closes lets a call in progress come to its end", async () => {
      let answer: (() => void) | undefined;
      const slow = unaryRoute(askMethod, async (request) => {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return request;
      });
      const peer = await world.settle(world.serve([slow]));
      const call = world.transport().call(peer.address, askMethod, numbered(5), LONG);
      await world.until(() => answer !== undefined, SOON_MS);
      const closing = peer.listener.close();
      await world.pass(20);
      answer?.();
      expect(numberOf(await world.settle(call))).toBe(5);
      await world.settle(closing);
    });

    it("that closes does not wait for a call that never ends", async () => {
      let isHeld = false;
      const held = unaryRoute(askMethod, () => {
        isHeld = true;
        return new Promise<never>(() => undefined);
      });
      const peer = await world.settle(world.serve([held]));
      const call = world.transport().call(peer.address, askMethod, numbered(5), LONG);
      const failed = call.then(undefined, (failure: unknown) => failure);
      await world.until(() => isHeld, SOON_MS);
      let isClosed = false;
      const closing = peer.listener.close().then(() => {
        isClosed = true;
      });
      await world.until(() => isClosed, 3000);
      await world.settle(closing);
      expect(await world.settle(failed)).toBeInstanceOf(TransportError);
    });

    it("serves many callers at once", async () => {
      const peer = await world.settle(world.serve([echo]));
      const transports = [world.transport(), world.transport(), world.transport()];
      const calls = Array.from({ length: 300 }, (_, index) => {
        const transport = transports[index % 3] as (typeof transports)[0];
        return transport.call(peer.address, askMethod, numbered(index), LONG);
      });
      const answers = await world.settle(Promise.all(calls));
      expect(answers.map(numberOf)).toEqual(answers.map((_, index) => index));
    });
  });
}
