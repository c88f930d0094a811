import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecordError } from "./record-error.js";
import { ascii, bytesOf } from "./testdata/batches.js";
import { toySnappy } from "./testdata/toy-compressors.js";
import { decodeXerial, encodeXerial, isXerial } from "./xerial.js";

/** Header, a block with the literal "ab", a block with "c" and a copy of it. */
const FRAME = bytesOf(`
  82534e4150505900 00000001 00000001
  00000004 02 04 61 62
  00000006 05 00 63 0e 01 00`);

describe(decodeXerial, () => {
  it("reads a frame written by hand", () => {
    expect(decodeXerial(FRAME, toySnappy, 7)).toEqual(ascii("abccccc"));
  });

  it("reads one raw block without a frame", () => {
    expect(decodeXerial(bytesOf("02 04 61 62"), toySnappy, 2)).toEqual(ascii("ab"));
  });

  it("reads a frame without blocks as nothing", () => {
    expect(decodeXerial(FRAME.subarray(0, 16), toySnappy, 0)).toEqual(new Uint8Array(0));
  });

  it("keeps to the bound over all blocks together", () => {
    expect(() => decodeXerial(FRAME, toySnappy, 6)).toThrow(RangeError);
  });

  it("refuses a frame that ends inside a block or its length", () => {
    for (let length = 17; length < FRAME.length; length++) {
      if (length === 24) continue;
      expect(() => decodeXerial(FRAME.subarray(0, length), toySnappy, 99)).toThrow(RecordError);
    }
  });

  it("refuses a block of negative length", () => {
    const frame = FRAME.slice();
    frame[16] = 0x80;
    expect(() => decodeXerial(frame, toySnappy, 99)).toThrow(RecordError);
  });
});

describe(encodeXerial, () => {
  it("writes header and blocks", () => {
    const block = "05 00 63 0e 01 00";
    expect(encodeXerial(ascii("ccccc"), toySnappy)).toEqual(
      bytesOf(`82534e4150505900 00000001 00000001 00000006 ${block}`),
    );
  });

  it("returns what was put in, over several blocks", () => {
    for (const length of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
      const bytes = new Uint8Array(length).fill(3);
      expect(decodeXerial(encodeXerial(bytes, toySnappy), toySnappy, length)).toEqual(bytes);
    }
  });
});

describe(isXerial, () => {
  it("knows the magic only with a whole header behind it", () => {
    expect(isXerial(FRAME)).toBe(true);
    expect(isXerial(FRAME.subarray(0, 15))).toBe(false);
  });

  it("is never true of a raw block: the magic's third byte copies from before the start", () => {
    expect(() => toySnappy.decompress(FRAME, 1 << 20)).toThrow(RecordError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (rest) => {
        const bytes = Uint8Array.of(...FRAME.subarray(0, 8), ...rest);
        expect(() => toySnappy.decompress(bytes, 1 << 20)).toThrow(RecordError);
      }),
    );
  });
});
