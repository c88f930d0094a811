import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readUtf8, utf8Bytes, writeUtf8 } from "./utf8.js";

function encode(text: string): Uint8Array {
  const target = new Uint8Array(3 * text.length);
  return target.slice(0, writeUtf8(target, 0, text));
}

describe(writeUtf8, () => {
  it("writes any string as the platform's encoder does, half pairs included", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const bytes = encode(text);
        expect(bytes).toEqual(new TextEncoder().encode(text));
        expect(utf8Bytes(text)).toBe(bytes.length);
      }),
    );
    for (const text of ["\ud800", "\udc00", "a\ud83d", "\ud83d\ud83d\ude00", "\udc00\ud800"]) {
      expect(encode(text)).toEqual(new TextEncoder().encode(text));
      expect(utf8Bytes(text)).toBe(encode(text).length);
    }
  });

  it("never takes more than three bytes per character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(utf8Bytes(text)).toBeLessThanOrEqual(3 * text.length);
      }),
    );
  });
});

describe(readUtf8, () => {
  it("reads back every string without half pairs", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const bytes = encode(text);
        expect(readUtf8(bytes, 0, bytes.length)).toBe(text);
      }),
    );
  });

  it("reads bytes that are no UTF-8 as the platform's decoder does", () => {
    // Bytes that begin or continue sequences, so that near misses are common.
    const byte = fc.oneof(
      fc.constantFrom(0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xf0, 0xf4),
      fc.nat(255),
    );
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 12 }), (list) => {
        const bytes = Uint8Array.from(list);
        expect(readUtf8(bytes, 0, bytes.length)).toBe(decoder.decode(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it("reads only its range", () => {
    const bytes = encode("aéb");
    expect(readUtf8(bytes, 1, 3)).toBe("é");
    expect(readUtf8(bytes, 1, 2)).toBe("\ufffd");
  });
});
