import { describe, expect, it } from "vitest";
import { parseJsonSettings } from "./json-file.js";

describe(parseJsonSettings, () => {
  it("joins the keys of objects within objects with dots, and knows their lines", () => {
    const text = `{
  "node": { "id": 1 },
  "log.retention.ms": 86400000,
  "log": {
    "cleanup": { "policy": ["delete", "compact"] },
    "level": "in\\u0066o"
  },
  "auto.create.topics.enable": false,
  "none": {}, "empty": []
}
`;
    expect(parseJsonSettings(text)).toEqual({
      problems: [],
      properties: [
        { key: "node.id", value: "1", line: 2 },
        { key: "log.retention.ms", value: "86400000", line: 3 },
        { key: "log.cleanup.policy", value: "delete,compact", line: 5 },
        { key: "log.level", value: "info", line: 6 },
        { key: "auto.create.topics.enable", value: "false", line: 8 },
        { key: "empty", value: "", line: 9 },
      ],
    });
  });

  it.each([
    ["[]", 1, "is not an object: { … }"],
    ["", 1, "is not an object: { … }"],
    ['{\n"a": 1', 2, '"," or "}" is expected, not the end of the file'],
    ['{"a": 1,\n}', 2, 'a key in quotes is expected, not "}"'],
    ['{"a" 1}', 1, '":" is expected, not "1"'],
    ['{"a": null}', 1, "null is no value; leave the key out"],
    ['{"a": [{}]}', 1, 'a text, a number, true or false is expected, not "{"'],
    ["{\n\n'a': 1}", 3, `"'" does not belong here`],
    ['{"a": "\\x"}', 1, '"\\x" is no text in JSON'],
    ['{"a": 1}\n{', 2, 'nothing more is expected, not "{"'],
    ['{"a": 1, "a": 2}', 1, '"a" is set already in line 1'],
    [`{"a":${'{"a":'.repeat(40)}1`, 1, "is nested too deep"],
  ])("refuses %j, with its line", (text, line, message) => {
    expect(parseJsonSettings(text).problems).toEqual([{ line, message }]);
  });
});
