import { describe, expect, it } from "vitest";
import { nearestName } from "./nearest-name.js";

const NAMES = ["retention.ms", "retention.bytes", "segment.ms", "cleanup.policy"];

describe(nearestName, () => {
  it("finds what a slip of the fingers meant", () => {
    expect(nearestName("retention.sm", NAMES)).toBe("retention.ms");
    expect(nearestName("cleanup.polcy", NAMES)).toBe("cleanup.policy");
  });

  it("finds nothing in what looks like nothing", () => {
    expect(nearestName("xyz", NAMES)).toBeUndefined();
    expect(nearestName("", NAMES)).toBeUndefined();
  });
});
