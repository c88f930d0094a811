import { describe, expect, it } from "vitest";
import { UNREADABLE } from "./history.mjs";
import { decodeContent, encodeContent } from "./record-content.mjs";

const RECORD = { producer: 3, key: "p1-k5", sequence: 1_234_567, sentAtMs: 1_700_000_000_000 };

describe("record content", () => {
  it("says who sent a record, and as what", () => {
    const { key, value, fingerprint } = encodeContent(RECORD);
    expect(decodeContent(key, value)).toEqual({ producer: 3, sequence: 1_234_567, fingerprint });
  });

  it("has another fingerprint when a byte of key or value changes", () => {
    const { key, value, fingerprint } = encodeContent(RECORD);
    const otherValue = Uint8Array.from(value, (byte, at) => (at === value.length - 1 ? 0 : byte));
    const otherKey = Uint8Array.from(key, (byte, at) => (at === 0 ? 0 : byte));
    expect(decodeContent(key, otherValue).fingerprint).not.toBe(fingerprint);
    expect(decodeContent(otherKey, value).fingerprint).not.toBe(fingerprint);
  });

  it.each(["", "nonsense", "70000 1 ", "1 -1 "])("calls %j nobody's", (value) => {
    expect(decodeContent(null, Buffer.from(value))).toMatchObject(UNREADABLE);
  });
});
