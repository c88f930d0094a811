import { describe, expect, it } from "vitest";
import { LineSplitter } from "./line-splitter.js";

function split(text: string, separator: string, chunkLength: number): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(Buffer.from(separator), (line) => lines.push(line.toString()));
  for (let at = 0; at < text.length; at += chunkLength) {
    splitter.push(Buffer.from(text.slice(at, at + chunkLength)));
  }
  splitter.end();
  return lines;
}

describe(LineSplitter, () => {
  it("gives the same lines however the bytes arrive", () => {
    for (const length of [1, 2, 3, 7, 100]) {
      expect(split("a\n\nbcd\r\ne", "\n", length)).toEqual(["a", "", "bcd\r", "e"]);
      expect(split("a--b-c--", "--", length)).toEqual(["a", "b-c"]);
    }
  });
});
