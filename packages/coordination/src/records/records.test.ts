import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf } from "../testdata/words.js";
import { ByteReader, MalformedError } from "./byte-reader.js";
import { ByteWriter, TEXT_BYTES_MAX, textsFit } from "./byte-writer.js";
import { type GroupValue, readGroupValue, writeGroupValue } from "./group-value.js";
import { type OffsetValue, readOffsetValue, writeOffsetValue } from "./offset-value.js";
import { groupKey, offsetKey, readKey } from "./record-key.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const text = fc.string({ unit: "grapheme", maxLength: 200 });
const int32 = fc.integer({ min: -2_147_483_648, max: 2_147_483_647 });
const bytes = fc.uint8Array({ maxLength: 300 });
const groupValues: fc.Arbitrary<GroupValue> = fc.record({
  protocolType: text,
  generation: int32,
  protocolName: fc.option(text, { nil: undefined }),
  leaderId: fc.option(text, { nil: undefined }),
  stateSinceMs: fc.maxSafeInteger(),
  members: fc.array(
    fc.record({
      memberId: text,
      instanceId: fc.option(text, { nil: undefined }),
      clientId: text,
      clientHost: text,
      rebalanceTimeoutMs: fc.nat(),
      sessionTimeoutMs: int32,
      subscription: bytes,
      assignment: bytes,
    }),
    { maxLength: 5 },
  ),
});

describe("keys of the offsets topic", () => {
  it("have the bytes that Kafka's tools read", () => {
    expect(hex(groupKey("grp"))).toBe("00020003677270");
    expect(hex(offsetKey("grp", "top", 7))).toBe("000100036772700003746f7000000007");
  });

  it("come back as they were written", () => {
    expect(readKey(groupKey("grüße"))).toEqual({ kind: "group", groupId: "grüße" });
    const key = { kind: "offset", groupId: "g", topic: "t", partition: 3 };
    expect(readKey(offsetKey("g", "t", 3))).toEqual(key);
  });

  it("of another kind are none of ours", () => {
    expect(readKey(new ByteWriter().int16(3).text("g").finish())).toBeUndefined();
  });
});

describe("a group in the offsets topic", () => {
  it("comes back as it was written", () => {
    fc.assert(
      fc.property(groupValues, (value) => {
        expect(readGroupValue(writeGroupValue(value))).toEqual(value);
      }),
      { seed: 1 },
    );
  });

  it("may be of an older version", () => {
    const members = new ByteWriter().int32(1).text("m").text("client").text("host");
    const oldest = new ByteWriter().int16(0).text("consumer").int32(4).text("range").text("m");
    const value = readGroupValue(
      joined(
        oldest.finish(),
        members.int32(9_000).bytes(bytesOf("s")).bytes(bytesOf("a")).finish(),
      ),
    );
    expect(value).toMatchObject({ generation: 4, leaderId: "m", stateSinceMs: -1 });
    expect(value.members[0]).toMatchObject({
      memberId: "m",
      instanceId: undefined,
      sessionTimeoutMs: 9_000,
      rebalanceTimeoutMs: 9_000,
    });
  });
});

describe("a commit in the offsets topic", () => {
  const value: OffsetValue = {
    offset: 12_345_678_901,
    leaderEpoch: 5,
    metadata: "note",
    committedAtMs: 1_700_000_000_000,
    expiresAtMs: undefined,
  };

  it("comes back as it was written", () => {
    expect(readOffsetValue(writeOffsetValue(value))).toEqual(value);
  });

  it("has the bytes that Kafka's tools read", () => {
    const small = { ...value, offset: 7, committedAtMs: 9 };
    const expected = "0003000000000000000700000005" + "00046e6f7465" + "0000000000000009";
    expect(hex(writeOffsetValue(small))).toBe(expected);
  });

  it("that expires is written in the version that can say so, which has no epoch", () => {
    const expiring = { ...value, expiresAtMs: 1_700_000_000_500 };
    const written = writeOffsetValue(expiring);
    expect(written[1]).toBe(1);
    expect(readOffsetValue(written)).toEqual({ ...expiring, leaderEpoch: -1 });
  });
});

describe("bytes of somebody else", () => {
  it("are read or refused, and nothing else happens", () => {
    const readers = [readKey, readGroupValue, readOffsetValue];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(2), (hostile, at) => {
        try {
          readers[at]?.(hostile);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  it("allocate nothing by a count or a length that they only declare", () => {
    const many = new ByteWriter().int32(2_147_483_647).finish();
    expect(() => new ByteReader(many).array(() => 0)).toThrow(MalformedError);
    expect(() => new ByteReader(many).bytes()).toThrow(MalformedError);
  });

  it("with an offset beyond what a number counts are refused", () => {
    const huge = new Uint8Array(8).fill(0x7f);
    expect(() => new ByteReader(huge).int64()).toThrow(MalformedError);
  });
});

describe(textsFit, () => {
  it("counts the bytes of a text, not its letters", () => {
    expect(textsFit(["a".repeat(TEXT_BYTES_MAX), undefined])).toBe(true);
    expect(textsFit(["a".repeat(TEXT_BYTES_MAX + 1)])).toBe(false);
    expect(textsFit(["ü".repeat(TEXT_BYTES_MAX)])).toBe(false);
  });
});

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  return new Uint8Array([...one, ...other]);
}
