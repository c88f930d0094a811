import { describe, expect, it } from "vitest";
import { parseProperties } from "./properties-file.js";

describe(parseProperties, () => {
  it("reads keys and values with their lines, and passes comments over", () => {
    const text = "# a node\n\nnode.id=1\r\n  host = 0.0.0.0  \n! old style\nvoters=1@a:1,2@b:2\n";
    expect(parseProperties(text)).toEqual({
      properties: [
        { key: "node.id", value: "1", line: 3 },
        { key: "host", value: "0.0.0.0", line: 4 },
        { key: "voters", value: "1@a:1,2@b:2", line: 6 },
      ],
      problems: [],
    });
  });

  it("keeps what follows the first equals sign, and empty values", () => {
    expect(parseProperties("a=b=c#d\nrack=").properties).toEqual([
      { key: "a", value: "b=c#d", line: 1 },
      { key: "rack", value: "", line: 2 },
    ]);
  });

  it("passes the mark over that some editors put first", () => {
    expect(parseProperties("\uFEFFnode.id=1").properties[0]?.key).toBe("node.id");
  });

  it("tells what it cannot read, by line", () => {
    expect(parseProperties("node.id 1\n=x\nhost=a\nhost=b\nrack=a\\\n").problems).toEqual([
      { line: 1, message: "is not key=value" },
      { line: 2, message: "is not key=value" },
      { line: 4, message: '"host" is set already in line 3' },
      { line: 5, message: "ends with a backslash; a value is one line" },
    ]);
  });

  it("takes an empty file for no settings", () => {
    expect(parseProperties("")).toEqual({ properties: [], problems: [] });
  });
});
