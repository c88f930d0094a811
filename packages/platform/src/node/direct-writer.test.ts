import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DIRECT_BYTES_MIN, DirectWriter } from "./direct-writer.js";
import { nodeFileSystem } from "./file-system.js";

let root = "";

beforeEach(async () => {
  root = await fs.mkdtemp(path.join(tmpdir(), "strandline-direct-"));
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

function cut(bytes: Uint8Array, pieceBytes: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    pieces.push(bytes.subarray(at, at + pieceBytes));
  }
  return pieces;
}

/** What a write to the operating system was: which way, where, how long. */
interface Write {
  readonly isDirect: boolean;
  readonly position: number;
  readonly length: number;
}

/** A writer for a real file that notes its writes; `refuses` is asked before each. */
async function noting(refuses: (write: Write) => boolean = () => false) {
  const cached = await fs.open(path.join(root, "log"), "w+");
  const writer = await DirectWriter.open(cached.fd);
  const writes: Write[] = [];
  const append = async (chunks: readonly Uint8Array[], position: number): Promise<void> => {
    await writer?.append(cached.fd, chunks, position, async (descriptor, some, at) => {
      const length = some.reduce((sum, chunk) => sum + chunk.length, 0);
      const write = { isDirect: descriptor !== cached.fd, position: at, length };
      writes.push(write);
      if (refuses(write)) throw Object.assign(new Error("refused"), { code: "EINVAL" });
      // What is direct needs its alignment to be right; that is tried with a real handle below.
      await cached.write(Buffer.concat(some), 0, length, at);
    });
  };
  const contents = async () => await fs.readFile(path.join(root, "log"));
  const close = async () => {
    await writer?.close();
    await cached.close();
  };
  return { writer, writes, append, contents, close };
}

describe("a large durable write", () => {
  it("leaves the file as any other write would, whatever came before", async () => {
    const step = fc.record({
      length: fc.oneof(
        fc.integer({ min: 1, max: 9_000 }),
        fc.integer({ min: DIRECT_BYTES_MIN - 10, max: 3 * DIRECT_BYTES_MIN }),
        fc.constant(5 * 1024 * 1024),
      ),
      pieceBytes: fc.integer({ min: 1_000, max: 300_000 }),
      /** Cuts the file to this share of its length first. */
      keeps: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 4, nil: undefined }),
    });
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
        count += 1;
        const file = path.join(root, String(count));
        const handle = await nodeFileSystem.open(file, { create: true });
        let expected: Buffer = Buffer.alloc(0);
        for (const [index, { length, pieceBytes, keeps }] of steps.entries()) {
          if (keeps !== undefined) {
            expected = expected.subarray(0, Math.floor(expected.length * keeps));
            await handle.truncate(expected.length);
          }
          const bytes = bytesFrom(index * 1_000_003, length);
          // Those that are to be read soon go another way; either may follow on the other.
          const isLikelyRead = (index + pieceBytes) % 3 === 0;
          await handle.writeDurably(cut(bytes, pieceBytes), expected.length, { isLikelyRead });
          expected = Buffer.concat([expected, bytes]);
          // Read back at once, through the same handle: the cache must not know it otherwise.
          const seen = new Uint8Array(expected.length);
          await handle.read(seen, 0);
          expect(expected.equals(seen)).toBe(true);
          expect(await handle.sizeBytes()).toBe(expected.length);
        }
        await handle.close();
        await fs.rm(file);
      }),
      { numRuns: 15 },
    );
  });

  it("goes past the cache in whole blocks only, from the first to the last there is", async () => {
    const { writer, writes, append, contents, close } = await noting();
    if (writer === undefined) return;
    const first = bytesFrom(1, 1_000);
    const second = bytesFrom(2, 300_000);
    await append([first], 0);
    await append(cut(second, 70_001), 1_000);
    expect(writes).toEqual([
      { isDirect: false, position: 0, length: 1_000 },
      { isDirect: false, position: 1_000, length: 3_096 },
      { isDirect: true, position: 4_096, length: 294_912 },
      { isDirect: false, position: 299_008, length: 1_992 },
    ]);
    expect((await contents()).equals(Buffer.concat([first, second]))).toBe(true);
    await close();
  });

  it("goes through the cache once a file system refuses it", async () => {
    const { writer, writes, append, contents, close } = await noting(({ isDirect }) => isDirect);
    if (writer === undefined) return;
    const bytes = bytesFrom(3, 400_000);
    await append([bytes.subarray(0, 200_000)], 0);
    await append([bytes.subarray(200_000)], 200_000);
    expect(writes.filter(({ isDirect }) => isDirect)).toHaveLength(1);
    expect((await contents()).equals(bytes)).toBe(true);
    await close();
  });

  it("uses no more memory when many files are written at once", async () => {
    const handles = await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        nodeFileSystem.open(path.join(root, `many-${at}`), { create: true }),
      ),
    );
    const bytes = handles.map((_, at) => bytesFrom(at * 7_919, 700_000));
    await Promise.all(
      handles.map(async (handle, at) => await handle.writeDurably([bytes[at] as Buffer], 0)),
    );
    for (const [at, handle] of handles.entries()) {
      await handle.close();
      const written = await fs.readFile(path.join(root, `many-${at}`));
      expect(written.equals(bytes[at] as Buffer)).toBe(true);
    }
  });
});
