import { describe, expect, it } from "vitest";
import {
  readAssignment,
  readSubscription,
  writeAssignment,
  writeSubscription,
} from "./consumer-protocol.js";
import { MalformedError } from "./records/byte-reader.js";

const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const owned = [{ topic: "t", partitions: [0, 4] }];

describe("a subscription", () => {
  it("comes back as it was written", () => {
    const userData = Uint8Array.of(1, 2);
    const subscription = { topics: ["t", "u"], userData, owned, generation: 7, rack: "r1" };
    expect(readSubscription(writeSubscription(subscription))).toEqual(subscription);
  });

  it("of version 0 says neither what is owned nor where", () => {
    // Version 0, topics ["topic"], user data of no bytes: what kafkajs sends.
    const bytes = fromHex("0000" + "00000001" + "0005746f706963" + "00000000");
    expect(readSubscription(bytes)).toEqual({
      topics: ["topic"],
      userData: new Uint8Array(0),
      owned: [],
      generation: -1,
      rack: undefined,
    });
  });

  it("of a version to come is read as far as it is known", () => {
    const rest = { topics: ["t"], userData: undefined, owned, generation: 1, rack: undefined };
    const later = new Uint8Array([...writeSubscription(rest), 9, 9, 9]);
    later[1] = 9;
    expect(readSubscription(later)).toEqual(rest);
  });

  it("that is cut short is refused", () => {
    expect(() => readSubscription(fromHex("0001000000020001"))).toThrow(MalformedError);
    expect(() => readSubscription(fromHex("ffff00000000"))).toThrow(MalformedError);
  });
});

describe("an assignment", () => {
  it("comes back as it was written", () => {
    const assignment = { partitions: owned, userData: Uint8Array.of(3) };
    expect(readAssignment(writeAssignment(assignment))).toEqual(assignment);
  });

  it("of no bytes is one of nothing", () => {
    expect(readAssignment(new Uint8Array(0)).partitions).toEqual([]);
  });
});
