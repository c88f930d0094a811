import { describe, expect, it } from "vitest";
import {
  acknowledgedIn,
  comparison,
  consumedIn,
  disorder,
  expectedContent,
} from "./example-records.mjs";

const COUNT = 30;

/** What a consumer prints of record `number` of the producer "x", at an offset of partition 0. */
function consumedLine(number: number, offset: number): string {
  const [key, value, headers] = JSON.parse(expectedContent("x", number));
  const fields = (headers as [string, string | null][]).map(([name, bytes]) =>
    bytes === null ? { key: name } : { key: name, value: bytes },
  );
  return JSON.stringify({
    offset: String(offset),
    ...(key === null ? {} : { key }),
    ...(value === null ? {} : { value }),
    headers: fields,
  });
}

/** A run in which each of 30 records was stored at the offset of its number, and was read back. */
function flawless(): { acknowledged: string[]; consumed: string[] } {
  const numbers = Array.from({ length: COUNT }, (_, number) => number);
  return {
    acknowledged: numbers.map((number) => `record ${number} -> partition 0 offset ${number}`),
    consumed: numbers.map((number) => consumedLine(number, number)),
  };
}

function verdict(run: { acknowledged: string[]; consumed: string[] }) {
  const acknowledged = acknowledgedIn(run.acknowledged.join("\n"));
  const consumed = consumedIn(run.consumed.join("\n"));
  return comparison({ source: "x", count: COUNT, acknowledged, consumed });
}

describe("the comparison of what examples wrote and read", () => {
  it("finds nothing in a flawless run", () => {
    expect(verdict(flawless())).toEqual({ problem: undefined, duplicates: 0 });
  });

  it("counts a record that was stored twice", () => {
    const run = flawless();
    run.consumed.push(consumedLine(3, COUNT));
    expect(verdict(run)).toEqual({ problem: undefined, duplicates: 1 });
  });

  it("names a record that was not acknowledged, or is not there", () => {
    const silent = flawless();
    silent.acknowledged.splice(4, 1);
    expect(verdict(silent).problem).toBe("record 4 was not acknowledged");
    const lost = flawless();
    lost.consumed.pop();
    expect(verdict(lost).problem).toContain("record 29 at 0/29 should be");
  });

  it("tells null from empty, and one byte from another", () => {
    const emptied = flawless();
    emptied.consumed[24] = consumedLine(24, 24).replace('"headers"', '"value":"","headers"');
    expect(verdict(emptied).problem).toContain("record 24 at 0/24");
    const changed = flawless();
    changed.consumed[7] = consumedLine(8, 7);
    expect(verdict(changed).problem).toContain("record 7 at 0/7");
  });

  it("names a record that nobody sent", () => {
    const run = flawless();
    run.consumed.push(consumedLine(COUNT, COUNT));
    expect(verdict(run).problem).toContain("nobody sent what is at 0/30");
  });

  it("refuses gaps and repetitions of what was read or acknowledged", () => {
    const gap = flawless();
    gap.consumed.splice(5, 1);
    expect(() => verdict(gap)).toThrow("partition 0: offset 6 came instead of 5");
    const twice = flawless();
    twice.acknowledged.push("record 5 -> partition 0 offset 30");
    expect(() => verdict(twice)).toThrow("record 5 was acknowledged twice");
  });

  it("sees records of one partition that changed places", () => {
    const inOrder = acknowledgedIn(flawless().acknowledged.join("\n"));
    expect(disorder(inOrder)).toBeUndefined();
    inOrder.set(3, "0/9").set(9, "0/3");
    expect(disorder(inOrder)).toBe("record 4 is at 0/4, before record 3");
  });
});
