import { describe, expect, it } from "vitest";
import { QuorumWatch } from "./quorum-watch.js";

const log = (lastIndex: number, matchIndex: number, silentTicks = 0) => ({
  lastIndex,
  peers: [{ id: 2, matchIndex, silentTicks }],
});

describe(QuorumWatch, () => {
  it("takes a voter that has all for caught up now, and one that had all before for then", () => {
    const watch = new QuorumWatch(50);
    watch.observe(log(10, 10), 1_000);
    watch.observe(log(12, 10), 1_050);
    expect(watch.standingOf(2, log(12, 10, 3), 1_060)).toEqual({
      logEndOffset: 10,
      lastFetchMs: 910,
      lastCaughtUpMs: 1_000,
    });
    watch.observe(log(15, 12), 1_100);
    expect(watch.standingOf(2, log(15, 12), 1_100)?.lastCaughtUpMs).toBe(1_050);
  });

  it("does not go on counting for a voter that has fallen silent", () => {
    const watch = new QuorumWatch(50);
    watch.observe(log(10, 10), 1_000);
    for (let nowMs = 1_050; nowMs < 2_000; nowMs += 50) watch.observe(log(11, 10, 5), nowMs);
    expect(watch.standingOf(2, log(11, 10, 5), 2_000)?.lastCaughtUpMs).toBe(1_000);
  });

  it("knows nothing of one that was never heard, or of another term", () => {
    const watch = new QuorumWatch(50);
    watch.observe(log(10, 0), 1_000);
    expect(watch.standingOf(2, log(10, 0), 1_000)).toEqual({
      logEndOffset: 0,
      lastFetchMs: -1,
      lastCaughtUpMs: -1,
    });
    expect(watch.standingOf(3, log(10, 0), 1_000)).toBeUndefined();
    watch.observe(log(10, 10), 1_050);
    watch.reset();
    expect(watch.standingOf(2, log(10, 10), 1_060)?.lastCaughtUpMs).toBe(-1);
  });
});
