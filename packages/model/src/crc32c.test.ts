import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { portableCrc32c } from "./crc32c.js";

const ascii = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** The definition: one bit at a time. */
function bitwise(bytes: Uint8Array): number {
  let value = 0xffff_ffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f6_3b78 : value >>> 1;
    }
  }
  return ~value >>> 0;
}

describe(portableCrc32c, () => {
  it("gives the check value of the Castagnoli polynomial", () => {
    expect(portableCrc32c(ascii("123456789"))).toBe(0xe306_9283);
  });

  it("gives the vectors of RFC 3720 for 32 bytes", () => {
    const count = Uint8Array.from({ length: 32 }, (_, index) => index);
    expect(portableCrc32c(new Uint8Array(32))).toBe(0x8a91_36aa);
    expect(portableCrc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8_ab43);
    expect(portableCrc32c(count)).toBe(0x46dd_794e);
    expect(portableCrc32c(count.toReversed())).toBe(0x113f_db5c);
  });

  it("is 0 for no bytes", () => {
    expect(portableCrc32c(new Uint8Array(0))).toBe(0);
  });

  it("agrees with the definition at every length and alignment", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(8), (bytes, skip) => {
        const view = bytes.subarray(Math.min(skip, bytes.length));
        expect(portableCrc32c(view)).toBe(bitwise(view));
      }),
    );
  });

  it("goes on from the value of the bytes before", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (first, second) => {
        const whole = Uint8Array.of(...first, ...second);
        expect(portableCrc32c(second, portableCrc32c(first))).toBe(portableCrc32c(whole));
      }),
    );
  });
});
