import { spawnSync } from "node:child_process";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompressionError } from "../ports/compression.js";
import { nodeCompressors } from "./compressors.js";

const NAMES = ["gzip", "snappy", "lz4", "zstd"] as const;

/** Text-like bytes that compress well but not absurdly. */
function words(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 12345;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    bytes[at] = 97 + ((state >> 16) & 7);
  }
  return bytes;
}

describe.each(NAMES)("%s", (name) => {
  const { compress, decompress } = nodeCompressors[name];

  it("returns what was put in", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const packed = compress(bytes);
        expect(Buffer.from(decompress(packed, bytes.length)).equals(bytes)).toBe(true);
      }),
    );
  });

  it.each([0, 1, 65_535, 65_537, 300_000, 5_000_000])("returns %d bytes", (length) => {
    const bytes = words(length);
    const packed = compress(bytes);
    if (length > 1000) expect(packed.length).toBeLessThan(length);
    expect(Buffer.from(decompress(packed, length)).equals(bytes)).toBe(true);
  });

  it("works on views into larger buffers", () => {
    const whole = Buffer.concat([Buffer.alloc(7, 1), words(5000), Buffer.alloc(9, 2)]);
    const view = new Uint8Array(whole.buffer, whole.byteOffset + 7, 5000);
    const packed = compress(view);
    const padded = Buffer.concat([Buffer.alloc(3, 255), packed, Buffer.alloc(5, 255)]);
    const packedView = padded.subarray(3, 3 + packed.length);
    expect(Buffer.from(decompress(packedView, 5000)).equals(view)).toBe(true);
  });

  it("unpacks up to the bound and not one byte more", () => {
    for (const bytes of [Buffer.alloc(1), Buffer.alloc(100_000), words(100_000)]) {
      const packed = compress(bytes);
      expect(decompress(packed, bytes.length).length).toBe(bytes.length);
      expect(() => decompress(packed, bytes.length - 1)).toThrow(CompressionError);
      expect(() => decompress(packed, 0)).toThrow(/more than 0 bytes/);
    }
  });

  it("refuses 64 MiB of zeros within a bound of 1 MiB, without unpacking them", () => {
    const packed = compress(Buffer.alloc(64 << 20));
    const before = process.memoryUsage();
    expect(() => decompress(packed, 1 << 20)).toThrow(/more than 1048576 bytes/);
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.external).toBeLessThan(
      before.arrayBuffers + before.external + (8 << 20),
    );
  });

  it("throws a CompressionError for data cut off at any byte", () => {
    const packed = compress(words(300));
    for (let length = 0; length < packed.length; length++) {
      expect(() => decompress(packed.subarray(0, length), 10_000)).toThrow(CompressionError);
    }
  });

  it("throws nothing but CompressionErrors for damaged data, and keeps to the bound", () => {
    const packed = compress(Buffer.concat([words(300), Buffer.alloc(300), words(100)]));
    const change = fc.tuple(fc.nat(packed.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const damaged = Buffer.from(packed);
        for (const [at, byte] of changes) damaged[at] = byte;
        try {
          expect(decompress(damaged, 4000).length).toBeLessThanOrEqual(4000);
        } catch (error) {
          expect(error).toBeInstanceOf(CompressionError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("throws nothing but CompressionErrors for random data", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(decompress(bytes, 1000).length).toBeLessThanOrEqual(1000);
        } catch (error) {
          expect(error).toBeInstanceOf(CompressionError);
        }
      }),
    );
  });
});

describe("gzip", () => {
  it("is the format of every other gzip", () => {
    const bytes = words(10_000);
    expect(gunzipSync(nodeCompressors.gzip.compress(bytes)).equals(bytes)).toBe(true);
    const packed = gzipSync(bytes, { level: 9 });
    expect(Buffer.from(nodeCompressors.gzip.decompress(packed, 10_000)).equals(bytes)).toBe(true);
  });

  it("says that a wrong checksum is malformed data", () => {
    const packed = nodeCompressors.gzip.compress(words(100));
    packed[packed.length - 5] = (packed[packed.length - 5] as number) ^ 1;
    expect(() => nodeCompressors.gzip.decompress(packed, 100)).toThrow(/malformed/);
  });
});

