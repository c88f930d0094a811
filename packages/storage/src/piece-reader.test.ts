import type { FileHandle } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import { CheckedStretches } from "./checked-stretches.js";
import { PieceReader } from "./piece-reader.js";
import { Segment } from "./segment.js";
import { batch, concat, DIRECTORY, World } from "./testing/world.js";

/** Reads a file of three batches that this process has checked; `onRead` may change its bytes. */
async function readChecked(onRead: (bytes: Uint8Array, segment: Segment) => void) {
  const world = new World();
  const file = concat([batch(0), batch(1), batch(2)]);
  const segment = new Segment(world.files, DIRECTORY, 0);
  segment.setEnd(file.length, 3);
  segment.checked.note(0, file.length);
  const handle = {
    read: async (target: Uint8Array, position: number): Promise<number> => {
      onRead(file, segment);
      target.set(file.subarray(position, position + target.length));
      return target.length;
    },
  } as unknown as FileHandle;
  const reader = new PieceReader(handle, world.ports.crc32c, {
    segment,
    logBytes: file.length,
    request: { fromOffset: 0, endOffset: 3, bytesMax: 1_000_000 },
    offsets: segment.resetIndexes().offsets,
    dueOffset: 0,
    hasGaps: false,
  });
  return await reader.run(0, undefined, undefined);
}

describe(PieceReader, () => {
  it("does not check again what was checked", async () => {
    const result = await readChecked((file) => {
      file[file.length - 1] = (file.at(-1) as number) ^ 1;
    });
    expect(result.kind).toBe("batches");
  });

  it("checks again what another reader has found damaged meanwhile", async () => {
    const result = await readChecked((file, segment) => {
      file[100] = (file[100] as number) ^ 1;
      segment.checked = new CheckedStretches();
    });
    expect(result.kind).toBe("suspect");
  });
});
