import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseYamlSettings } from "./yaml-file.js";

/** Keys joined with dots and lists with commas, as `parse` understands the text. */
function flat(value: unknown, prefix = ""): [string, string][] {
  if (value === null || typeof value !== "object") return [[prefix, String(value ?? "")]];
  if (Array.isArray(value)) return [[prefix, value.join(",")]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flat(inner, prefix === "" ? key : `${prefix}.${key}`),
  );
}

const FILE = `---
# one node
node:
  id: 1          # unique
"voters": '1@a:1'
data.dir: /var/lib/strandline

log:
    retention:
        ms: 86400000
        bytes: -1
    cleanup.policy: [delete, "compact"]
    dirs:
    - /a b
    - "/c#d"
  
rack: "eu: \\"west\\""
host: 0.0.0.0
empty:
`;

describe(parseYamlSettings, () => {
  it("joins the keys of maps within maps with dots", () => {
    const { properties, problems } = parseYamlSettings(FILE);
    expect(problems).toEqual([]);
    expect(properties).toEqual([
      { key: "node.id", value: "1", line: 4 },
      { key: "voters", value: "1@a:1", line: 5 },
      { key: "data.dir", value: "/var/lib/strandline", line: 6 },
      { key: "log.retention.ms", value: "86400000", line: 10 },
      { key: "log.retention.bytes", value: "-1", line: 11 },
      { key: "log.cleanup.policy", value: "delete,compact", line: 12 },
      { key: "log.dirs", value: "/a b,/c#d", line: 13 },
      { key: "rack", value: 'eu: "west"', line: 17 },
      { key: "host", value: "0.0.0.0", line: 18 },
      { key: "empty", value: "", line: 19 },
    ]);
  });

  it("reads what it reads as a whole parser of YAML does", () => {
    const { properties } = parseYamlSettings(FILE);
    expect(properties.map(({ key, value }) => [key, value])).toEqual(flat(parse(FILE)));
  });

  it.each([
    ["node.id 1", 1, "is not key: value"],
    ["a:\n\tb: 1", 2, "is indented with a tab; use spaces"],
    ["a: 1\nb:\n    c: 2\n  d: 3", 4, "is indented like no line above it"],
    ["a: &x 1", 1, '"&x 1" is no text or number of one line'],
    ["a: {b: 1}", 1, '"{b: 1}" is no text or number of one line'],
    ["a: |\n  text", 1, '"|" is no text or number of one line'],
    ["a: [1,\n  2]", 1, "has a list that does not end in this line"],
    ["a: b: c", 1, '"b: c" has a colon; put it in quotes'],
    ["a: ~", 1, "null is no value; leave the key out"],
    ["- a", 1, "is a list's member, but no key is open"],
    ["a: 1\na: 2", 2, '"a" is set already in line 1'],
    ["a:\n  b: 1\na.b: 2", 3, '"a.b" is set already in line 2'],
    ['a: "b', 1, '""b" is no text or number of one line'],
  ])("refuses %j, with its line", (text, line, message) => {
    expect(parseYamlSettings(text).problems[0]).toEqual({ line, message });
  });
});
