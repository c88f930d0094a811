import { describe, expect, it } from "vitest";
import { BufferPool, hold, keep, Lease, release } from "./buffer-pool.js";

const KIB = 1024;

describe(BufferPool, () => {
  it("gives memory again once nobody holds it, and not before", () => {
    const pool = new BufferPool();
    const bytes = pool.take(20 * KIB);
    const part = bytes.subarray(5, 10);
    hold(part);
    release(bytes);
    expect(pool.take(20 * KIB).buffer).not.toBe(bytes.buffer);
    release(part);
    expect(pool.take(20 * KIB).buffer).toBe(bytes.buffer);
  });

  it("gives as many bytes as were asked for, in memory of nearly that size", () => {
    const pool = new BufferPool();
    for (const length of [16 * KIB, 17_000, 100_000, 999_999, 1_048_576, 1_048_577, 5_000_001]) {
      const bytes = pool.take(length);
      expect(bytes).toHaveLength(length);
      expect(bytes.buffer.byteLength).toBeLessThanOrEqual(length * 1.25);
    }
  });

  it("leaves what is small or very large to others", () => {
    const pool = new BufferPool();
    for (const length of [0, 1, 16 * KIB - 1, 64 * KIB * KIB]) {
      const bytes = pool.take(length);
      expect(bytes).toHaveLength(length);
      release(bytes);
    }
    expect(pool.freeBytes).toBe(0);
  });

  it("never uses again what somebody keeps, or other memory", () => {
    const pool = new BufferPool();
    const bytes = pool.take(20 * KIB);
    keep(bytes.subarray(1, 2));
    release(bytes);
    const other = new Uint8Array(20 * KIB);
    hold(other);
    release(other);
    release(other);
    expect(pool.freeBytes).toBe(0);
  });

  it("does not take the same memory back twice", () => {
    const pool = new BufferPool();
    const bytes = pool.take(20 * KIB);
    release(bytes);
    release(bytes);
    expect(pool.take(20 * KIB).buffer).not.toBe(pool.take(20 * KIB).buffer);
  });

  it("holds a bounded amount that nobody uses", () => {
    const pool = new BufferPool({ freeBytesMax: 64 * KIB });
    const taken = Array.from({ length: 5 }, () => pool.take(32 * KIB));
    for (const bytes of taken) release(bytes);
    expect(pool.freeBytes).toBe(64 * KIB);
  });

  it("overwrites what came back, where it is asked to", () => {
    const pool = new BufferPool({ bytesMin: 8, overwrites: true });
    const bytes = pool.take(9).fill(1);
    release(bytes);
    expect(bytes).not.toContain(1);
  });
});

describe(Lease, () => {
  it("holds until it is released, once", () => {
    const pool = new BufferPool();
    const shared = pool.take(20 * KIB);
    const lease = new Lease(pool);
    lease.hold(shared);
    const own = lease.take(40 * KIB);
    release(shared);
    expect(pool.freeBytes).toBe(0);
    lease.release();
    lease.release();
    const sizeBytes = shared.buffer.byteLength + own.buffer.byteLength;
    expect(pool.freeBytes).toBe(sizeBytes);
  });

  it("takes memory without a pool too", () => {
    expect(new Lease().take(20 * KIB)).toHaveLength(20 * KIB);
  });
});
