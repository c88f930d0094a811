import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OffsetIndex } from "./offset-index.js";

function index(entries: readonly (readonly [offset: number, position: number])[]): OffsetIndex {
  const made = new OffsetIndex(100);
  for (const [offset, position] of entries) made.append(offset, position);
  return made;
}

const THREE = [
  [105, 500],
  [110, 900],
  [119, 2000],
] as const;

describe(OffsetIndex, () => {
  it("names a batch from which a walk forward finds the offset", () => {
    const three = index(THREE);
    expect(three.positionBefore(100)).toBe(0);
    // The batch at 500 ends with 105: it may be the one that holds 105, so not from behind it.
    expect(three.positionBefore(105)).toBe(0);
    expect(three.positionBefore(106)).toBe(500);
    expect(three.positionBefore(110)).toBe(500);
    expect(three.positionBefore(10_000)).toBe(2000);
  });

  it("stores Kafka's bytes: pairs of int32, the offset relative", () => {
    expect([...index(THREE).encode()]).toEqual([
      0, 0, 0, 5, 0, 0, 1, 244, 0, 0, 0, 10, 0, 0, 3, 132, 0, 0, 0, 19, 0, 0, 7, 208,
    ]);
    expect(index(THREE).encode(2)).toHaveLength(8);
    expect(index(THREE).encode(5)).toHaveLength(0);
  });

  it("reads back what it stored, and no more of it than the log has", () => {
    const bytes = index(THREE).encode();
    expect(OffsetIndex.decode(100, bytes, 2001)?.entryCount).toBe(3);
    expect(OffsetIndex.decode(100, bytes, 2000)?.entryCount).toBe(2);
    expect(OffsetIndex.decode(100, bytes, 0)?.entryCount).toBe(0);
  });

  it("is no index when entries do not grow, are negative, or are cut", () => {
    const bytes = index(THREE).encode();
    expect(OffsetIndex.decode(100, bytes.subarray(0, 23), 5000)).toBeUndefined();
    expect(OffsetIndex.decode(100, new Uint8Array(16), 5000)).toBeUndefined();
    for (let at = 0; at < bytes.length; at += 4) {
      const spoiled = bytes.slice();
      spoiled[at] = 0x80;
      expect(OffsetIndex.decode(100, spoiled, 5000)).toBeUndefined();
    }
  });

  it("names the last place a batch is known to begin at, up to a position", () => {
    const index = new OffsetIndex(0);
    index.append(9, 100);
    index.append(19, 300);
    const found = [0, 99, 100, 299, 300, 5000].map((position) => index.positionUpTo(position));
    expect(found).toEqual([0, 0, 100, 100, 300, 300]);
  });

  it("cuts by position", () => {
    const three = index(THREE);
    three.truncate(900);
    expect(three.entryCount).toBe(1);
    expect(three.lastOffset).toBe(105);
    three.append(107, 800);
    expect(three.positionBefore(108)).toBe(800);
  });

  it("refuses entries that do not grow", () => {
    expect(() => index(THREE).append(119, 3000)).toThrow("offsets of an index grow");
    expect(() => index(THREE).append(120, 2000)).toThrow("positions of an index grow");
  });

  it("finds what a search from the start would", () => {
    const steps = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 99 })),
    );
    fc.assert(
      fc.property(steps, fc.nat(400), (growth, wanted) => {
        let offset = 100;
        let position = 0;
        const entries = growth.map(([by, bytes]) => {
          offset += by;
          position += bytes;
          return [offset, position] as const;
        });
        const made = index(entries);
        const due = entries.filter(([last]) => last < wanted).at(-1)?.[1] ?? 0;
        expect(made.positionBefore(wanted)).toBe(due);
        const again = OffsetIndex.decode(100, made.encode(), position + 1);
        expect(again?.positionBefore(wanted)).toBe(due);
        for (const [last, at] of entries) expect(made.offsetAt(at)).toBe(last);
        expect(made.offsetAt(position + 1)).toBeUndefined();
      }),
    );
  });
});
