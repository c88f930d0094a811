import { crc32c } from "@strandline/platform";
import { baseOffset } from "@strandline/record";
import { describe, expect, it } from "vitest";
import { type WalkEnd, walkBatches } from "./batch-walk.js";
import { MemoryFileSystem } from "./testing/memory-file-system.js";
import { batch, concat } from "./testing/world.js";

async function walk(
  bytes: Uint8Array,
  options: {
    to?: number;
    fromOffset?: number;
    epochMin?: number;
    check?: boolean;
    hasGaps?: boolean;
  } = {},
): Promise<{ end: WalkEnd; offsets: number[]; reads: number }> {
  const files = new MemoryFileSystem();
  files.put("/a", bytes);
  let reads = 0;
  files.before = (operation) => {
    if (operation === "read") reads += 1;
  };
  const handle = await files.open("/a", { create: false });
  const offsets: number[] = [];
  const range = {
    from: 0,
    to: options.to ?? bytes.length,
    fromOffset: options.fromOffset ?? 0,
    check:
      options.check === false
        ? undefined
        : { crc32c, epochMin: options.epochMin ?? -1, hasGaps: options.hasGaps ?? false },
  };
  const end = await walkBatches(handle, range, (piece, at) => {
    offsets.push(baseOffset(piece, at));
    return true;
  });
  return { end, offsets, reads };
}

describe(walkBatches, () => {
  it("sees every batch and ends where they do", async () => {
    const bytes = concat([batch(0), batch(1), batch(2, { count: 3 })]);
    const { end, offsets } = await walk(bytes);
    expect(offsets).toEqual([0, 1, 2]);
    expect(end).toEqual({ position: bytes.length, nextOffset: 5, problem: undefined });
  });

  it("takes a gap in the offsets for damage, unless gaps are normal", async () => {
    const bytes = concat([batch(0), batch(5)]);
    expect((await walk(bytes)).end.problem).toContain("offset 5 stands where 1 is due");
    expect((await walk(bytes, { hasGaps: true })).offsets).toEqual([0, 5]);
    expect((await walk(bytes, { check: false })).offsets).toEqual([0, 5]);
  });

  it("walks batches larger than a piece, and skips their bodies when it may", async () => {
    const large = batch(1, { valueBytes: 2_500_000 });
    const bytes = concat([batch(0), large, batch(2)]);
    expect((await walk(bytes)).offsets).toEqual([0, 1, 2]);
    const skipped = await walk(bytes, { check: false });
    expect(skipped.offsets).toEqual([0, 1, 2]);
    expect(skipped.reads).toBeLessThanOrEqual(3);
  });

  it("stops at the first byte that is wrong, wherever it is", async () => {
    const good = concat([batch(0), batch(1)]);
    const one = batch(0).length;
    for (let at = one; at < good.length; at++) {
      // The leader epoch may be larger: what a follower was given is not known here.
      if (at >= one + 12 && at < one + 16) continue;
      const bytes = good.slice();
      bytes[at] = (bytes[at] as number) ^ 0x80;
      const { end, offsets } = await walk(bytes);
      expect(end.problem).toBeDefined();
      expect(end.position).toBe(one);
      expect(offsets).toEqual([0]);
    }
  });

  it("stops where the file ends inside a batch, at any byte", async () => {
    const good = concat([batch(0), batch(1)]);
    const one = batch(0).length;
    for (let size = one + 1; size < good.length; size++) {
      for (const check of [true, false]) {
        const { end } = await walk(good.slice(0, size), { check });
        expect(end.position).toBe(one);
        expect(end.nextOffset).toBe(1);
        expect(end.problem).toContain("ends inside");
      }
    }
  });

  it("stops at zeros, at offsets that go back, and at epochs that do", async () => {
    const zeros = await walk(concat([batch(0), new Uint8Array(5000)]));
    expect(zeros.end.problem).toContain("no batch has 12 bytes");
    const back = await walk(concat([batch(4), batch(3)]), { hasGaps: true });
    expect(back.offsets).toEqual([4]);
    expect((await walk(batch(4), { fromOffset: 5 })).offsets).toEqual([]);
    const epochs = concat([batch(0, { epoch: 3 }), batch(1, { epoch: 2 })]);
    expect((await walk(epochs)).end.problem).toContain("epoch 2 stands after 3");
    expect((await walk(batch(0, { epoch: 1 }), { epochMin: 2 })).offsets).toEqual([]);
  });

  it("does not believe a length that the file cannot hold", async () => {
    const bytes = concat([batch(0), batch(1)]);
    new DataView(bytes.buffer).setInt32(batch(0).length + 8, 60_000_000);
    const { end } = await walk(bytes);
    expect(end.problem).toContain("ends inside a batch");
  });

  it("notices a file that is shorter than it should be", async () => {
    const bytes = concat([batch(0), batch(1)]);
    const { end } = await walk(bytes, { to: bytes.length + 500 });
    expect(end.nextOffset).toBe(2);
    expect(end.problem).toBeDefined();
  });
});
