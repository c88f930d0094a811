import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecentBatches } from "./recent-batches.js";
import { CHUNK_OVERHEAD_BYTES, TailMemory } from "./tail-memory.js";
import { batch } from "./testing/world.js";

const CHUNK = batch(0);
const CHUNK_COST = CHUNK.length + CHUNK_OVERHEAD_BYTES;

/** Logs that share room for so many chunks. */
function sharing(logs: number, chunks: number) {
  const memory = new TailMemory(chunks * CHUNK_COST);
  const tails = Array.from({ length: logs }, () => new RecentBatches(0, memory));
  const ends = tails.map(() => 0);
  return {
    memory,
    held: () => tails.map((tail, log) => (ends[log] as number) - tail.startOffset),
    tail: (log: number) => tails[log] as RecentBatches,
    push: (log: number, options: { isWritten: boolean } = { isWritten: true }) => {
      const tail = tails[log] as RecentBatches;
      const base = ends[log] as number;
      ends[log] = base + 1;
      tail.push(batch(base), base, base + 1);
      if (options.isWritten) tail.evict(Number.POSITIVE_INFINITY, base + 1);
    },
    cut: (log: number, offset: number) => {
      ends[log] = offset;
      (tails[log] as RecentBatches).truncate(offset);
    },
    restart: (log: number) => {
      ends[log] = 0;
      (tails[log] as RecentBatches).reset(0);
    },
  };
}

describe(TailMemory, () => {
  it("lets the oldest chunk of all logs give way", () => {
    const { push, held } = sharing(3, 4);
    for (const log of [0, 1, 2, 2, 2]) push(log);
    expect(held()).toEqual([0, 1, 3]);
    push(0);
    expect(held()).toEqual([1, 0, 3]);
  });

  it("gives one busy log all there is", () => {
    const { push, held } = sharing(2, 4);
    for (let count = 0; count < 10; count += 1) push(1);
    expect(held()).toEqual([0, 4]);
  });

  it("keeps what is not written, and drops it later", () => {
    const { push, held, tail, memory } = sharing(2, 2);
    for (let count = 0; count < 4; count += 1) push(0, { isWritten: false });
    expect(held()).toEqual([4, 0]);
    tail(0).evict(Number.POSITIVE_INFINITY, 4);
    push(1);
    expect(held()).toEqual([1, 1]);
    expect(memory.sizeBytes).toBe(2 * CHUNK_COST);
  });

  it("counts what every log holds, whatever they do", () => {
    const step = fc.tuple(
      fc.constantFrom("push", "unwritten", "cut", "restart", "evict"),
      fc.nat({ max: 2 }),
      fc.nat({ max: 6 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = sharing(3, 5);
        for (const [kind, log, argument] of steps) {
          const tail = world.tail(log);
          const end = tail.startOffset + (world.held()[log] as number);
          if (kind === "push") world.push(log);
          else if (kind === "unwritten") world.push(log, { isWritten: false });
          else if (kind === "cut") world.cut(log, Math.max(tail.startOffset, end - argument));
          else if (kind === "restart") world.restart(log);
          else tail.evict(argument * CHUNK.length, end);
          const chunks = world.held().reduce((sum, count) => sum + count, 0);
          expect(world.memory.sizeBytes).toBe(chunks * CHUNK_COST);
        }
        // All of it written, the next chunks find the bound kept.
        for (const log of [0, 1, 2]) world.push(log);
        for (const log of [0, 1, 2]) world.push(log);
        expect(world.memory.sizeBytes).toBeLessThanOrEqual(5 * CHUNK_COST);
      }),
    );
  });
});
