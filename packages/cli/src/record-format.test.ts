import { describe, expect, it } from "vitest";
import { type PrintableRecord, recordFormat, recordJson, separatorBytes } from "./record-format.js";

const RECORD: PrintableRecord = {
  topic: "orders",
  partition: 2,
  offset: 41,
  timestampMs: 1_000,
  key: Buffer.from("k"),
  value: Buffer.from("value"),
  headers: [{ key: "h", value: Buffer.from("1") }],
};

function print(format: string, record = RECORD): string {
  return Buffer.from(recordFormat(format)(record)).toString();
}

describe(recordFormat, () => {
  it("fills kcat's tokens and escapes", () => {
    expect(print("%t [%p] %o: %k %s\\n")).toBe("orders [2] 41: k value\n");
    expect(print("%T %d %K %S %h 100%%")).toBe("1000 1970-01-01T00:00:01.000Z 1 5 h=1 100%");
  });

  it("tells null from empty by the size", () => {
    expect(print("%K|%k|", { ...RECORD, key: null })).toBe("-1||");
  });

  it("keeps bytes that are no text", () => {
    const value = Uint8Array.of(0, 255, 10);
    expect([...recordFormat("%v")({ ...RECORD, value })]).toEqual([0, 255, 10]);
  });

  it("refuses a token that it does not know, and lists the known ones", () => {
    expect(() => recordFormat("%q")).toThrow("%q");
  });
});

describe(recordJson, () => {
  it("prints text as text and other bytes as base64", () => {
    expect(JSON.parse(recordJson(RECORD))).toMatchObject({ key: "k", value: "value" });
    const value = Uint8Array.of(255);
    expect(JSON.parse(recordJson({ ...RECORD, value }))).toMatchObject({
      value: "/w==",
      encoding: "base64",
    });
  });
});

describe(separatorBytes, () => {
  it("reads escapes", () => {
    expect([...separatorBytes("\\t")]).toEqual([9]);
    expect([...separatorBytes("\\x1f")]).toEqual([31]);
    expect([...separatorBytes("%:")]).toEqual([37, 58]);
  });
});
