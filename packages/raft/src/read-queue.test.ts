import { describe, expect, it } from "vitest";
import { ReadQueue } from "./read-queue.js";

describe(ReadQueue, () => {
  it("gathers what waits into one round, at the commit index of that moment", () => {
    const reads = new ReadQueue();
    reads.ask({ context: 1, from: 1 });
    reads.ask({ context: 2, from: 3 });
    reads.begin(7);
    expect(reads.isWaiting).toBe(false);
    const requests = [
      { context: 1, from: 1 },
      { context: 2, from: 3 },
    ];
    expect(reads.release(1)).toEqual([{ round: 1, index: 7, requests }]);
    expect(reads.release(1)).toEqual([]);
  });

  it("does not let a read profit from a confirmation that began before it was asked", () => {
    const reads = new ReadQueue();
    reads.ask({ context: 1, from: 1 });
    reads.begin(7);
    reads.ask({ context: 2, from: 1 });
    expect(reads.release(1).length).toBe(1);
    reads.begin(9);
    expect(reads.release(1)).toEqual([]);
    expect(reads.release(2).map(({ index }) => index)).toEqual([9]);
  });

  it("releases earlier rounds with a later one", () => {
    const reads = new ReadQueue();
    for (const context of [1, 2, 3]) {
      reads.ask({ context, from: 1 });
      reads.begin(context);
    }
    expect(reads.release(2).map(({ round }) => round)).toEqual([1, 2]);
  });

  it("forgets everything when the leadership ends", () => {
    const reads = new ReadQueue();
    reads.ask({ context: 1, from: 1 });
    reads.begin(7);
    reads.ask({ context: 2, from: 1 });
    reads.clear();
    expect([reads.round, reads.isWaiting, reads.release(9)]).toEqual([0, false, []]);
  });
});
