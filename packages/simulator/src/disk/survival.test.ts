import { describe, expect, it } from "vitest";
import { SimRandom } from "../random.js";
import { GrowingBytes } from "./growing-bytes.js";
import { applySurvivors, type Change, drawSurvival, SECTOR_BYTES } from "./survival.js";

function write(position: number, length: number, value: number): Change {
  return { kind: "write", position, bytes: new Uint8Array(length).fill(value) };
}

/** What is left of `changes` over `base` durable bytes of value 9, in each of `count` power cuts. */
function outcomes(base: number, changes: readonly Change[], count = 2_000): Uint8Array[] {
  const random = SimRandom.fromSeed(1);
  return Array.from({ length: count }, () => {
    const content = new GrowingBytes();
    content.write(0, new Uint8Array(base).fill(9));
    applySurvivors(content, changes, drawSurvival(random, changes.length));
    return content.view(0, content.length).slice();
  });
}

function sectorsOf(content: Uint8Array): Uint8Array[] {
  const sectors: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += SECTOR_BYTES) {
    sectors.push(content.subarray(at, at + SECTOR_BYTES));
  }
  return sectors;
}

describe("what survives a power cut", () => {
  it("is a sector before or after each change of it, never a mixture", () => {
    const changes = [write(0, 2 * SECTOR_BYTES, 1), write(0, 2 * SECTOR_BYTES, 2)];
    for (const content of outcomes(2 * SECTOR_BYTES, changes)) {
      for (const sector of sectorsOf(content)) {
        expect([1, 2, 9]).toContain(sector[0]);
        expect(new Set(sector).size).toBe(1);
      }
    }
  });

  it("shows different moments in different sectors, in some cut", () => {
    const changes = [write(0, 2 * SECTOR_BYTES, 1), write(0, 2 * SECTOR_BYTES, 2)];
    const seen = new Set(
      outcomes(2 * SECTOR_BYTES, changes).map((content) => {
        return `${content[0]},${content[SECTOR_BYTES]}`;
      }),
    );
    for (const state of ["9,9", "2,2", "1,2", "2,1", "9,2", "2,9"]) expect(seen).toContain(state);
  });

  it("may be a length without its data, which reads as zeros", () => {
    const contents = outcomes(10, [write(10, 2_000, 1)]);
    const isZeroTail = (content: Uint8Array): boolean => {
      return content.length === 2_010 && content.subarray(10).every((byte) => byte === 0);
    };
    expect(contents.some(isZeroTail)).toBe(true);
  });

  it("may be an append torn in its middle, with a good beginning", () => {
    const contents = outcomes(0, [write(0, 4 * SECTOR_BYTES, 1)]);
    const isTorn = (content: Uint8Array): boolean => {
      return content[0] === 1 && content.length > SECTOR_BYTES && content.at(-1) === 0;
    };
    expect(contents.some(isTorn)).toBe(true);
  });

  it("may be nothing of the changes, or all of them", () => {
    const contents = outcomes(100, [write(100, 100, 1), write(200, 100, 2)]);
    expect(contents.some((content) => content.length === 100)).toBe(true);
    expect(contents.some((content) => content.length === 300 && content[299] === 2)).toBe(true);
  });

  it("keeps bytes that no change touched", () => {
    for (const content of outcomes(100, [write(100, 2_000, 1)])) {
      expect(content.length).toBeGreaterThanOrEqual(100);
      expect(content.subarray(0, 100).every((byte) => byte === 9)).toBe(true);
    }
  });

  it("never shows again what a surviving truncation cut off", () => {
    const changes: Change[] = [{ kind: "truncate", lengthBytes: 10 }, write(2_000, 10, 1)];
    const seen = new Set<number>();
    for (const content of outcomes(1_000, changes)) {
      seen.add(content.length);
      if (content.length !== 10 && content.length !== 2_010) continue;
      expect(content.subarray(10, 2_000).every((byte) => byte === 0)).toBe(true);
    }
    expect([...seen].sort((one, other) => one - other)).toEqual([10, 1_000, 2_010]);
  });
});
