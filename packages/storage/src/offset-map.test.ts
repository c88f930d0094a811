import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OffsetMap } from "./offset-map.js";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe(OffsetMap, () => {
  it("remembers the last offset of each key, like a map", () => {
    const entry = fc.tuple(fc.string({ maxLength: 3 }), fc.nat(1000));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 200 }), fc.nat(), (entries, seed) => {
        const map = new OffsetMap(seed);
        const expected = new Map<string, number>();
        for (const [key, offset] of entries) {
          map.put(bytesOf(key), offset);
          expected.set(key, Math.max(offset, expected.get(key) ?? -1));
        }
        expect(map.size).toBe(expected.size);
        for (const [key, offset] of expected) expect(map.get(bytesOf(key))).toBe(offset);
        expect(map.get(bytesOf("no such key"))).toBe(-1);
      }),
      { numRuns: 50 },
    );
  });

  it("grows past its first places, and holds offset 0", () => {
    const map = new OffsetMap(3);
    for (let offset = 0; offset < 5000; offset++) map.put(bytesOf(`key ${offset}`), offset);
    expect(map.size).toBe(5000);
    for (let offset = 0; offset < 5000; offset++) {
      expect(map.get(bytesOf(`key ${offset}`))).toBe(offset);
    }
  });

  it("takes a hash that was made before", () => {
    const map = new OffsetMap(3);
    const hash = map.hashOf(bytesOf("a"));
    map.put(bytesOf("b"), 1);
    map.putHashed(hash, 7);
    expect([map.get(bytesOf("a")), map.get(bytesOf("b"))]).toEqual([7, 1]);
  });
});
