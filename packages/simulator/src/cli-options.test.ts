import { describe, expect, it } from "vitest";
import { readArguments } from "./cli-options.js";

const read = (line: string) => readArguments(line === "" ? [] : line.split(" "), ["raft", "log"]);

describe(readArguments, () => {
  it("runs a hundred seeds of the first scenario by default", () => {
    const options = read("");
    expect(options).toMatchObject({ scenario: "raft", isVerbose: false, keepsGoing: false });
    expect(typeof options === "object" && options.seeds.length).toBe(100);
  });

  it("takes a range of seeds, or one", () => {
    expect(read("--seeds 3 --from 10 --keep-going")).toMatchObject({
      seeds: [10, 11, 12],
      keepsGoing: true,
    });
    expect(read("--scenario log --seed 7 --verbose")).toEqual({
      scenario: "log",
      seeds: [7],
      isVerbose: true,
      keepsGoing: false,
    });
  });

  it("says what is wrong", () => {
    expect(read("--seed")).toBe("--seed takes a whole number");
    expect(read("--seeds -3")).toBe("--seeds takes a whole number");
    expect(read("--seeds 0")).toBe("--seeds takes 1 to 10000000");
    expect(read("--fast")).toBe("unknown argument --fast");
    expect(read("--scenario x")).toBe('there is no scenario "x": it is one of raft, log');
  });
});
