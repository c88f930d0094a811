import { describe, expect, it } from "vitest";
import { Executions } from "./execution.mjs";
import { Tally } from "./tally.mjs";

const SMALL = { framesPerVersion: 1 };

function inputs(seed: number, from: number, to: number): string[] {
  const executions = new Executions(seed, SMALL);
  const found: string[] = [];
  for (let index = from; index < to; index++) {
    const { target, input } = executions.pick(index);
    found.push(`${target?.name} ${Buffer.from(input).toString("hex")}`);
  }
  return found;
}

describe("the input of an execution", () => {
  it("is the same again for whoever has its seed and its index", () => {
    const all = inputs(7, 0, 300);
    expect(inputs(7, 0, 300)).toEqual(all);
    expect(inputs(7, 200, 300)).toEqual(all.slice(200));
    expect(inputs(8, 0, 300)).not.toEqual(all);
  });
});

describe("an execution", () => {
  it("finds nothing in inputs that are refused as they should be", () => {
    const executions = new Executions(1, SMALL);
    // The first of each target.
    const found = [0, 62, 87, 93, 99].map((index) => executions.run(index));
    expect(found.map(({ target }) => target)).toEqual([
      "requests",
      "batches",
      "frames",
      "lent frames",
      "unpacking",
    ]);
    expect(found.flatMap(({ problems }) => problems)).toEqual([]);
  });
});

describe("a tally", () => {
  it("knows what was reached by one process or another", () => {
    const [first, second] = [new Tally(["A 0", "B 0"]), new Tally(["A 0", "B 0"])];
    const execution = {
      target: "requests",
      input: new Uint8Array(1),
      ms: 1,
      totalBytes: 1,
      largestBytes: 1,
    };
    first.add({ ...execution, mark: "A 0", outcome: "decoded" });
    second.add({ ...execution, mark: "A 0", outcome: "malformed" });
    const whole = new Tally(["A 0", "B 0"]);
    for (const each of [first, second]) whole.merge(each.toJson());
    expect(whole.neverDecoded).toEqual(["B 0"]);
    expect(whole.neverRefused).toEqual(["B 0"]);
    expect(whole.executions).toBe(2);
  });
});
