import { describe, expect, it } from "vitest";
import { SimRandom } from "../random.js";
import { SimFile } from "./sim-file.js";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe(SimFile, () => {
  it("reads what was written, zeros in the gaps, and nothing past the end", () => {
    const file = new SimFile();
    file.write(4, bytes(1, 2));
    const target = new Uint8Array(8).fill(7);
    expect(file.read(target, 2)).toBe(4);
    expect(target).toEqual(bytes(0, 0, 1, 2, 7, 7, 7, 7));
    expect(file.read(target, 6)).toBe(0);
    file.truncate(5);
    file.write(6, bytes(3));
    expect(file.content()).toEqual(bytes(0, 0, 0, 0, 1, 0, 3));
  });

  it("keeps what was synced through every power cut", () => {
    for (let seed = 0; seed < 200; seed++) {
      const file = new SimFile();
      file.write(0, new Uint8Array(1_000).fill(1));
      file.makeDurable(file.mark);
      file.write(1_000, new Uint8Array(3_000).fill(2));
      file.loseUnsynced(SimRandom.fromSeed(seed));
      expect(file.content().subarray(0, 1_000)).toEqual(new Uint8Array(1_000).fill(1));
    }
  });

  it("makes durable only what came before the mark", () => {
    let lostCount = 0;
    for (let seed = 0; seed < 100; seed++) {
      const file = new SimFile();
      file.write(0, bytes(1));
      const mark = file.mark;
      file.write(1, bytes(2));
      file.makeDurable(mark);
      expect(file.hasUnsynced).toBe(true);
      file.loseUnsynced(SimRandom.fromSeed(seed));
      expect(file.content()[0]).toBe(1);
      if (file.lengthBytes === 1) lostCount++;
    }
    expect(lostCount).toBeGreaterThan(0);
  });

  it("takes the bytes of a failed sync for clean: the next sync does not save them", () => {
    let lostCount = 0;
    for (let seed = 0; seed < 100; seed++) {
      const file = new SimFile();
      const random = SimRandom.fromSeed(seed);
      file.write(0, bytes(1, 2, 3));
      file.failSync(file.mark, random);
      file.makeDurable(file.mark);
      expect(file.content()).toEqual(bytes(1, 2, 3));
      file.loseUnsynced(random);
      if (file.lengthBytes < 3 || file.content()[0] === 0) lostCount++;
    }
    expect(lostCount).toBeGreaterThan(0);
  });

  it("rots a bit on the disk as in memory", () => {
    const file = new SimFile();
    file.write(0, bytes(0, 0));
    file.makeDurable(file.mark);
    file.flipBit(1, 3);
    expect(file.content()).toEqual(bytes(0, 8));
    file.loseUnsynced(SimRandom.fromSeed(1));
    expect(file.content()).toEqual(bytes(0, 8));
  });
});
