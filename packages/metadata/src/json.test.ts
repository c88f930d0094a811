import { describe, expect, it } from "vitest";
import { integerOf, JsonObject } from "./json.js";
import { MetadataError } from "./metadata-error.js";

describe(JsonObject, () => {
  it("has only the fields that it was given", () => {
    const json = new JsonObject({}, "thing");
    for (const name of ["toString", "constructor", "__proto__"]) {
      expect(json.value(name)).toBeUndefined();
      expect(json.has(name)).toBe(false);
    }
  });

  it("is an object and nothing else", () => {
    for (const value of [null, undefined, 1, "x", [], () => 1]) {
      expect(() => new JsonObject(value, "thing")).toThrow("thing is not an object");
    }
  });

  it("names the path to what is missing", () => {
    const json = new JsonObject({ inner: {} }, "thing");
    expect(() => json.object("inner").nodeId("id")).toThrow("thing.inner.id is not a node id");
    expect(() => json.boolean("flag")).toThrow("thing.flag is not a boolean");
    expect(() => json.uuid("id")).toThrow("thing.id is not a text");
  });

  it("takes -1 for nobody where a leader is expected, and nowhere else", () => {
    const json = new JsonObject({ leader: -1 }, "thing");
    expect(json.leader("leader")).toBe(-1);
    expect(() => json.nodeId("leader")).toThrow(MetadataError);
  });
});

describe(integerOf, () => {
  const range = { min: -5, max: 5 };

  it("takes whole numbers within the range", () => {
    expect(integerOf(5, "n", range)).toBe(5);
    for (const value of [6, -6, 0.5, Number.NaN, 2 ** 53, "1", null]) {
      expect(() => integerOf(value, "n", range)).toThrow(MetadataError);
    }
  });

  it("knows one zero", () => {
    expect(Object.is(integerOf(JSON.parse("-0"), "n", range), 0)).toBe(true);
  });
});
