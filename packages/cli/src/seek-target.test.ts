import { describe, expect, it } from "vitest";
import { parseSeekTarget, seekOffset } from "./seek-target.js";

const bounds = { current: 50, start: 10, end: 100, ofTime: 70 };

describe(parseSeekTarget, () => {
  it("reads ends, offsets, times and shifts", () => {
    expect(parseSeekTarget({ to: "earliest" })).toEqual({ kind: "earliest" });
    expect(parseSeekTarget({ to: "end" })).toEqual({ kind: "latest" });
    expect(parseSeekTarget({ to: "42" })).toEqual({ kind: "offset", offset: 42 });
    expect(parseSeekTarget({ to: "s@9" })).toEqual({ kind: "timestamp", timestampMs: 9 });
    expect(parseSeekTarget({ to: "1970-01-01T00:00:01Z" })).toEqual({
      kind: "timestamp",
      timestampMs: 1_000,
    });
    expect(parseSeekTarget({ shiftBy: "-10" })).toEqual({ kind: "shift", by: -10 });
  });

  it("refuses what it cannot read, nothing, and two at once", () => {
    expect(() => parseSeekTarget({ to: "soon" })).toThrow("no place");
    expect(() => parseSeekTarget({ shiftBy: "far" })).toThrow("whole number");
    expect(() => parseSeekTarget({})).toThrow("either");
    expect(() => parseSeekTarget({ to: "1", shiftBy: "1" })).toThrow("either");
  });
});

describe(seekOffset, () => {
  it("goes where it is told, but not out of the log", () => {
    expect(seekOffset({ kind: "earliest" }, bounds)).toBe(10);
    expect(seekOffset({ kind: "latest" }, bounds)).toBe(100);
    expect(seekOffset({ kind: "offset", offset: 5 }, bounds)).toBe(10);
    expect(seekOffset({ kind: "offset", offset: 1_000 }, bounds)).toBe(100);
    expect(seekOffset({ kind: "shift", by: -7 }, bounds)).toBe(43);
    expect(seekOffset({ kind: "shift", by: 70 }, bounds)).toBe(100);
  });

  it("goes to the end when no record is as late as the asked time", () => {
    const target = { kind: "timestamp", timestampMs: 1 } as const;
    expect(seekOffset(target, bounds)).toBe(70);
    expect(seekOffset(target, { ...bounds, ofTime: -1 })).toBe(100);
  });

  it("counts a shift from the first record where nothing was committed", () => {
    expect(seekOffset({ kind: "shift", by: 3 }, { ...bounds, current: undefined })).toBe(13);
  });
});
