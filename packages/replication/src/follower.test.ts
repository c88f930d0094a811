import { nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { Follower, type FollowerEffect, type FollowerOptions } from "./follower.js";

/** Follows broker 1 in epoch 5 with [0, 10) of epoch 4, of which [0, 8) is durable. */
function followerAt10(options: Partial<FollowerOptions> = {}): Follower {
  return new Follower({
    leader: nodeId(1),
    epoch: 5,
    logEndOffset: 10,
    lastEpoch: 4,
    durableEndOffset: 8,
    highWatermark: 3,
    logStartOffset: 0,
    ...options,
  });
}

function offer(
  follower: Follower,
  message: { session: number; from: number; to?: number; hw?: number; start?: number },
): readonly FollowerEffect[] {
  const { session, from, to = from, hw = 0, start = 0 } = message;
  const offsets = { baseOffset: from, endOffset: to, highWatermark: hw, logStartOffset: start };
  return follower.step({ kind: "append", session, leaderEpoch: 5, ...offsets });
}

function accepted(options: Partial<FollowerOptions> = {}): Follower {
  const follower = followerAt10(options);
  follower.step({ kind: "connected" });
  offer(follower, { session: 1, from: options.logEndOffset ?? 10 });
  return follower;
}

function refuse(follower: Follower, session: number, code: string, logStartOffset = 0) {
  return follower.step({ kind: "refused", session, leaderEpoch: 5, code, logStartOffset });
}

function asked(session: number, logEndOffset = 10, lastEpoch = 4): FollowerEffect {
  return { kind: "follow", session, logEndOffset, lastEpoch };
}

function acknowledged(session: number, durableEndOffset: number): FollowerEffect {
  return { kind: "acknowledge", session, durableEndOffset };
}

describe("a session", () => {
  it("begins with where the log ends, under a new number for each connection", () => {
    const follower = followerAt10();
    expect(follower.step({ kind: "connected" })).toEqual([asked(1)]);
    expect(follower.step({ kind: "disconnected" })).toEqual([]);
    expect(follower.step({ kind: "connected" })).toEqual([asked(2)]);
  });

  it("acknowledges nothing before the leader has accepted it", () => {
    const follower = followerAt10();
    follower.step({ kind: "connected" });
    expect(follower.step({ kind: "synced", durableEndOffset: 10 })).toEqual([]);
    expect(offer(follower, { session: 1, from: 10 })).toEqual([acknowledged(1, 10)]);
  });

  it("acknowledges what is durable when it is accepted and at each sync, not watermarks", () => {
    const follower = followerAt10();
    follower.step({ kind: "connected" });
    expect(offer(follower, { session: 1, from: 10 })).toEqual([acknowledged(1, 8)]);
    expect(offer(follower, { session: 1, from: 10, to: 12 })).toEqual([{ kind: "append" }]);
    follower.step({ kind: "appended", logEndOffset: 12, lastEpoch: 5 });
    expect(offer(follower, { session: 1, from: 12 })).toEqual([]);
    expect(follower.step({ kind: "synced", durableEndOffset: 12 })).toEqual([acknowledged(1, 12)]);
  });

  it("ignores messages of another session or another leadership", () => {
    const follower = followerAt10();
    follower.step({ kind: "connected" });
    expect(offer(follower, { session: 0, from: 10 })).toEqual([]);
    const other = { session: 1, leaderEpoch: 4 };
    expect(follower.step({ kind: "diverged", ...other, epoch: 1, endOffset: 1 })).toEqual([]);
    expect(follower.step({ kind: "refused", ...other, code: "X", logStartOffset: 99 })).toEqual([]);
  });

  it("asks again after a gap, with a pause", () => {
    const follower = accepted();
    expect(offer(follower, { session: 1, from: 11, to: 12 })).toEqual([{ kind: "wait", ms: 100 }]);
    expect(follower.isQuiet).toBe(false);
    follower.step({ kind: "ticked", nowMs: 1_000 });
    expect(follower.step({ kind: "ticked", nowMs: 1_100 })).toEqual([asked(2)]);
  });
});

describe("the high watermark of a follower", () => {
  it("is capped by the own log end and never moves back", () => {
    const follower = accepted();
    expect(offer(follower, { session: 1, from: 10, to: 12, hw: 20 })).toContainEqual({
      kind: "advance-high-watermark",
      highWatermark: 12,
    });
    follower.step({ kind: "appended", logEndOffset: 12, lastEpoch: 5 });
    expect(offer(follower, { session: 1, from: 12, hw: 5 })).toEqual([]);
    expect(follower.highWatermark).toBe(12);
  });
});

describe("cutting", () => {
  it("goes by leader epoch, again and again, until the leader accepts", () => {
    const follower = followerAt10();
    follower.step({ kind: "connected" });
    const at = { kind: "diverged", session: 1, leaderEpoch: 5, epoch: 3, endOffset: 7 } as const;
    expect(follower.step(at)).toEqual([{ kind: "truncate-by-epoch", epoch: 3, endOffset: 7 }]);
    expect(follower.step({ kind: "truncated", logEndOffset: 6, lastEpoch: 2 })).toEqual([
      asked(2, 6, 2),
    ]);
    const next = { kind: "diverged", session: 2, leaderEpoch: 5, epoch: 1, endOffset: 4 } as const;
    expect(follower.step(next)).toEqual([{ kind: "truncate-by-epoch", epoch: 1, endOffset: 4 }]);
  });

  it("acknowledges nothing while it lasts, and only what is left after it", () => {
    const follower = followerAt10();
    follower.step({ kind: "connected" });
    const at = { session: 1, leaderEpoch: 5, epoch: 3, endOffset: 7 };
    follower.step({ kind: "diverged", ...at });
    expect(follower.step({ kind: "synced", durableEndOffset: 10 })).toEqual([]);
    expect(follower.step({ kind: "disconnected" })).toEqual([]);
    expect(follower.step({ kind: "connected" })).toEqual([]);
    expect(follower.step({ kind: "truncated", logEndOffset: 6, lastEpoch: 3 })).toEqual([
      asked(2, 6, 3),
    ]);
    expect(offer(follower, { session: 2, from: 6 })).toEqual([acknowledged(2, 6)]);
  });

  it("does not run in a circle when there is nothing left to cut", () => {
    const follower = followerAt10();
    follower.step({ kind: "connected" });
    const at = { session: 1, leaderEpoch: 5, epoch: -1, endOffset: 4 };
    follower.step({ kind: "diverged", ...at });
    expect(follower.step({ kind: "truncated", logEndOffset: 10, lastEpoch: 4 })).toEqual([
      { kind: "wait", ms: 100 },
    ]);
  });
});

describe("a log that the leader has deleted", () => {
  it("is replaced when the leader refuses it, and what it then holds is durable", () => {
    const follower = followerAt10();
    follower.step({ kind: "connected" });
    expect(refuse(follower, 1, "OFFSET_OUT_OF_RANGE", 50)).toEqual([
      { kind: "restart-at", offset: 50 },
    ]);
    expect(follower.step({ kind: "truncated", logEndOffset: 50, lastEpoch: -1 })).toEqual([
      asked(2, 50, -1),
    ]);
    expect(offer(follower, { session: 2, from: 50, hw: 60, start: 50 })).toEqual([
      acknowledged(2, 50),
      { kind: "advance-high-watermark", highWatermark: 50 },
    ]);
  });

  it("is replaced when an append tells of a start above all that is offered", () => {
    const follower = accepted();
    expect(offer(follower, { session: 1, from: 10, start: 11 })).toEqual([
      { kind: "restart-at", offset: 11 },
    ]);
    const other = accepted();
    expect(offer(other, { session: 1, from: 10, to: 12, start: 20 })).toEqual([
      { kind: "restart-at", offset: 20 },
    ]);
  });

  it("is replaced when it ends where the leader's begins, as nothing proves what it holds", () => {
    const follower = followerAt10();
    follower.step({ kind: "connected" });
    expect(offer(follower, { session: 1, from: 10, start: 10 })).toEqual([
      { kind: "restart-at", offset: 10 },
    ]);
    follower.step({ kind: "truncated", logEndOffset: 10, lastEpoch: -1 });
    expect(offer(follower, { session: 2, from: 10, start: 10 })).toEqual([acknowledged(2, 10)]);
  });

  it("loses its beginning when the leader's start lies within it", () => {
    const follower = accepted();
    expect(offer(follower, { session: 1, from: 10, start: 4 })).toContainEqual({
      kind: "advance-log-start",
      logStartOffset: 4,
    });
  });
});

describe("a refused session", () => {
  it.each(["NOT_LEADER_OR_FOLLOWER", "UNKNOWN_LEADER_EPOCH", "FENCED_LEADER_EPOCH"])(
    "waits after %s, longer each time, up to a second",
    (code) => {
      const follower = followerAt10();
      follower.step({ kind: "connected" });
      let nowMs = 0;
      for (const [index, ms] of [100, 200, 400, 800, 1_000, 1_000].entries()) {
        expect(refuse(follower, index + 1, code)).toEqual([{ kind: "wait", ms }]);
        expect(follower.step({ kind: "ticked", nowMs })).toEqual([]);
        expect(follower.step({ kind: "ticked", nowMs: nowMs + ms - 1 })).toEqual([]);
        nowMs += ms;
        expect(follower.step({ kind: "ticked", nowMs })).toEqual([asked(index + 2)]);
      }
    },
  );

  it("waits and follows again after batches that fail the check, longer each time", () => {
    const follower = accepted();
    expect(refuse(follower, 1, "CORRUPT_MESSAGE")).toEqual([{ kind: "wait", ms: 100 }]);
    follower.step({ kind: "ticked", nowMs: 0 });
    expect(follower.step({ kind: "ticked", nowMs: 100 })).toEqual([asked(2)]);
    offer(follower, { session: 2, from: 10 });
    expect(refuse(follower, 2, "CORRUPT_MESSAGE")).toEqual([{ kind: "wait", ms: 200 }]);
  });

  it("needs ticks only while it waits, and counts the time from the first", () => {
    const follower = accepted();
    expect(follower.isQuiet).toBe(true);
    follower.step({ kind: "ticked", nowMs: 1_000 });
    // It was not ticked for long: that time is no part of the wait.
    refuse(follower, 1, "NOT_LEADER_OR_FOLLOWER");
    expect(follower.isQuiet).toBe(false);
    expect(follower.step({ kind: "ticked", nowMs: 9_000 })).toEqual([]);
    expect(follower.step({ kind: "ticked", nowMs: 9_100 })).toEqual([asked(2)]);
    expect(follower.isQuiet).toBe(true);
  });

  it("acknowledges nothing while it waits", () => {
    const follower = accepted();
    refuse(follower, 1, "NOT_LEADER_OR_FOLLOWER");
    expect(follower.step({ kind: "synced", durableEndOffset: 10 })).toEqual([]);
  });

  it("asks at once over a new connection", () => {
    const follower = accepted();
    refuse(follower, 1, "NOT_LEADER_OR_FOLLOWER");
    follower.step({ kind: "disconnected" });
    expect(follower.step({ kind: "ticked", nowMs: 5_000 })).toEqual([]);
    expect(follower.step({ kind: "connected" })).toEqual([asked(2)]);
  });
});
