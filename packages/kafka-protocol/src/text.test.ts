import { uuidText } from "@strandline/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readText, readUuid } from "./text.js";

describe(readText, () => {
  it("reads what was written, whatever the characters and the place", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary-ascii", maxLength: 60 }),
      fc.string({ unit: "grapheme", maxLength: 30 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const bytes = new TextEncoder().encode(`<${text}>`);
        expect(readText(bytes, 1, bytes.length - 1)).toBe(text);
      }),
    );
  });

  it("reads any bytes as the web does", () => {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(readText(bytes, 0, bytes.length)).toBe(decoder.decode(bytes));
      }),
    );
  });
});

describe(readUuid, () => {
  it("gives the text form that ids have", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(readUuid(Uint8Array.of(1, ...bytes, 2), 1)).toBe(uuidText(bytes));
      }),
    );
  });
});
