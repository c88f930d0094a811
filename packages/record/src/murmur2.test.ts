import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { murmur2, partitionForKey } from "./murmur2.js";

const ascii = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

describe(murmur2, () => {
  it.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
  ])("hashes %j as the Java client does", (text, hash) => {
    expect(murmur2(ascii(text))).toBe(hash);
  });

  it("does not depend on where in a buffer the key is", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(7), (key, shift) => {
        const buffer = new Uint8Array(shift + key.length + 3).fill(0xa5);
        buffer.set(key, shift);
        expect(murmur2(buffer.subarray(shift, shift + key.length))).toBe(murmur2(key));
      }),
    );
  });
});

describe(partitionForKey, () => {
  it("drops the sign of the hash before it divides", () => {
    // -973932308 & 0x7fffffff = 1173551340
    expect(partitionForKey(ascii("21"), 1000)).toBe(340);
    expect(partitionForKey(ascii("abc"), 1000)).toBe(107);
  });

  it("names a partition that exists", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 10_000 }), (key, count) => {
        const partition = partitionForKey(key, count);
        expect(partition >= 0 && partition < count).toBe(true);
      }),
    );
  });
});
