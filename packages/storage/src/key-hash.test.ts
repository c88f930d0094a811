import { describe, expect, it } from "vitest";
import { hashKey } from "./key-hash.js";

function hex(text: string, seed = 0): string {
  const hash = new Int32Array(4);
  hashKey(new TextEncoder().encode(text), seed, hash);
  return [...hash].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

describe(hashKey, () => {
  it("is the hash that others compute for the same bytes", () => {
    expect(hex("")).toBe("00000000000000000000000000000000");
    expect(hex("I will not buy this record, it is scratched.")).toBe(
      "a0a9683b25ac5e40d9af2895890dddf5",
    );
    expect(hex("The quick brown fox jumps over the lazy dog")).toBe(
      "2f1583c3ecee2c675d7bf66ce5e91d2c",
    );
  });

  it("tells keys of every length apart, and depends on the seed", () => {
    const seen = new Set<string>();
    for (let length = 0; length < 40; length++) {
      seen.add(hex("a".repeat(length)));
      seen.add(hex("a".repeat(length), 7));
      if (length > 0) seen.add(hex(`${"a".repeat(length - 1)}b`));
    }
    expect(seen.size).toBe(119);
  });
});
