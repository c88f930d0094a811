import { describe, expect, it } from "vitest";
import { type InputOptions, inputReader } from "./input-record.js";

const PLAIN: InputOptions = {
  keySeparator: undefined,
  key: undefined,
  headers: {},
  isJson: false,
  emptyIsNull: false,
};

function read(line: string, options: Partial<InputOptions> = {}) {
  return inputReader({ ...PLAIN, ...options })(Buffer.from(line), 1);
}

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}

describe(inputReader, () => {
  it("takes a whole line as the value, a carriage return included", () => {
    const record = read("a:b\r");
    expect(record.key).toBeNull();
    expect(text(record.value)).toBe("a:b\r");
  });

  it("cuts at the first separator", () => {
    const record = read("k:v:w", { keySeparator: Buffer.from(":") });
    expect([text(record.key), text(record.value)]).toEqual(["k", "v:w"]);
  });

  it("names the line that has no separator", () => {
    expect(() => read("kv", { keySeparator: Buffer.from(":") })).toThrow("line 1");
  });

  it("makes a tombstone of an empty value when asked to", () => {
    const options = { keySeparator: Buffer.from(":"), emptyIsNull: true };
    expect(read("k:", options).value).toBeNull();
  });

  it("reads JSON with everything a record has", () => {
    const line =
      '{"key":"k","value":{"a":1},"partition":2,"timestampMs":5,"headers":[{"key":"h","value":"x"}]}';
    const record = read(line, { isJson: true });
    expect(text(record.value)).toBe('{"a":1}');
    expect(record).toMatchObject({ partition: 2, timestampMs: 5 });
    expect(text(record.headers[0]?.value ?? null)).toBe("x");
  });

  it("refuses JSON without a value, and shows what it wants", () => {
    expect(() => read("[1]", { isJson: true })).toThrow("value");
  });
});
