import { describe, expect, it } from "vitest";
import { deletableSegments, type RetentionLimits } from "./retention.js";

/** Four segments of ten records and 100 bytes, last appended to at 1000, 2000, 3000, 4000. */
const FOUR = [1, 2, 3, 4].map((place) => ({
  nextOffset: place * 10,
  sizeBytes: 100,
  lastAppendMs: place * 1000,
}));

const NONE: RetentionLimits = {
  nowMs: 5000,
  retentionMs: -1,
  retentionBytes: -1,
  highWatermark: 40,
  logStartOffset: 0,
};

describe(deletableSegments, () => {
  it("deletes nothing without a limit", () => {
    expect(deletableSegments(FOUR, NONE)).toBe(0);
  });

  it("deletes what is older than the limit, and not what is exactly as old", () => {
    expect(deletableSegments(FOUR, { ...NONE, retentionMs: 3000 })).toBe(1);
    expect(deletableSegments(FOUR, { ...NONE, retentionMs: 2999 })).toBe(2);
    expect(deletableSegments(FOUR, { ...NONE, retentionMs: 0 })).toBe(4);
  });

  it("stops at the first segment that must stay", () => {
    const young = FOUR.map((one, place) => (place === 1 ? { ...one, lastAppendMs: 4999 } : one));
    expect(deletableSegments(young, { ...NONE, retentionMs: 100 })).toBe(1);
  });

  it("keeps at least the bytes it promised", () => {
    expect(deletableSegments(FOUR, { ...NONE, retentionBytes: 400 })).toBe(0);
    expect(deletableSegments(FOUR, { ...NONE, retentionBytes: 301 })).toBe(0);
    expect(deletableSegments(FOUR, { ...NONE, retentionBytes: 300 })).toBe(1);
    expect(deletableSegments(FOUR, { ...NONE, retentionBytes: 0 })).toBe(4);
  });

  it("never passes the high watermark", () => {
    expect(deletableSegments(FOUR, { ...NONE, retentionMs: 0, highWatermark: 29 })).toBe(2);
    expect(deletableSegments(FOUR, { ...NONE, retentionBytes: 0, highWatermark: 0 })).toBe(0);
  });

  it("deletes what is below the log's start without any limit", () => {
    expect(deletableSegments(FOUR, { ...NONE, logStartOffset: 25 })).toBe(2);
  });

  it("does not delete after a clock that went back, or of unknown age", () => {
    expect(deletableSegments(FOUR, { ...NONE, nowMs: 0, retentionMs: 100 })).toBe(0);
    const unknown = FOUR.map((one) => ({ ...one, lastAppendMs: -1 }));
    expect(deletableSegments(unknown, { ...NONE, retentionMs: 100 })).toBe(0);
  });
});
