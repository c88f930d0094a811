import { describe, expect, it } from "vitest";
import { completions } from "./completion.js";
import { buildProgram } from "./main.js";

describe(completions, () => {
  it("completes nouns, verbs and flags", () => {
    const program = buildProgram();
    expect(completions(program, ["to"])).toEqual(["topic"]);
    expect(completions(program, ["topic", "des"])).toEqual(["describe"]);
    expect(completions(program, ["topic", "create", "--part"])).toEqual(["--partitions"]);
  });

  it("does not offer what is hidden", () => {
    expect(completions(buildProgram(), ["__"])).toEqual([]);
  });
});
