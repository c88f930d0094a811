import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecordError } from "./record-error.js";
import { VarintReader, varintBytes, varlongBytes, writeVarint, writeVarlong } from "./varint.js";

const bytesOf = (hex: string) =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const hexOf = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const readerOf = (hex: string) => new VarintReader(bytesOf(hex), 0, hex.length / 2);

function varint(value: number): string {
  const target = new Uint8Array(16);
  return hexOf(target.subarray(0, writeVarint(target, 0, value)));
}

function varlong(value: number): string {
  const target = new Uint8Array(16);
  return hexOf(target.subarray(0, writeVarlong(target, 0, value)));
}

/** The definition, by integers without a limit. */
function varlongByDefinition(value: number): string {
  let zigzag = value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value);
  const bytes: number[] = [];
  for (; zigzag >= 128n; zigzag >>= 7n) bytes.push(Number(zigzag & 127n) | 128);
  return hexOf(Uint8Array.of(...bytes, Number(zigzag)));
}

describe(writeVarint, () => {
  it.each([
    [0, "00"],
    [-1, "01"],
    [1, "02"],
    [-64, "7f"],
    [64, "8001"],
    [300, "d804"],
    [2147483647, "feffffff0f"],
    [-2147483648, "ffffffff0f"],
  ])("writes %d as the protocol does", (value, hex) => {
    expect(varint(value)).toBe(hex);
    expect(varlong(value)).toBe(hex);
    expect(readerOf(hex).varint()).toBe(value);
    expect(readerOf(hex).varlong()).toBe(value);
  });

  it("returns every int32, in as many bytes as announced", () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const hex = varint(value);
        expect(hex).toBe(varlongByDefinition(value));
        expect(varintBytes(value)).toBe(hex.length / 2);
        expect(readerOf(hex).varint()).toBe(value);
      }),
    );
  });
});

describe(writeVarlong, () => {
  it("returns every safe integer, in as many bytes as announced", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const hex = varlong(value);
        expect(hex).toBe(varlongByDefinition(value));
        expect(varlongBytes(value)).toBe(hex.length / 2);
        expect(readerOf(hex).varlong()).toBe(value);
      }),
    );
  });

  it("writes the largest and the smallest safe integer exactly", () => {
    for (const value of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      expect(varlong(value)).toBe(varlongByDefinition(value));
      expect(readerOf(varlong(value)).varlong()).toBe(value);
    }
  });
});

describe(VarintReader, () => {
  it("reads one after the other and says where it is", () => {
    const reader = readerOf("d80401d804");
    expect([reader.varint(), reader.varint(), reader.varlong()]).toEqual([300, -1, 300]);
    expect(reader.position).toBe(5);
  });

  it("does not read past its end, though bytes are there", () => {
    expect(() => new VarintReader(bytesOf("d804"), 0, 1).varint()).toThrow(RecordError);
    expect(() => new VarintReader(bytesOf("d804"), 0, 1).varlong()).toThrow(RecordError);
    expect(() => new VarintReader(bytesOf("d804"), 2, 2).varint()).toThrow(RecordError);
  });

  it("refuses a varint of more than 5 bytes or 32 bits", () => {
    expect(() => readerOf("808080808000").varint()).toThrow(RecordError);
    expect(() => readerOf("ffffffff10").varint()).toThrow(RecordError);
    expect(readerOf("8080808000").varint()).toBe(0);
  });

  it("refuses a varlong of more than 10 bytes, or beyond the safe integers", () => {
    expect(() => readerOf("8080808080808080808000").varlong()).toThrow(RecordError);
    expect(() => readerOf("ffffffffffffffffff01").varlong()).toThrow(RecordError);
    expect(readerOf("80808080808080808000").varlong()).toBe(0);
    // 2^53, the first that is refused.
    expect(() => readerOf("8080808080808020").varlong()).toThrow(RecordError);
  });

  it("keeps its place when it refuses", () => {
    const reader = readerOf("02ffffffff10");
    reader.varint();
    expect(() => reader.varint()).toThrow(RecordError);
    expect(reader.position).toBe(1);
  });
});
