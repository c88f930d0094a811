import { AssertionError } from "@strandline/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "./protocol-error.js";
import { fromHex, joined, toHex } from "./testdata/frames.js";
import { WireReader } from "./wire-reader.js";
import { WireWriter } from "./wire-writer.js";

const LIMITS = { elementsMax: 1000, tagsMax: 64 };
const MAX_INT64 = "7fffffffffffffff";

function reader(hex: string): WireReader {
  return new WireReader(fromHex(hex), LIMITS);
}

function written(write: (writer: WireWriter) => void, slabBytes?: number): string {
  const writer = new WireWriter(slabBytes);
  writer.begin();
  write(writer);
  return toHex(joined(writer.finish()));
}

describe("numbers", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer(), fc.nat(), (wide, int, unsigned) => {
        const hex = written((writer) => {
          writer.int64(wide);
          writer.int32(int);
          writer.uvarint(unsigned);
          writer.int16((int << 16) >> 16);
          writer.uint16(int & 0xffff);
          writer.int8((int << 24) >> 24);
        });
        const from = reader(hex);
        expect(from.int64()).toBe(wide);
        expect(from.int32()).toBe(int);
        expect(from.uvarint()).toBe(unsigned);
        expect(from.int16()).toBe((int << 16) >> 16);
        expect(from.uint16()).toBe(int & 0xffff);
        expect(from.int8()).toBe((int << 24) >> 24);
      }),
    );
  });

  it("has the varints of the protocol's tables", () => {
    expect(written((writer) => writer.uvarint(300))).toBe("ac02");
    expect(reader("ac02").uvarint()).toBe(300);
    expect(reader("ffffffff0f").uvarint()).toBe(4_294_967_295);
  });

  it("refuses varints that are cut off, too long, or too large", () => {
    for (const hex of ["", "80", "ffffffff", "ffffffff10", "808080808000"]) {
      expect(() => reader(hex).uvarint(), hex).toThrow(ProtocolError);
    }
  });

  it("refuses what is no safe integer, and takes the nearest where a place is asked for", () => {
    expect(() => reader(MAX_INT64).int64()).toThrow(ProtocolError);
    expect(reader(MAX_INT64).int64Saturated()).toBe(Number.MAX_SAFE_INTEGER);
    expect(reader("8000000000000000").int64Saturated()).toBe(Number.MIN_SAFE_INTEGER);
    expect(reader("fffffffffffffffe").int64Saturated()).toBe(-2);
  });

  it("asserts that what is written fits", () => {
    expect(() => written((writer) => writer.int8(128))).toThrow(AssertionError);
    expect(() => written((writer) => writer.int16(32_768))).toThrow(AssertionError);
    expect(() => written((writer) => writer.uint16(-1))).toThrow(AssertionError);
    expect(() => written((writer) => writer.int32(2 ** 31))).toThrow(AssertionError);
    expect(() => written((writer) => writer.int64(2 ** 53))).toThrow(AssertionError);
    expect(() => written((writer) => writer.uuid("short"))).toThrow(AssertionError);
  });
});

describe("lengths", () => {
  it("are held against the bytes that are there", () => {
    expect(() => reader("616263").text(4)).toThrow(ProtocolError);
    expect(() => reader("616263").view(4)).toThrow(ProtocolError);
    expect(() => reader("616263").view(-2)).toThrow(ProtocolError);
    expect(() => reader("616263").skip(4_294_967_295)).toThrow(ProtocolError);
    expect(reader("616263").text(3)).toBe("abc");
    expect(reader("616263").text(-1)).toBeNull();
  });

  it("refuses a string above the protocol's bound though its bytes are there", () => {
    const long = new WireReader(new Uint8Array(40_000), LIMITS);
    expect(() => long.text(32_768)).toThrow(ProtocolError);
    expect(long.text(32_767)?.length).toBe(32_767);
  });

  it("refuses text that is no UTF-8: to repeat it would take more bytes than it came in", () => {
    for (const hex of ["ff", "61ff", "c3", "eda080", "80808080"]) {
      expect(() => reader(hex).text(hex.length / 2), hex).toThrow(ProtocolError);
    }
    expect(reader("efbfbd").text(3)).toBe("\ufffd");
    expect(reader("f09f9880c3a9").text(6)).toBe("\u{1f600}\u00e9");
  });

  it("cuts sentences that are too long to be sent", () => {
    for (const text of ["x".repeat(40_000), "\u20ac".repeat(11_000), "\u{1f600}".repeat(9000)]) {
      const sent = new WireReader(fromHex(written((writer) => writer.string(text, true))), LIMITS);
      const length = sent.uvarint() - 1;
      expect(length).toBeLessThanOrEqual(32_767);
      const got = sent.text(length) as string;
      expect(got.length).toBe(10_922);
      expect(text.startsWith(got.slice(0, -1))).toBe(true);
    }
  });

  it("admits as many elements as there can be, and no more than the bound of all arrays", () => {
    const bytes = new WireReader(new Uint8Array(4000), LIMITS);
    expect(() => bytes.admitCount(1001, 4)).toThrow(ProtocolError);
    expect(() => bytes.admitCount(-2, 4)).toThrow(ProtocolError);
    expect(bytes.admitCount(1000, 4)).toBe(1000);
    expect(() => bytes.admitCount(1, 4)).toThrow(expect.objectContaining({ problem: "too-large" }));
  });
});

describe(WireWriter, () => {
  it("leaves large bytes where they are, and copies small ones", () => {
    const large = new Uint8Array(5000).fill(7);
    const small = new Uint8Array(10).fill(8);
    const pieces = new WireWriter().frame((writer) => {
      writer.bytes([large, small], false);
      writer.int32(1);
    });
    expect(pieces).toHaveLength(3);
    expect(pieces[1]).toBe(large);
    expect(toHex(joined(pieces).subarray(0, 8))).toBe("0000139a00001392");
  });

  it("writes the same whatever the size of its slabs, and never writes twice in one place", () => {
    const texts = fc.array(fc.string({ maxLength: 30 }), { maxLength: 20 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 64 }), (strings, slabBytes) => {
        const write = (writer: WireWriter): void => {
          for (const text of strings) writer.string(text, true);
        };
        const tight = new WireWriter(slabBytes);
        const frames = [tight.frame(write), tight.frame(write), tight.frame(write)];
        const expected = toHex(joined(new WireWriter().frame(write)));
        expect(frames.map((pieces) => toHex(joined(pieces)))).toEqual([
          expected,
          expected,
          expected,
        ]);
      }),
    );
  });

  it("forgets what broke off", () => {
    const writer = new WireWriter();
    expect(() => writer.frame(() => writer.int8(1000))).toThrow(AssertionError);
    expect(toHex(joined(writer.frame(() => writer.int8(5))))).toBe("0000000105");
  });
});
