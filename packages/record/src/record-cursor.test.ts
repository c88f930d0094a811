import { describe, expect, it } from "vitest";
import { BATCH_HEADER_BYTES } from "./batch-layout.js";
import { RecordCursor } from "./record-cursor.js";
import { RecordError } from "./record-error.js";
import { ascii, BY_HAND } from "./testdata/batches.js";

describe(RecordCursor, () => {
  it("shows the fields of one record after the other", () => {
    const cursor = new RecordCursor(BY_HAND, BATCH_HEADER_BYTES, BY_HAND.length);
    cursor.next();
    expect([cursor.offsetDelta, cursor.timestampDeltaMs]).toEqual([0, 0]);
    expect([cursor.keyBytes, cursor.valueBytes, cursor.headerCount]).toEqual([-1, 1, 0]);
    cursor.next();
    expect([cursor.offsetDelta, cursor.timestampDeltaMs]).toEqual([1, -64]);
    expect([cursor.key(), cursor.value()]).toEqual([new Uint8Array(0), null]);
    expect(cursor.headers()).toEqual([{ key: "é", value: null }]);
    cursor.next();
    expect([cursor.offsetDelta, cursor.timestampDeltaMs]).toEqual([2, 8192]);
    expect(cursor.key()).toEqual(ascii("k"));
    expect(cursor.headers()).toHaveLength(2);
    expect(cursor.remainingBytes).toBe(0);
    expect(() => cursor.next()).toThrow(RecordError);
  });

  it("gives the same headers however often it is asked", () => {
    const cursor = new RecordCursor(BY_HAND, BATCH_HEADER_BYTES, BY_HAND.length);
    cursor.next();
    cursor.next();
    expect(cursor.headers()).toEqual(cursor.headers());
    cursor.next();
    expect(cursor.offsetDelta).toBe(2);
  });
});
