import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LeaderEpochs } from "./leader-epochs.js";

/** Epoch 1 wrote [0, 10), epoch 3 [10, 20), epoch 6 from 20 on. */
function threeEpochs(): LeaderEpochs {
  return new LeaderEpochs([
    { epoch: 1, startOffset: 0 },
    { epoch: 3, startOffset: 10 },
    { epoch: 6, startOffset: 20 },
  ]);
}

describe(LeaderEpochs, () => {
  it("says where an epoch ends, or the largest below it that wrote anything", () => {
    const epochs = threeEpochs();
    expect(epochs.endOffsetOf(3, 25)).toEqual({ epoch: 3, endOffset: 20 });
    expect(epochs.endOffsetOf(5, 25)).toEqual({ epoch: 3, endOffset: 20 });
    expect(epochs.endOffsetOf(6, 25)).toEqual({ epoch: 6, endOffset: 25 });
    expect(epochs.endOffsetOf(9, 25)).toEqual({ epoch: 6, endOffset: 25 });
    expect(epochs.endOffsetOf(-1, 25)).toEqual({ epoch: -1, endOffset: -1 });
  });

  it("says of an epoch that retention removed that it ended where the log begins", () => {
    const epochs = threeEpochs();
    epochs.truncateFromStart(12);
    expect(epochs.endOffsetOf(1, 25)).toEqual({ epoch: 1, endOffset: 12 });
    expect(epochs.endOffsetOf(3, 25)).toEqual({ epoch: 3, endOffset: 20 });
  });

  it("changes only when an epoch begins", () => {
    const epochs = threeEpochs();
    expect(epochs.assign(6, 30)).toBe(false);
    expect(epochs.assign(7, 30)).toBe(true);
    expect(epochs.latest).toBe(7);
  });

  it("lets a later batch overrule entries that contradict it", () => {
    const epochs = threeEpochs();
    epochs.assign(4, 15);
    expect(epochs.entries.map(({ epoch }) => epoch)).toEqual([1, 3, 4]);
  });

  it("forgets the epochs that a cut removes wholly", () => {
    const epochs = threeEpochs();
    expect(epochs.truncateFromEnd(20)).toBe(true);
    expect(epochs.latest).toBe(3);
    expect(epochs.truncateFromEnd(15)).toBe(false);
  });

  it("keeps both columns strictly increasing, whatever is done to it", () => {
    const step = fc.tuple(fc.constantFrom("assign", "end", "start"), fc.nat(9), fc.nat(30));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const epochs = new LeaderEpochs();
        for (const [kind, epoch, offset] of steps) {
          if (kind === "assign") epochs.assign(epoch, offset);
          else if (kind === "end") epochs.truncateFromEnd(offset);
          else epochs.truncateFromStart(offset);
          epochs.entries.forEach((entry, at) => {
            const before = epochs.entries[at - 1];
            if (before === undefined) return;
            expect(entry.epoch).toBeGreaterThan(before.epoch);
            expect(entry.startOffset).toBeGreaterThan(before.startOffset);
          });
        }
      }),
    );
  });
});
