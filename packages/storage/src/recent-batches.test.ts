import { BufferPool, Lease, release } from "@strandline/platform";
import { lastOffset } from "@strandline/record";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecentBatches } from "./recent-batches.js";
import { batch, concat, endOf, isSame } from "./testing/world.js";

/** Chunks of so many batches of two records each, from offset 10. */
function recent(...counts: number[]): { tail: RecentBatches; batches: Uint8Array[] } {
  const tail = new RecentBatches(10);
  const batches: Uint8Array[] = [];
  let offset = 10;
  for (const count of counts) {
    const chunk: Uint8Array[] = [];
    const base = offset;
    for (let index = 0; index < count; index++) {
      chunk.push(batch(offset, { count: 2, valueBytes: 10 }));
      offset += 2;
    }
    batches.push(...chunk);
    tail.push(concat(chunk), base, offset);
  }
  return { tail, batches };
}

/** A batch in memory of the pool, which nobody but the tail holds then. */
function pushPooled(tail: RecentBatches, pool: BufferPool, offset: number): void {
  const plain = batch(offset);
  const bytes = pool.take(plain.length);
  bytes.set(plain);
  tail.push(bytes, offset, offset + 1);
  release(bytes);
}

describe(RecentBatches, () => {
  it("gives a chunk as it came when all of it is wanted", () => {
    const tail = new RecentBatches(0);
    const chunk = concat([batch(0), batch(1)]);
    tail.push(chunk, 0, 2);
    expect(tail.read(0, 10_000, 2)?.[0]).toBe(chunk);
  });

  it("gives nothing at the end, and does not know what is before its start", () => {
    const { tail } = recent(3);
    expect(tail.read(16, 1000, 16)).toEqual([]);
    expect(tail.read(12, 1000, 12)).toEqual([]);
    expect(tail.read(9, 1000, 16)).toBeUndefined();
    expect(new RecentBatches(5).read(4, 1000, 5)).toBeUndefined();
    expect(new RecentBatches(5).read(5, 1000, 5)).toEqual([]);
  });

  it("evicts the oldest chunks beyond the bound, but none that is not written", () => {
    const { tail, batches } = recent(1, 1, 1, 1);
    const size = batches[0]?.length ?? 0;
    tail.evict(2 * size, 12);
    expect(tail.startOffset).toBe(12);
    tail.evict(2 * size, 18);
    expect(tail.startOffset).toBe(14);
    expect(tail.sizeBytes).toBe(2 * size);
    tail.evict(0, 18);
    expect(tail.startOffset).toBe(18);
    expect(tail.sizeBytes).toBe(0);
  });

  it("keeps its place through many evictions", () => {
    const tail = new RecentBatches(0);
    for (let offset = 0; offset < 3000; offset++) {
      tail.push(batch(offset, { valueBytes: 1 }), offset, offset + 1);
      tail.evict(700, offset + 1);
      const found = tail.read(offset, 1, offset + 1);
      expect(found).toHaveLength(1);
      expect(lastOffset(found?.[0] as Uint8Array, 0)).toBe(offset);
    }
    expect(tail.sizeBytes).toBeLessThanOrEqual(700);
  });

  it("gives the memory of evicted chunks back once their readers are done", () => {
    const pool = new BufferPool({ bytesMin: 16 });
    const tail = new RecentBatches(0);
    for (let offset = 0; offset < 3; offset++) pushPooled(tail, pool, offset);
    const lease = new Lease();
    tail.read(1, 1, 2, lease);
    tail.evict(0, 3);
    const evictedBytes = pool.freeBytes;
    lease.release();
    expect(evictedBytes).toBeGreaterThan(0);
    expect(pool.freeBytes).toBe(evictedBytes * 1.5);
  });

  it("gives back nothing that was read without a lease, or cut off", () => {
    const pool = new BufferPool({ bytesMin: 16 });
    const tail = new RecentBatches(0);
    for (let offset = 0; offset < 2; offset++) pushPooled(tail, pool, offset);
    tail.read(0, 1, 1);
    tail.truncate(1);
    tail.evict(0, 1);
    expect(pool.freeBytes).toBe(0);
  });

  it("steps over a gap in the offsets", () => {
    const tail = new RecentBatches(0);
    tail.push(batch(0), 0, 1);
    tail.push(batch(50), 50, 51);
    expect(endOf(concat(tail.read(1, 1000, 51) ?? []))).toBe(51);
    expect(tail.read(1, 1000, 50)).toEqual([]);
  });

  it("reads and cuts as a plain list of batches would", () => {
    const counts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 });
    const numbers = fc.record({ from: fc.nat(30), bytesMax: fc.nat(500), end: fc.nat(60) });
    fc.assert(
      fc.property(counts, numbers, fc.nat(30), (chunks, wanted, cutAt) => {
        const { tail, batches } = recent(...chunks);
        const cut = Math.min(batches.length, cutAt);
        if (cut < batches.length) tail.truncate(10 + 2 * cut);
        const kept = batches.slice(0, cut);
        const from = 10 + wanted.from;
        const end = wanted.end + 5;
        const due: Uint8Array[] = [];
        let room = wanted.bytesMax;
        for (const one of kept) {
          if (lastOffset(one, 0) < from) continue;
          if (lastOffset(one, 0) >= end) break;
          if (due.length > 0 && one.length > room) break;
          room -= one.length;
          due.push(one);
        }
        const found = tail.read(from, wanted.bytesMax, end);
        expect(isSame(concat(found ?? []), concat(due))).toBe(true);
        expect(tail.sizeBytes).toBe(concat(kept).length);
      }),
    );
  });
});
