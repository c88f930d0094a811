import { portableCrc32c } from "@strandline/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combineCrc32c, crc32c, loadNativeCrc32c } from "./crc32c.js";

const native = loadNativeCrc32c();

const forms = [
  ["the exported form", crc32c],
  ["the form without a native module", combineCrc32c(undefined)],
] as const;

describe.each(forms)("%s", (_, checksum) => {
  it("gives the check value of the Castagnoli polynomial", () => {
    expect(checksum(Buffer.from("123456789"))).toBe(0xe306_9283);
  });

  it("gives the vectors of RFC 3720 for 32 bytes", () => {
    const count = Uint8Array.from({ length: 32 }, (_entry, index) => index);
    expect(checksum(new Uint8Array(32))).toBe(0x8a91_36aa);
    expect(checksum(new Uint8Array(32).fill(0xff))).toBe(0x62a8_ab43);
    expect(checksum(count)).toBe(0x46dd_794e);
  });

  it("goes on from the value of the bytes before, at any cut", () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_entry, index) => (index * 31) & 0xff);
    const whole = checksum(bytes);
    for (const cut of [0, 1, 7, 191, 192, 193, 500, 999, 1000]) {
      expect(checksum(bytes.subarray(cut), checksum(bytes.subarray(0, cut)))).toBe(whole);
    }
  });
});

describe(crc32c, () => {
  it("agrees with the portable form at every length, alignment and seed", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        fc.nat(9),
        fc.nat(0xffff_ffff),
        (bytes, skip, seed) => {
          const view = bytes.subarray(Math.min(skip, bytes.length));
          expect(crc32c(view, seed)).toBe(portableCrc32c(view, seed));
        },
      ),
    );
  });
});

describe.skipIf(native === undefined)(loadNativeCrc32c, () => {
  it("agrees with the portable form below the length from which it is used", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(0xffff_ffff), (bytes, seed) => {
        expect(native?.(bytes, seed)).toBe(portableCrc32c(bytes, seed));
      }),
    );
  });
});
