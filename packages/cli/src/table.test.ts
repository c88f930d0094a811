import { describe, expect, it } from "vitest";
import { table } from "./table.js";

describe("table", () => {
  it("aligns text to the left and numbers to the right", () => {
    expect(
      table(
        ["name", "size"],
        [
          ["a", 5],
          ["long", 12345],
        ],
      ),
    ).toEqual(["NAME   SIZE", "a         5", "long  12345"]);
  });

  it("leaves no space at the end of a line", () => {
    expect(
      table(
        ["a", "b"],
        [
          ["x", "y"],
          ["x", ""],
        ],
      ),
    ).toEqual(["A  B", "x  y", "x"]);
  });
});
