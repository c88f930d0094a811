import { describe, expect, it } from "vitest";
import { decodeJsonBytes, encodeJsonBytes } from "./json-bytes.js";

describe("JSON with bytes", () => {
  it("gives bytes back, wherever they were", () => {
    const value = { list: [Uint8Array.of(0, 255), { deep: new Uint8Array(0) }], text: "$bytes" };
    expect(decodeJsonBytes(encodeJsonBytes(value))).toEqual(value);
  });

  it("takes the bytes of a Buffer for bytes, though it would make something else of itself", () => {
    const decoded = decodeJsonBytes(encodeJsonBytes({ bytes: Buffer.from([1, 2, 3]) }));
    expect(decoded).toEqual({ bytes: Uint8Array.of(1, 2, 3) });
  });

  it("gives many bytes back", () => {
    const bytes = Uint8Array.from({ length: 20_000 }, (_, at) => at % 251);
    expect(decodeJsonBytes(encodeJsonBytes(bytes))).toEqual(bytes);
  });

  it("leaves out what is undefined", () => {
    expect(decodeJsonBytes(encodeJsonBytes({ a: undefined, b: 1 }))).toEqual({ b: 1 });
  });
});
