import { describe, expect, it } from "vitest";
import { parseReadRange } from "./start-position.js";

describe(parseReadRange, () => {
  it("begins at the beginning when nothing is said", () => {
    expect(parseReadRange([]).start).toEqual({ kind: "earliest" });
  });

  it("reads what kcat writes", () => {
    expect(parseReadRange(["end"]).start).toEqual({ kind: "latest" });
    expect(parseReadRange(["42"]).start).toEqual({ kind: "offset", offset: 42 });
    expect(parseReadRange(["-10"]).start).toEqual({ kind: "before-end", count: 10 });
    expect(parseReadRange(["s@1000", "e@2000"])).toEqual({
      start: { kind: "timestamp", timestampMs: 1000 },
      endTimestampMs: 2000,
    });
  });

  it("refuses anything else", () => {
    expect(() => parseReadRange(["soon"])).toThrow("soon");
  });
});
