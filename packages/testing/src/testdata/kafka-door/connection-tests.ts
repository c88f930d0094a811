/** Part of the tests of the Kafka door: what a connection bears. */
import { describe, expect, it } from "vitest";
import type { KafkaDoor } from "../kafka-door.js";

export function connectionTests(door: KafkaDoor): void {
  describe("a connection to the Kafka door", () => {
    it.each([
      ["another protocol", Buffer.from("GET / HTTP/1.1\r\nHost: broker\r\n\r\n")],
      ["a huge length", Buffer.from([0x7f, 0xff, 0xff, 0xff])],
      ["random bytes", Buffer.from("0000000b05060708090a0b0c0d0e0f", "hex")],
    ])("is closed without an answer at %s, and others are not", async (_what, bytes) => {
      const good = await door.dial();
      const bad = await door.dial();
      bad.write(bytes);
      await bad.untilClosed();
      expect((await good.call("Metadata", 1, { topics: [] })).brokers).toHaveLength(3);
    });
  });
}
