import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  readInt8,
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from "./big-endian.js";

describe("big-endian integers", () => {
  it("are read as a DataView reads them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 9, maxLength: 9 }), (bytes) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        expect(readInt8(bytes, 1)).toBe(view.getInt8(1));
        expect(readInt16(bytes, 1)).toBe(view.getInt16(1));
        expect(readInt32(bytes, 1)).toBe(view.getInt32(1));
        expect(readUint32(bytes, 1)).toBe(view.getUint32(1));
        const exact = view.getBigInt64(1);
        const isSafe = BigInt.asIntN(54, exact) === exact && exact !== -(2n ** 53n);
        expect(Number.isSafeInteger(readInt64(bytes, 1))).toBe(isSafe);
        if (isSafe) expect(readInt64(bytes, 1)).toBe(Number(exact));
      }),
    );
  });

  it("come back as they were written", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const bytes = new Uint8Array(9);
        writeInt64(bytes, 1, value);
        expect(new DataView(bytes.buffer).getBigInt64(1)).toBe(BigInt(value));
        expect(readInt64(bytes, 1)).toBe(value);
        writeInt32(bytes, 1, value | 0);
        expect(readInt32(bytes, 1)).toBe(value | 0);
        writeInt32(bytes, 1, value >>> 0);
        expect(readUint32(bytes, 1)).toBe(value >>> 0);
        writeInt16(bytes, 1, (value << 16) >> 16);
        expect(readInt16(bytes, 1)).toBe((value << 16) >> 16);
      }),
    );
  });

  it("tell the safe 64-bit values from those that a number cannot hold", () => {
    const at = (value: bigint) => {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigInt64(0, value);
      return readInt64(bytes, 0);
    };
    expect(at(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER);
    expect(Number.isSafeInteger(at(2n ** 53n))).toBe(false);
    expect(Number.isSafeInteger(at(2n ** 53n + 1n))).toBe(false);
    expect(Number.isSafeInteger(at(2n ** 63n - 1n))).toBe(false);
    expect(at(-1n)).toBe(-1);
  });
});
