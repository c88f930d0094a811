import { describe, expect, it } from "vitest";
import { TimeIndex } from "./time-index.js";

function index(): TimeIndex {
  const made = new TimeIndex(100);
  made.append(1000, 105);
  made.append(3000, 110);
  made.append(7000, 119);
  return made;
}

describe(TimeIndex, () => {
  it("names an offset before which nothing is as late as the time asked for", () => {
    expect(index().offsetBefore(0)).toBe(100);
    expect(index().offsetBefore(1000)).toBe(100);
    expect(index().offsetBefore(1001)).toBe(105);
    expect(index().offsetBefore(3000)).toBe(105);
    expect(index().offsetBefore(9000)).toBe(119);
  });

  it("leaves out entries that say nothing new", () => {
    const made = index();
    made.append(7000, 130);
    made.append(6000, 131);
    made.append(8000, 118);
    expect(made.entryCount).toBe(3);
    made.append(8000, 100 + 2 ** 31);
    expect(made.entryCount).toBe(3);
  });

  it("stores Kafka's bytes: an int64 time and an int32 relative offset", () => {
    expect([...index().encode(2)]).toEqual([0, 0, 0, 0, 0, 0, 27, 88, 0, 0, 0, 19]);
  });

  it("reads back what it stored, and nothing behind the end of the segment", () => {
    const bytes = index().encode();
    expect(TimeIndex.decode(100, bytes, 120)?.entryCount).toBe(3);
    expect(TimeIndex.decode(100, bytes, 119)?.entryCount).toBe(2);
  });

  it("is no index when entries do not grow, are out of range, or are cut", () => {
    const bytes = index().encode();
    expect(TimeIndex.decode(100, bytes.subarray(0, 30), 200)).toBeUndefined();
    expect(TimeIndex.decode(100, new Uint8Array(24), 200)).toBeUndefined();
    for (const at of [0, 8, 12, 20, 24, 32]) {
      const spoiled = bytes.slice();
      spoiled[at] = 0x80;
      expect(TimeIndex.decode(100, spoiled, 200)).toBeUndefined();
    }
    const late = bytes.slice();
    late[24] = 0x7f;
    expect(TimeIndex.decode(100, late, 200)).toBeUndefined();
  });

  it("cuts by offset", () => {
    const made = index();
    made.truncate(110);
    expect(made.lastTimestampMs).toBe(1000);
    expect(made.lastOffset).toBe(105);
  });
});
