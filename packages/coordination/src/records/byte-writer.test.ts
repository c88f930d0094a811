import { describe, expect, it } from "vitest";
import { ByteWriter } from "./byte-writer.js";

describe(ByteWriter, () => {
  it("keeps what is written across every growth of its buffer", () => {
    // Each length meets the end of the first buffer with another kind of field.
    for (let length = 100; length < 140; length += 1) {
      const writer = new ByteWriter().bytes(new Uint8Array(length).fill(7));
      writer
        .int16(1)
        .int32(2)
        .int64(3)
        .text("abc")
        .bytes(new Uint8Array([4]));
      writer.bytes(new Uint8Array(1_000).fill(9)).int32(5);
      const bytes = writer.finish();
      const view = new DataView(bytes.buffer);
      let at = 4 + length;
      expect([view.getInt16(at), view.getInt32(at + 2), view.getBigInt64(at + 6)]).toEqual([
        1,
        2,
        3n,
      ]);
      at += 14;
      expect([...bytes.subarray(at, at + 5)]).toEqual([0, 3, 97, 98, 99]);
      expect(view.getInt32(at + 5)).toBe(1);
      expect(bytes[at + 9]).toBe(4);
      expect(view.getInt32(at + 10)).toBe(1_000);
      expect(bytes.subarray(at + 14, at + 1_014).every((byte) => byte === 9)).toBe(true);
      expect(view.getInt32(at + 1_014)).toBe(5);
    }
  });
});
