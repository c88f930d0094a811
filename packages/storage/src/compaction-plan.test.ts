import { INT32_MAX } from "@strandline/model";
import { describe, expect, it } from "vitest";
import {
  type CompactionConfig,
  type CompactionFacts,
  groupSegments,
  type PlannedSegment,
  planCompaction,
} from "./compaction-plan.js";

const CONFIG: CompactionConfig = {
  lagMsMin: 0,
  lagMsMax: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 1000,
  dirtyRatioMin: 0.5,
};

/** Segments of ten records and 100 bytes each, appended at 0, 100, 200 … to 50 ms later. */
function segments(count: number): PlannedSegment[] {
  return Array.from({ length: count }, (_, index) => ({
    baseOffset: index * 10,
    nextOffset: index * 10 + 10,
    sizeBytes: 100,
    firstAppendMs: index * 100,
    lastAppendMs: index * 100 + 50,
  }));
}

type Overrides = Partial<Omit<CompactionFacts<PlannedSegment>, "config">> & {
  readonly config?: Partial<CompactionConfig>;
};

/** A log of four full segments, all committed, none compacted. */
function plan({ config, ...facts }: Overrides) {
  const found = planCompaction({
    segments: segments(4),
    isSettled: () => true,
    cleanedTo: 0,
    endOffset: 1000,
    nowMs: 1000,
    config: { ...CONFIG, ...config },
    ...facts,
  });
  if (found === undefined) return undefined;
  const { fromOffset, endOffset, dirtyRatio, isOverdue } = found;
  return [fromOffset, endOffset, dirtyRatio, isOverdue];
}

describe(planCompaction, () => {
  it.each<[string, Overrides, unknown]>([
    ["takes everything that was never compacted", {}, [0, 40, 1, false]],
    ["begins where the last round ended", { cleanedTo: 20 }, [20, 40, 0.5, false]],
    ["waits until enough is dirty", { cleanedTo: 30 }, undefined],
    ["takes the dirty share as the limit itself", { cleanedTo: 20 }, [20, 40, 0.5, false]],
    [
      "has nothing to do when all is clean",
      { cleanedTo: 40, config: { dirtyRatioMin: 0 } },
      undefined,
    ],
    [
      "begins at the log's start, if that is later",
      { segments: segments(4).slice(2) },
      [20, 40, 1, false],
    ],
    ["leaves a segment with what is not committed", { endOffset: 39 }, [0, 30, 1, false]],
    ["takes a segment that is committed to its end", { endOffset: 30 }, [0, 30, 1, false]],
    [
      "ends before what is not settled",
      { isSettled: (one) => one.baseOffset < 20 },
      [0, 20, 1, false],
    ],
    ["leaves what is too young", { nowMs: 400, config: { lagMsMin: 200 } }, [0, 20, 1, false]],
    ["takes what is just old enough", { nowMs: 350, config: { lagMsMin: 200 } }, [0, 20, 1, false]],
    [
      "does not ask for the age of what is clean",
      { cleanedTo: 30, nowMs: 400, config: { lagMsMin: 50, dirtyRatioMin: 0 } },
      [30, 40, 0.25, false],
    ],
    [
      "is overdue by the age of the first that is dirty",
      { cleanedTo: 30, config: { lagMsMax: 699 } },
      [30, 40, 0.25, true],
    ],
    ["is not overdue a moment before", { cleanedTo: 30, config: { lagMsMax: 700 } }, undefined],
    ["has no log without full segments", { segments: [] }, undefined],
    [
      "does nothing for segments without bytes",
      { segments: segments(2).map((one) => ({ ...one, sizeBytes: 0 })) },
      undefined,
    ],
  ])("%s", (_, facts, expected) => {
    expect(plan(facts)).toEqual(expected);
  });
});

describe(groupSegments, () => {
  const sizes = (list: readonly PlannedSegment[], segmentBytesMax: number, endOffset = 1000) =>
    groupSegments(list, { segmentBytesMax, endOffset }).map((group) => group.length);

  it("puts neighbours together as long as they fit into one segment", () => {
    expect(sizes(segments(5), 200)).toEqual([2, 2, 1]);
    expect(sizes(segments(5), 99)).toEqual([1, 1, 1, 1, 1]);
    expect(sizes(segments(5), 500)).toEqual([5]);
  });

  it("leaves out what begins behind the end of the round", () => {
    expect(sizes(segments(5), 500, 21)).toEqual([3]);
    expect(sizes(segments(5), 500, 20)).toEqual([2]);
  });

  it("keeps the offsets of a segment within an int32", () => {
    const [first, second] = segments(2) as [PlannedSegment, PlannedSegment];
    const far = { ...second, nextOffset: INT32_MAX + 1 };
    expect(sizes([first, far], 500)).toEqual([1, 1]);
    expect(sizes([first, { ...far, nextOffset: INT32_MAX }], 500)).toEqual([2]);
  });
});
