import { crc32c, Lease } from "@strandline/platform";
import { BatchEncoder, baseOffset, emptyBatch, stampBatch } from "@strandline/record";
import type { Log } from "@strandline/storage";
import { describe, expect, it } from "vitest";
import { hasOnlyHeaders, readRecords } from "./read-records.js";

function batch(offset: number, isEmpty: boolean): Uint8Array {
  const encoder = new BatchEncoder();
  encoder.append({ key: null, value: null, timestampMs: 1 });
  const bytes = encoder.finish({ crc32c });
  stampBatch(bytes, 0, offset, 1);
  return isEmpty ? emptyBatch(bytes, 0, crc32c) : bytes;
}

/** A log that reads two batches at a time: "e" is an empty one, "r" has a record, " " is a gap. */
function logOf(batches: string, hasGaps = true): Log {
  return {
    hasGaps,
    read: async (from: number, _bytesMax: number, end: number) =>
      Array.from(batches.slice(0, end))
        .map((kind, offset) => ({ kind, offset }))
        .filter(({ kind, offset }) => kind !== " " && offset >= from)
        .slice(0, 2)
        .map(({ kind, offset }) => batch(offset, kind === "e")),
  } as unknown as Log;
}

async function read(log: Log, from: number, endOffset = 100): Promise<number[]> {
  const chunks = await readRecords(log, from, { bytesMax: 1, endOffset }, new Lease());
  return chunks.map((chunk) => baseOffset(chunk, 0));
}

describe(readRecords, () => {
  it("passes over headers without records, as far as there is something behind them", async () => {
    expect(await read(logOf("eeee eerr"), 0)).toEqual([7, 8]);
    expect(await read(logOf("eeee eerr"), 1)).toEqual([6, 7]);
    expect(await read(logOf("erer"), 0)).toEqual([0, 1]);
  });

  it("gives the headers where nothing is behind them, so that a position gets to the end", async () => {
    expect(await read(logOf("eeeee"), 0)).toEqual([4]);
    expect(await read(logOf("eeeerr"), 0, 4)).toEqual([2, 3]);
    expect(await read(logOf("ee"), 2)).toEqual([]);
  });

  it("does not look into a log that was never compacted", async () => {
    expect(await read(logOf("eeer", false), 0)).toEqual([0, 1]);
    expect(hasOnlyHeaders(logOf("", false), [batch(0, true)])).toBe(false);
  });
});
