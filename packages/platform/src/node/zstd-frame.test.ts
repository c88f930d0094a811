import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompressionError } from "../ports/compression.js";
import { nodeCompressors } from "./compressors.js";
import { scanZstdFrame } from "./zstd-frame.js";

const { compress, decompress } = nodeCompressors.zstd;

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

/** No content size, a window of 128 KiB, blocks that each repeat "a" 128 Ki times. */
function repeats(blocks: number): Buffer {
  const inner = "020010 61".repeat(blocks - 1);
  return bytesOf(`28b52ffd 00 38 ${inner} 030010 61`);
}

describe(scanZstdFrame, () => {
  it("bounds a frame without a content size by its blocks", () => {
    expect(scanZstdFrame(repeats(3), 0)).toEqual({
      end: 6 + 3 * 4,
      outputBytesMax: 3 * 131_072,
      isExact: false,
    });
  });

  it("bounds a compressed block by the window when that is the smaller", () => {
    // Window of 1 KiB; a compressed block of 2 bytes.
    const frame = bytesOf("28b52ffd 00 00 150000 ffff");
    expect(scanZstdFrame(frame, 0)).toMatchObject({ end: 11, outputBytesMax: 1024 });
  });

  it.each([
    ["1 byte", "20 03", 3],
    ["2 bytes", "60 0100", 257],
    ["4 bytes", "a0 00020000", 512],
    ["8 bytes", "e0 0002000000000000", 512],
  ])("reads a content size of %s", (_, fields, size) => {
    // One repeated byte, as often as the content is long.
    const word = ((size << 3) | 3).toString(16).padStart(6, "0");
    const block = `${word.slice(4)}${word.slice(2, 4)}${word.slice(0, 2)} 61`;
    const frame = bytesOf(`28b52ffd ${fields} ${block}`);
    expect(scanZstdFrame(frame, 0)).toEqual({
      end: frame.length,
      outputBytesMax: size,
      isExact: true,
    });
    expect(Buffer.from(decompress(frame, size)).equals(Buffer.alloc(size, "a"))).toBe(true);
  });

  it("steps over the checksum", () => {
    const frame = bytesOf("28b52ffd 04 38 010000 99e9d851");
    expect(scanZstdFrame(frame, 0)).toMatchObject({ end: frame.length, outputBytesMax: 0 });
  });

  it("tells where a frame ends and the next begins", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const frame = compress(bytes);
        const scanned = scanZstdFrame(Buffer.concat([Buffer.alloc(3), frame, frame]), 3);
        expect(scanned.end).toBe(3 + frame.length);
        expect(scanned.outputBytesMax).toBeGreaterThanOrEqual(bytes.length);
      }),
    );
  });

  it.each([
    ["of another format", "04224d18 00 38 010000"],
    ["with a reserved bit", "28b52ffd 08 38 010000"],
    ["with a dictionary", "28b52ffd 01 38 07 010000"],
    ["with a reserved block type", "28b52ffd 00 38 070000"],
    ["with a block larger than any may be", "28b52ffd 00 38 0b0010 61"],
    ["that declares more than its blocks hold", "28b52ffd e0 00000000000000ff 1b0000 61"],
    ["that ends inside a block", "28b52ffd 00 38 190000 61"],
    ["that ends before its last block", "28b52ffd 00 38 020010 61"],
  ])("refuses a frame %s", (_, hex) => {
    expect(() => scanZstdFrame(bytesOf(hex), 0)).toThrow(CompressionError);
  });
});

describe("a zstd frame without a content size", () => {
  it("is unpacked up to the bound and not one byte more", () => {
    expect(decompress(repeats(3), 3 * 131_072).length).toBe(3 * 131_072);
    expect(() => decompress(repeats(3), 3 * 131_072 - 1)).toThrow(/more than 393215 bytes/);
    expect(() => decompress(repeats(100_000), 1 << 20)).toThrow(/more than 1048576 bytes/);
  });
});
