/** Part of the transport suite: brakes and back-pressure. */
import type { RpcStream } from "@strandline/platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { converse, range, SOON_MS } from "./conversation.js";
import { numbered, talkMethod } from "./methods.js";
import type { OpenTransportWorld, TransportWorld } from "./world.js";

export function flowTests(open: OpenTransportWorld): void {
  let world: TransportWorld;
  beforeEach(async () => {
    world = await open();
  });
  afterEach(() => world.close());

  const SIZE_BYTES = 256 * 1024;
  /** More than any bound between two processes, and still a test's worth. */
  const SENT_MAX = 512;

  /** Sends until it is told to stop; returns the next number. */
  function fill(stream: RpcStream<Uint8Array>): number {
    let next = 1;
    while (next < SENT_MAX && stream.send(numbered(next, SIZE_BYTES))) next += 1;
    return next + 1;
  }

  describe.each(["client", "server"] as const)("a %s that sends too fast", (side) => {
    it("is told to stop, goes on when the other side reads, and loses nothing", async () => {
      const conversation = await converse(world, talkMethod);
      const { client, server, answers, requests } = conversation;
      const [sender, reader, received, drained] =
        side === "client"
          ? [client, server, requests, answers]
          : [server, client, answers, requests];
      reader.pause();
      const before = received.messages.length;
      let next = 1;
      let rounds = 0;
      // Buffers on the way take some; then nothing moves any more.
      for (; rounds < 100; rounds += 1) {
        const drains = drained.drains;
        next += fill(sender) - 1;
        await world.pass(30);
        if (drained.drains === drains) break;
      }
      expect(rounds).toBeLessThan(100);
      expect(received.messages.length - before).toBeLessThan(4);
      const stalled = drained.drains;
      reader.resume();
      await world.until(() => drained.drains > stalled, 5000);
      sender.end();
      await world.until(() => received.hasEnded, 20_000);
      expect(received.messages.length - before).toBe(next - 1);
      expect(received.late + drained.late).toBe(0);
    });
  });

  describe("a paused stream", () => {
    it("gets the rest of its messages, and then its end, after it resumes", async () => {
      const { client, server, answers } = await converse(world, talkMethod);
      client.pause();
      for (const number of range(0, 50)) server.send(numbered(number));
      server.end();
      await world.pass(100);
      expect(answers.hasEnded).toBe(false);
      expect(answers.messages.length).toBeLessThan(4);
      client.resume();
      await world.until(() => answers.hasEnded, SOON_MS);
      expect(answers.numbers).toEqual(range(0, 50));
    });

    it("can be paused from within a message", async () => {
      const { client, server, requests } = await converse(world, talkMethod);
      const original = requests.onMessage.bind(requests);
      requests.onMessage = (message) => {
        original(message);
        server.pause();
      };
      for (const number of range(1, 5)) client.send(numbered(number));
      await world.pass(100);
      expect(requests.messages.length).toBeLessThan(5);
      for (let count = requests.messages.length; count < 5; count += 1) {
        server.resume();
        await world.until(() => requests.messages.length > count, SOON_MS);
      }
      expect(requests.numbers).toEqual(range(0, 5));
    });

    it("still hears that its peer has gone", async () => {
      const first = await converse(world, talkMethod);
      first.server.pause();
      fill(first.client);
      await world.pass(50);
      first.client.abort();
      await world.until(() => first.requests.hasEnded, SOON_MS);
      expect(first.requests.late).toBe(0);

      const second = await converse(world, talkMethod);
      second.client.pause();
      fill(second.server);
      await world.pass(50);
      second.peer.vanish();
      await world.until(() => second.answers.hasEnded && second.requests.hasEnded, SOON_MS);
      expect(second.answers.reason).toBe("broken");
    });

    it("does not keep an abort from ending it", async () => {
      const { client, server, answers, requests } = await converse(world, talkMethod);
      client.pause();
      fill(server);
      await world.pass(50);
      server.abort();
      await world.until(() => requests.hasEnded && answers.hasEnded, 3000);
      expect(answers.ends[0]).toBeInstanceOf(Error);
      expect(answers.late).toBe(0);
    });
  });
}
