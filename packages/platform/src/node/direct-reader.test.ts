import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DIRECT_READ_BYTES_MIN, DirectReader } from "./direct-reader.js";
import { nodeFileSystem } from "./file-system.js";

const MEBIBYTE = 1024 * 1024;
const FILE_BYTES = 3 * MEBIBYTE + 1_234;

let root = "";
let file = "";

beforeEach(async () => {
  root = await fs.mkdtemp(path.join(tmpdir(), "strandline-direct-read-"));
  file = path.join(root, "log");
});

afterEach(async () => {
  await fs.rm(root, { recursive: true, force: true });
});

/** Bytes that tell where they belong. */
function bytesFrom(seed: number, length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let at = 0; at < words.length; at += 1) words[at] = seed + at;
  return Buffer.from(words.buffer, 0, length);
}

describe("a large read that is likely the only one", () => {
  it("gives what any other read would, wherever it begins and ends", async () => {
    const contents = bytesFrom(7, FILE_BYTES);
    await fs.writeFile(file, contents);
    const handle = await nodeFileSystem.open(file, { create: false });
    const place = fc.record({
      position: fc.integer({ min: 0, max: FILE_BYTES + 5_000 }),
      length: fc.oneof(
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: DIRECT_READ_BYTES_MIN - 10, max: 2 * DIRECT_READ_BYTES_MIN }),
        fc.integer({ min: MEBIBYTE - 10, max: MEBIBYTE + 10 }),
        fc.constant(2 * MEBIBYTE + 77),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(place, { minLength: 1, maxLength: 6 }), async (places) => {
        const read = async ({ position, length }: { position: number; length: number }) => {
          const target = new Uint8Array(length);
          const count = await handle.read(target, position, { isLikelyOnly: true });
          const wanted = contents.subarray(position, position + length);
          expect(count).toBe(wanted.length);
          expect(Buffer.compare(target.subarray(0, count), wanted)).toBe(0);
        };
        await Promise.all(places.map(read));
      }),
      { numRuns: 30 },
    );
    await handle.close();
  });

  it("sees what was written a moment ago, synced or not", async () => {
    const handle = await nodeFileSystem.open(file, { create: true });
    const first = bytesFrom(1, MEBIBYTE);
    const second = bytesFrom(9, 300_001);
    await handle.write([first], 0);
    const target = new Uint8Array(MEBIBYTE);
    expect(await handle.read(target, 0, { isLikelyOnly: true })).toBe(MEBIBYTE);
    expect(Buffer.compare(target, first)).toBe(0);
    await handle.writeDurably([second], MEBIBYTE);
    const tail = new Uint8Array(500_000);
    expect(await handle.read(tail, MEBIBYTE, { isLikelyOnly: true })).toBe(second.length);
    expect(Buffer.compare(tail.subarray(0, second.length), second)).toBe(0);
    await handle.close();
  });

  it("is refused, as any other, once the file is closed", async () => {
    const handle = await nodeFileSystem.open(file, { create: true });
    await handle.close();
    const target = new Uint8Array(MEBIBYTE);
    await expect(handle.read(target, 0, { isLikelyOnly: true })).rejects.toThrow("closed");
  });

  it("leaves the file's end, where it is no whole block, to the ordinary way", async () => {
    await fs.writeFile(file, bytesFrom(3, DIRECT_READ_BYTES_MIN + 100));
    const cached = await fs.open(file, "r");
    const reader = await DirectReader.open(cached.fd);
    const target = new Uint8Array(DIRECT_READ_BYTES_MIN + 5_000);
    const count = await reader?.read(target, 0);
    if (reader !== undefined) expect(count).toBe(DIRECT_READ_BYTES_MIN + 100);
    await reader?.close();
    await cached.close();
  });
});