describe("snappy", () => {
  const { decompress } = nodeCompressors.snappy;

  it("reads a raw block written by hand", () => {
    // 40 bytes: a literal "a", then 39 more copied from one back.
    const block = Uint8Array.of(40, 0x00, 0x61, (38 << 2) | 2, 1, 0);
    expect(Buffer.from(decompress(block, 40)).toString()).toBe("a".repeat(40));
  });

  it("refuses a declared size that so few bytes cannot hold, before it allocates it", () => {
    // 1 GiB declared by 7 bytes.
    const block = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x04, 0x00, 0x61);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decompress(block, 2 ** 32)).toThrow(CompressionError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });

  it("admits the densest block there is", () => {
    // A literal, then copies of 64 bytes, 3 bytes each.
    const copies = 20_000;
    const size = 1 + 64 * copies;
    const head = [(size & 0x7f) | 0x80, ((size >> 7) & 0x7f) | 0x80, size >> 14, 0x00, 0x61];
    const block = Buffer.concat([Buffer.from(head), Buffer.alloc(3 * copies)]);
    for (let at = head.length; at < block.length; at += 3) {
      block[at] = (63 << 2) | 2;
      block[at + 1] = 1;
    }
    expect(Buffer.from(decompress(block, size)).equals(Buffer.alloc(size, 0x61))).toBe(true);
  });
});

/** The command-line tool of a format, where the machine has it. */
function tool(command: string) {
  const run = (args: string[], input: Uint8Array) =>
    spawnSync(command, args, { input, maxBuffer: 1 << 28 });
  const isThere = run(["--version"], Buffer.alloc(0)).status === 0;
  const pipe = (args: string[], input: Uint8Array): Buffer => {
    const { status, stdout, stderr } = run(args, input);
    if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
    return stdout;
  };
  return { isThere, pipe };
}

describe.each([
  ["gzip", ["-1", "-9"]],
  ["lz4", ["-1", "-9", "-BD -B4", "-BX -B5", "--no-frame-crc", "-B7 --content-size"]],
  ["zstd", ["-1", "-19", "--no-check", "--no-content-size -3", "--ultra -22", "--long=27"]],
] as const)("the %s tool", (name, variants) => {
  const { isThere, pipe } = tool(name);
  const { compress, decompress } = nodeCompressors[name];
  const samples = [Buffer.alloc(0), words(1), words(700_000), Buffer.alloc(700_000, 3)];

  it.skipIf(!isThere)("reads what is written here", () => {
    for (const bytes of samples) {
      expect(pipe(["-d", "-c"], compress(bytes)).equals(bytes)).toBe(true);
    }
  });

  it.skipIf(!isThere).each(variants)("is read here, called with %s", (variant) => {
    for (const bytes of samples) {
      const packed = pipe([...variant.split(" "), "-c"], bytes);
      expect(Buffer.from(decompress(packed, bytes.length)).equals(bytes)).toBe(true);
      if (bytes.length === 0) continue;
      expect(() => decompress(packed, bytes.length - 1)).toThrow(CompressionError);
    }
  });
});

describe.each(["gzip", "lz4", "zstd"] as const)("%s frames one after the other", (name) => {
  const { compress, decompress } = nodeCompressors[name];
  const packed = Buffer.concat([compress(words(1000)), compress(words(500))]);

  it("are unpacked together, within one bound", () => {
    const bytes = Buffer.concat([words(1000), words(500)]);
    expect(Buffer.from(decompress(packed, 1500)).equals(bytes)).toBe(true);
    expect(() => decompress(packed, 1499)).toThrow(CompressionError);
  });
});
