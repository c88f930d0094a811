import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompressionError } from "../ports/compression.js";
import { nodeCompressors } from "./compressors.js";
import { scanLz4Frame } from "./lz4-frame.js";

/** 64 KiB blocks, none dependent on another, no checksums; the header checksum is not read. */
const HEADER = "04224d18 60 40 00";

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

describe(scanLz4Frame, () => {
  it("tells the size of blocks written by hand", () => {
    // Literal "a" and a match of 15 + 4 + 255 + 1; then literals only.
    const frame = bytesOf(`${HEADER} 06000000 1f 61 0100 ff01 04000000 30 626364 00000000`);
    expect(scanLz4Frame(frame, 0, 0)).toEqual({
      end: frame.length,
      outputBytesMax: 1 + 275 + 3,
      isExact: true,
    });
  });

  it("counts stored blocks as they are and steps over checksums", () => {
    const header = "04224d18 7c 40 0900000000000000 00";
    const frame = bytesOf(`${header} 02000080 6162 ffffffff 00000000 ffffffff`);
    expect(scanLz4Frame(frame, 0, 100)).toMatchObject({ end: frame.length, outputBytesMax: 2 });
  });

  it("is content with a bound when that is small enough", () => {
    const frame = bytesOf(`${HEADER} 04000000 30 626364 00000000`);
    expect(scanLz4Frame(frame, 0, 1 << 20)).toMatchObject({ outputBytesMax: 1020, isExact: false });
  });

  it("tells the size of any frame exactly when asked to", () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(fc.nat(255), fc.nat(70_000)).map(([byte, size]) => Buffer.alloc(size, byte)),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const bytes = Buffer.concat(parts);
        const frame = nodeCompressors.lz4.compress(bytes);
        const scanned = scanLz4Frame(frame, 0, -1);
        expect(scanned).toEqual({
          end: frame.length,
          outputBytesMax: bytes.length,
          isExact: true,
        });
        const quick = scanLz4Frame(frame, 0, Number.MAX_SAFE_INTEGER);
        expect(quick.outputBytesMax).toBeGreaterThanOrEqual(bytes.length);
      }),
    );
  });

  it.each([
    ["of another format", "28b52ffd 60 40 00 00000000"],
    ["of another version", "04224d18 a0 40 00 00000000"],
    ["with a dictionary", "04224d18 61 40 00000000 00 00000000"],
    ["with an unknown block size", "04224d18 60 30 00 00000000"],
    ["with a block larger than it says", `${HEADER} 01000180`],
    ["that ends inside a block", `${HEADER} 06000000 1f 61`],
    ["that ends before its end mark", `${HEADER} 02000080 6162`],
  ])("refuses a frame %s", (_, hex) => {
    expect(() => scanLz4Frame(bytesOf(hex), 0, 1 << 20)).toThrow(CompressionError);
  });
});
