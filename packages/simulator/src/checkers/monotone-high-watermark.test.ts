import { describe, expect, it } from "vitest";
import { problemsOf, watermark } from "../testing/histories.js";
import { monotoneHighWatermark } from "./monotone-high-watermark.js";

describe("monotone high watermark", () => {
  it("accepts one that rises, and one that begins lower after a restart or elsewhere", () => {
    const history = [
      watermark("a", 1),
      watermark("a", 5),
      watermark("a", 5),
      watermark("a", 2, 2),
      watermark("b", 3),
    ];
    expect(problemsOf(monotoneHighWatermark(), history)).toEqual([]);
  });

  it("finds one that goes back within a process", () => {
    const history = [watermark("a", 5), watermark("a", 4)];
    expect(problemsOf(monotoneHighWatermark(), history)).toEqual([
      "a takes the high watermark of t-0 from 5 to 4",
    ]);
  });
});
