import { describe, expect, it } from "vitest";
import { ordinalOf } from "./ordinal.js";

describe(ordinalOf, () => {
  it.each([
    ["strandline-0", 0],
    ["strandline-12", 12],
    ["a-7-b-3", 3],
    ["strandline-1.strandline-headless.events.svc.cluster.local", 1],
  ])("reads the number at the end of %s", (name, ordinal) => {
    expect(ordinalOf(name)).toBe(ordinal);
  });

  it.each(["strandline", "strandline-", "strandline1", "strandline-x1", "", "web.local-3"])(
    "finds none in %j",
    (name) => {
      expect(ordinalOf(name)).toBeUndefined();
    },
  );
});
