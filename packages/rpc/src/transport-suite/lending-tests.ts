/** Part of the transport suite: messages whose bytes are only lent, and bytes that are given back. */
import { hold, type RpcReceiver, release, streamRoute } from "@strandline/platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { converse, range, SOON_MS } from "./conversation.js";
import { numbered, numberOf, Recorder, talkMethod } from "./methods.js";
import type { OpenTransportWorld, TransportWorld } from "./world.js";

export function lendingTests(open: OpenTransportWorld): void {
  let world: TransportWorld;
  beforeEach(async () => {
    world = await open();
  });
  afterEach(() => world.close());

  const SIZE_BYTES = 300 * 1024;

  /** Holds every other message, and sees what becomes of it. */
  class Borrower implements RpcReceiver<Uint8Array> {
    readonly borrows = true;
    readonly held: Uint8Array[] = [];
    readonly numbers: number[] = [];

    onMessage(message: Uint8Array): void {
      this.numbers.push(numberOf(message));
      if (this.numbers.length % 2 === 0) return;
      hold(message);
      this.held.push(message);
    }

    onEnd(): void {
      // Nothing to tell.
    }
  }

  describe("a receiver that borrows", () => {
    it("reads each message, and keeps those that it holds, on either side", async () => {
      const served = new Borrower();
      const route = streamRoute(talkMethod, (stream) => {
        for (const number of range(0, 20)) stream.send(numbered(number, SIZE_BYTES));
        return served;
      });
      const peer = await world.settle(world.serve([route]));
      const caller = new Borrower();
      const client = world.transport().open(peer.address, talkMethod, caller);
      for (const number of range(0, 20)) client.send(numbered(number, SIZE_BYTES));
      for (const borrower of [served, caller]) {
        await world.until(() => borrower.numbers.length === 20, 10 * SOON_MS);
        expect(borrower.numbers).toEqual(range(0, 20));
        expect(borrower.held.map(numberOf)).toEqual(range(0, 20).filter((each) => each % 2 === 0));
        for (const message of borrower.held) release(message);
      }
      client.abort();
    });
  });

  describe("a sender", () => {
    it("hears when the bytes of a message are not needed any more", async () => {
      const { client, requests } = await converse(world, talkMethod);
      const taken: number[] = [];
      for (const number of range(1, 4)) {
        client.send(numbered(number, SIZE_BYTES), () => taken.push(number));
      }
      await world.until(() => taken.length === 3 && requests.messages.length === 4, 5 * SOON_MS);
      expect(taken).toEqual([1, 2, 3]);
    });

    it("does not hear it of a message that never went out", async () => {
      const transport = world.transport();
      const client = transport.open("127.0.0.1:1", talkMethod, new Recorder());
      let count = 0;
      client.abort();
      client.send(numbered(1), () => {
        count += 1;
      });
      await world.pass(50);
      expect(count).toBe(0);
    });
  });
}
