import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  COMPRESSION_NAMES,
  type CompressionName,
  compressionId,
  compressionName,
  compressionOf,
} from "./compression.js";
import { toyCompressors } from "./testdata/toy-compressors.js";
import { isXerial } from "./xerial.js";

describe("compression names", () => {
  it("have the ids of the protocol", () => {
    expect(COMPRESSION_NAMES.map(compressionId)).toEqual([0, 1, 2, 3, 4]);
    expect(compressionId("zstd")).toBe(4);
    expect(compressionName(2)).toBe("snappy");
    expect(compressionName(5)).toBeUndefined();
    expect(compressionName(-1)).toBeUndefined();
  });
});

describe(compressionOf, () => {
  const { compress, decompress, compressor } = compressionOf(toyCompressors);

  it("returns by every name what was put in", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<CompressionName>(...COMPRESSION_NAMES),
        fc.uint8Array({ maxLength: 300 }),
        (name, bytes) => {
          expect(decompress(name, compress(name, bytes), bytes.length)).toEqual(bytes);
        },
      ),
    );
  });

  it("frames snappy and nothing else", () => {
    const bytes = new Uint8Array(20);
    expect(isXerial(compress("snappy", bytes))).toBe(true);
    expect(compress("gzip", bytes)).toEqual(toyCompressors.gzip.compress(bytes));
  });

  it("has no compressor for no compression", () => {
    expect(compressor("none")).toBeUndefined();
    expect(compressor("lz4")?.name).toBe("lz4");
  });
});
