/** Part of the transport suite: streams. */
import { BrokerError } from "@strandline/model";
import { streamRoute } from "@strandline/platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { converse, range, recording, SOON_MS } from "./conversation.js";
import { listMethod, MALFORMED, numbered, Recorder, talkMethod } from "./methods.js";
import type { OpenTransportWorld, TransportWorld } from "./world.js";

export function streamTests(open: OpenTransportWorld): void {
  let world: TransportWorld;
  beforeEach(async () => {
    world = await open();
  });
  afterEach(() => world.close());

  describe("a bidirectional stream", () => {
    it("carries messages both ways, in order, until both sides have ended", async () => {
      const { client, answers, server, requests } = await converse(world, talkMethod);
      for (const number of range(1, 200)) client.send(numbered(number));
      for (const number of range(0, 200)) server.send(numbered(number, 1000));
      client.end();
      await world.until(() => requests.hasEnded && answers.messages.length === 200, SOON_MS);
      expect(requests.numbers).toEqual(range(0, 200));
      expect(requests.ends).toEqual([undefined]);
      expect(answers.hasEnded).toBe(false);
      server.send(numbered(200));
      server.end();
      await world.until(() => answers.hasEnded, SOON_MS);
      expect(answers.numbers).toEqual(range(0, 201));
      expect(answers.ends).toEqual([undefined]);
    });

    it("ends for both when the server ends it, and says so once", async () => {
      const { client, answers, server, requests } = await converse(world, talkMethod);
      server.send(numbered(1));
      server.end();
      await world.until(() => answers.hasEnded && requests.hasEnded, SOON_MS);
      expect(answers.numbers).toEqual([1]);
      expect([answers.ends, requests.ends]).toEqual([[undefined], [undefined]]);
      client.send(numbered(2));
      server.send(numbered(3));
      client.end();
      client.abort();
      server.abort(new Error("too late"));
      await world.pass(50);
      expect([answers.late, requests.late, answers.ends.length]).toEqual([0, 0, 1]);
    });

    it("ends with the server's refusal", async () => {
      const { answers, server, requests } = await converse(world, talkMethod);
      server.abort(new BrokerError("FENCED_LEADER_EPOCH", "epoch 3 is over"));
      await world.until(() => answers.hasEnded && requests.hasEnded, SOON_MS);
      const refusal = { code: "FENCED_LEADER_EPOCH", message: "epoch 3 is over" };
      expect(answers.ends).toMatchObject([refusal]);
      expect(requests.ends).toMatchObject([refusal]);
      expect([answers.late, requests.late]).toEqual([0, 0]);
    });

    it("ends as aborted when the server gives no reason", async () => {
      const { answers, server, requests } = await converse(world, talkMethod);
      server.abort();
      expect(requests.hasEnded).toBe(false);
      await world.until(() => answers.hasEnded && requests.hasEnded, SOON_MS);
      expect([answers.reason, requests.reason]).toEqual(["aborted", "aborted"]);
    });

    it("ends for the server when the client aborts, and brings it nothing more", async () => {
      const { client, answers, server, requests } = await converse(world, talkMethod);
      server.send(numbered(1));
      const why = new Error("changed my mind");
      client.abort(why);
      expect(answers.hasEnded).toBe(false);
      await world.until(() => answers.hasEnded && requests.hasEnded, SOON_MS);
      expect(answers.ends).toEqual([why]);
      // An error as a rule; a network may also let it look like the end of the messages.
      expect(requests.ends.length).toBe(1);
      server.send(numbered(2));
      await world.pass(50);
      expect([answers.late, requests.late]).toEqual([0, 0]);
    });

    it("that is aborted as soon as it was opened leaves nothing behind", async () => {
      const { route, served } = recording(talkMethod);
      const peer = await world.settle(world.serve([route]));
      const transport = world.transport();
      for (let count = 0; count < 300; count += 1) {
        const stream = transport.open(peer.address, talkMethod, new Recorder());
        stream.send(numbered(count));
        stream.abort();
        if (count % 10 === 0) await world.pass(1);
      }
      const last = new Recorder();
      transport.open(peer.address, talkMethod, last).send(numbered(300));
      await world.until(() => served.at(-1)?.recorder.numbers[0] === 300, SOON_MS);
      const others = served.slice(0, -1).map(({ recorder }) => recorder);
      await world.until(() => others.every((each) => each.hasEnded), SOON_MS);
      expect(last.hasEnded).toBe(false);
    });

    it("ends when a receiver fails over a message, and hides the server's failure", async () => {
      const failing = streamRoute(talkMethod, () => ({
        onMessage: () => {
          throw new TypeError("secret of the server");
        },
        onEnd: () => undefined,
      }));
      const peer = await world.settle(world.serve([failing]));
      const answers = new Recorder();
      world.transport().open(peer.address, talkMethod, answers).send(numbered(1));
      await world.until(() => answers.hasEnded, SOON_MS);
      expect(answers.ends).toMatchObject([{ code: "UNKNOWN_SERVER_ERROR" }]);
      expect(String(answers.ends[0])).not.toContain("secret");
    });

    it("ends with the refusal of a handler that takes no stream, or cannot read it", async () => {
      const refusing = streamRoute(talkMethod, () => {
        throw new BrokerError("INCONSISTENT_CLUSTER_ID", "another cluster");
      });
      const peer = await world.settle(world.serve([refusing]));
      const answers = new Recorder();
      world.transport().open(peer.address, talkMethod, answers);
      await world.until(() => answers.hasEnded, SOON_MS);
      expect(answers.ends).toMatchObject([{ code: "INCONSISTENT_CLUSTER_ID" }]);

      const conversation = await converse(world, talkMethod);
      conversation.client.send(Uint8Array.of(MALFORMED));
      await world.until(() => conversation.answers.hasEnded, SOON_MS);
      expect(conversation.answers.ends).toMatchObject([{ code: "INVALID_REQUEST" }]);
      expect(conversation.requests.ends.length).toBe(1);
    });

    it("that meets nobody fails after `open` has returned", async () => {
      const { peer, answers: first } = await converse(world, talkMethod);
      peer.vanish();
      await world.until(() => first.hasEnded, 500);
      expect(first.reason).toBe("broken");
      const second = new Recorder();
      const stream = world.transport().open(peer.address, talkMethod, second);
      stream.send(numbered(1));
      expect(second.hasEnded).toBe(false);
      await world.until(() => second.hasEnded, SOON_MS);
      expect(second.reason).toBe("unreachable");
    });

    it("breaks for the server too when its peer vanishes", async () => {
      const { peer, answers, requests } = await converse(world, talkMethod);
      peer.vanish();
      await world.until(() => answers.hasEnded && requests.hasEnded, 500);
      expect([answers.reason, requests.reason]).toEqual(["broken", "broken"]);
    });
  });

  describe("a server stream", () => {
    it("brings many answers to one request", async () => {
      const { answers, server, requests } = await converse(world, listMethod);
      for (const number of range(0, 100)) server.send(numbered(number));
      await world.until(() => answers.messages.length === 100, SOON_MS);
      // The caller has nothing more to say, but it is still there.
      expect(requests.hasEnded).toBe(false);
      server.end();
      await world.until(() => answers.hasEnded && requests.hasEnded, SOON_MS);
      expect(answers.numbers).toEqual(range(0, 100));
      expect([answers.ends, requests.ends]).toEqual([[undefined], [undefined]]);
    });

    it("tells the server when the caller goes", async () => {
      const { client, requests } = await converse(world, listMethod);
      client.abort();
      await world.until(() => requests.hasEnded, SOON_MS);
      expect(requests.ends[0]).toBeInstanceOf(Error);
    });
  });
}
