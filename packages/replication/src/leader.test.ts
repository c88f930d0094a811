import { type BrokerEpoch, type NodeId, nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { Leader, type LeaderEffect, type LeaderOptions } from "./leader.js";

const [B1, B2, B3] = [nodeId(1), nodeId(2), nodeId(3)] as const;

function epochs(...pairs: readonly [NodeId, number][]): ReadonlyMap<NodeId, BrokerEpoch> {
  return new Map(pairs as unknown as [NodeId, BrokerEpoch][]);
}

const ALL = epochs([B1, 11], [B2, 12], [B3, 13]);

/** Broker 1 leads with 2 and 3 in sync, holding [0, 10) durably, nothing known as committed. */
function leaderAt10(options: Partial<LeaderOptions> = {}): Leader {
  return new Leader({
    self: B1,
    epoch: 5,
    partitionEpoch: 7,
    replicas: [B1, B2, B3],
    isr: [B1, B2, B3],
    logEndOffset: 10,
    durableEndOffset: 10,
    highWatermark: 0,
    inSyncReplicasMin: 2,
    replicaLagMsMax: 30_000,
    nowMs: 0,
    eligible: ALL,
    ...options,
  });
}

function acknowledge(
  leader: Leader,
  replica: NodeId,
  durableEndOffset: number,
  { brokerEpoch = 10 + replica, nowMs = 1 } = {},
): readonly LeaderEffect[] {
  const epoch = brokerEpoch as BrokerEpoch;
  return leader.step({
    kind: "acknowledged",
    replica,
    brokerEpoch: epoch,
    durableEndOffset,
    nowMs,
  });
}

/** Ticks every 100 ms up to and including `toMs`, and returns all effects. */
function tickTo(leader: Leader, fromMs: number, toMs: number): LeaderEffect[] {
  const effects: LeaderEffect[] = [];
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 100) {
    effects.push(...leader.step({ kind: "ticked", nowMs }));
  }
  return effects;
}

function advanced(highWatermark: number): LeaderEffect {
  return { kind: "advance-high-watermark", highWatermark };
}

function proposed(partitionEpoch: number, ...members: readonly NodeId[]): LeaderEffect {
  const isr = members.map((id) => ({ id, brokerEpoch: (10 + id) as BrokerEpoch }));
  return { kind: "propose-isr", isr, partitionEpoch };
}

describe("the high watermark", () => {
  it("is the lowest durable end of all in sync", () => {
    const leader = leaderAt10();
    expect(acknowledge(leader, B2, 10)).toEqual([]);
    expect(acknowledge(leader, B3, 8)).toEqual([advanced(8)]);
    expect(acknowledge(leader, B3, 10)).toEqual([advanced(10)]);
  });

  it("counts the leader by what it has synced, not by what it has appended", () => {
    const leader = leaderAt10({ durableEndOffset: 4 });
    acknowledge(leader, B2, 10);
    expect(acknowledge(leader, B3, 10)).toEqual([advanced(4)]);
    expect(leader.step({ kind: "synced", durableEndOffset: 9 })).toEqual([advanced(9)]);
  });

  it("never moves back when a follower acknowledges less", () => {
    const leader = leaderAt10();
    acknowledge(leader, B2, 10);
    acknowledge(leader, B3, 10);
    expect(acknowledge(leader, B3, 4)).toEqual([]);
    expect(leader.highWatermark).toBe(10);
  });

  it("stands still while fewer are in sync than must be", () => {
    const leader = leaderAt10({ isr: [B1] });
    expect(leader.isUnderMinIsr).toBe(true);
    expect(leader.step({ kind: "synced", durableEndOffset: 10 })).toEqual([]);
  });

  it("counts a replica that is proposed and not yet confirmed", () => {
    const leader = leaderAt10({ isr: [B1, B2] });
    acknowledge(leader, B2, 10);
    expect(acknowledge(leader, B3, 10)).toEqual([proposed(7, B1, B2, B3)]);
    leader.step({ kind: "appended", logEndOffset: 20 });
    leader.step({ kind: "synced", durableEndOffset: 20 });
    expect(acknowledge(leader, B2, 20)).toEqual([]);
    expect(acknowledge(leader, B3, 15)).toEqual([advanced(15)]);
  });

  it("does not move on the position of an incarnation that is gone", () => {
    const leader = leaderAt10();
    acknowledge(leader, B3, 10);
    const eligible = epochs([B1, 11], [B2, 12], [B3, 23]);
    leader.step({ kind: "eligible-changed", eligible, nowMs: 2 });
    expect(acknowledge(leader, B2, 10)).toEqual([]);
    expect(acknowledge(leader, B3, 10)).toEqual([]);
    expect(acknowledge(leader, B3, 6, { brokerEpoch: 23 })).toEqual([advanced(6)]);
  });

  it("does not move on last words that come after those of the next incarnation", () => {
    const leader = leaderAt10();
    acknowledge(leader, B2, 10);
    acknowledge(leader, B3, 2, { brokerEpoch: 23 });
    expect(acknowledge(leader, B3, 10)).toEqual([]);
    expect(leader.highWatermark).toBe(2);
  });

  it("ignores an acknowledgement of more than the leader has", () => {
    const leader = leaderAt10();
    acknowledge(leader, B2, 10);
    expect(acknowledge(leader, B3, 11)).toEqual([]);
  });

  it("obeys a new min.insync.replicas under the same partition epoch", () => {
    const leader = leaderAt10({ isr: [B1] });
    const change = { isr: [B1], replicas: [B1, B2, B3], inSyncReplicasMin: 1, nowMs: 1 };
    expect(leader.step({ kind: "partition-changed", partitionEpoch: 6, ...change })).toEqual([]);
    expect(leader.isUnderMinIsr).toBe(true);
    expect(leader.step({ kind: "partition-changed", partitionEpoch: 7, ...change })).toEqual([
      advanced(10),
    ]);
  });
});

describe("a follower that was no replica for a while", () => {
  const state = (partitionEpoch: number, replicas: NodeId[]) =>
    ({
      kind: "partition-changed",
      partitionEpoch,
      isr: [B1, B2],
      replicas,
      inSyncReplicasMin: 2,
      nowMs: 1,
    }) as const;

  it("is let in only by what it acknowledges from then on: its log was deleted", () => {
    const leader = leaderAt10({ isr: [B1, B2] });
    acknowledge(leader, B2, 10);
    acknowledge(leader, B3, 8);
    leader.step(state(8, [B1, B2]));
    leader.step(state(9, [B1, B2, B3]));
    expect(acknowledge(leader, B3, 0)).toEqual([]);
    expect(tickTo(leader, 100, 300)).toEqual([]);
    expect(acknowledge(leader, B3, 10)).toEqual([proposed(9, B1, B2, B3)]);
  });

  it("is not known to have been one where the leader missed a state between", () => {
    const isIn = (partitionEpoch: number): boolean => {
      const leader = leaderAt10({ isr: [B1, B2], partitionEpoch: 7 });
      acknowledge(leader, B2, 10);
      // In sync but for the answer: the controller was asked, and refused.
      expect(acknowledge(leader, B3, 10)).toEqual([proposed(7, B1, B2, B3)]);
      const answer = { kind: "refused", code: "INELIGIBLE_REPLICA" } as const;
      leader.step({ kind: "isr-answered", answer, nowMs: 1 });
      return leader.step(state(partitionEpoch, [B1, B2, B3])).length > 0;
    };
    expect(isIn(8)).toBe(true);
    expect(isIn(10)).toBe(false);
  });
});

describe("joining", () => {
  it("needs all that earlier leaders may have committed", () => {
    const leader = leaderAt10({ isr: [B1, B2] });
    expect(acknowledge(leader, B3, 9)).toEqual([]);
    expect(acknowledge(leader, B3, 10)).toEqual([proposed(7, B1, B2, B3)]);
  });

  it("needs all that is committed now", () => {
    const leader = leaderAt10({ isr: [B1, B2] });
    leader.step({ kind: "appended", logEndOffset: 20 });
    leader.step({ kind: "synced", durableEndOffset: 20 });
    acknowledge(leader, B2, 15);
    expect(acknowledge(leader, B3, 14)).toEqual([]);
    expect(acknowledge(leader, B3, 15)).toEqual([proposed(7, B1, B2, B3)]);
  });

  it("is possible for a follower that is always a little behind", () => {
    const leader = leaderAt10({ isr: [B1, B2] });
    const proposals: LeaderEffect[] = [];
    for (let end = 20; end <= 100; end += 10) {
      leader.step({ kind: "appended", logEndOffset: end });
      leader.step({ kind: "synced", durableEndOffset: end });
      acknowledge(leader, B2, end, { nowMs: end });
      proposals.push(...acknowledge(leader, B3, end - 5, { nowMs: end + 1 }));
    }
    expect(proposals).toContainEqual(proposed(7, B1, B2, B3));
  });

  it("is not waited for when the follower is far behind", () => {
    const leader = leaderAt10({ isr: [B1, B2], logEndOffset: 1_000, durableEndOffset: 1_000 });
    acknowledge(leader, B3, 10);
    expect(acknowledge(leader, B2, 1_000)).toEqual([advanced(1_000)]);
  });

  it("is waited for a second at most when the follower falls silent", () => {
    const leader = leaderAt10({ isr: [B1, B2] });
    const grow = (logEndOffset: number) => {
      leader.step({ kind: "appended", logEndOffset });
      leader.step({ kind: "synced", durableEndOffset: logEndOffset });
      return acknowledge(leader, B2, logEndOffset);
    };
    acknowledge(leader, B3, 5);
    expect(grow(30)).toEqual([advanced(30)]);
    // It has all there was at 1 ms, but not all that is committed by now.
    expect(acknowledge(leader, B3, 10, { nowMs: 2 })).toEqual([]);
    expect(grow(40)).toEqual([]);
    expect(tickTo(leader, 100, 1_000)).toEqual([]);
    expect(tickTo(leader, 1_100, 1_100)).toEqual([advanced(40)]);
  });

  it("is not for a fenced broker, until it is unfenced", () => {
    const eligible = epochs([B1, 11], [B2, 12]);
    const leader = leaderAt10({ isr: [B1, B2], eligible });
    expect(acknowledge(leader, B3, 10)).toEqual([]);
    expect(leader.step({ kind: "eligible-changed", eligible: ALL, nowMs: 2 })).toEqual([
      proposed(7, B1, B2, B3),
    ]);
  });

  it("is not for an incarnation that the metadata does not know", () => {
    const leader = leaderAt10({ isr: [B1, B2] });
    expect(acknowledge(leader, B3, 10, { brokerEpoch: 9 })).toEqual([]);
    expect(acknowledge(leader, B3, 10, { brokerEpoch: 23 })).toEqual([]);
  });

  it("does not readmit a silent replica when the high watermark stands still", () => {
    const leader = leaderAt10({ isr: [B1, B2] });
    leader.step({ kind: "appended", logEndOffset: 20 });
    acknowledge(leader, B2, 10);
    expect(tickTo(leader, 100, 30_200)).toContainEqual(proposed(7, B1));
    const answer = { kind: "committed", isr: [B1], partitionEpoch: 8 } as const;
    expect(leader.step({ kind: "isr-answered", answer, nowMs: 30_300 })).toEqual([]);
    expect(tickTo(leader, 30_300, 40_000)).toEqual([]);
    expect(acknowledge(leader, B2, 12, { nowMs: 40_000 })).toEqual([proposed(8, B1, B2)]);
  });
});

describe("dropping", () => {
  it("spares followers of an idle partition, also right after the next append", () => {
    const leader = leaderAt10();
    acknowledge(leader, B2, 10);
    acknowledge(leader, B3, 10);
    expect(tickTo(leader, 100, 100_000)).toEqual([]);
    leader.step({ kind: "appended", logEndOffset: 11 });
    expect(tickTo(leader, 100_100, 129_900)).toEqual([]);
  });

  it("drops who has not had the log end of any moment for too long", () => {
    const leader = leaderAt10();
    acknowledge(leader, B2, 10);
    acknowledge(leader, B3, 9);
    expect(tickTo(leader, 100, 30_000)).toEqual([]);
    expect(leader.step({ kind: "ticked", nowMs: 30_100 })).toEqual([proposed(7, B1, B2)]);
  });

  it("spares a follower that is always a little behind under steady load", () => {
    const leader = leaderAt10({ isr: [B1, B2] });
    acknowledge(leader, B2, 10);
    const effects: LeaderEffect[] = [];
    for (let at = 1; at <= 1_000; at += 1) {
      leader.step({ kind: "appended", logEndOffset: 10 + at });
      leader.step({ kind: "ticked", nowMs: at * 100 });
      // Three batches are always on their way; each acknowledgement is of older data.
      effects.push(...acknowledge(leader, B2, Math.max(10, 7 + at), { nowMs: at * 100 }));
    }
    expect(effects.filter(({ kind }) => kind === "propose-isr")).toEqual([]);
  });

  it("does not judge by its own silence after a pause", () => {
    const leader = leaderAt10();
    leader.step({ kind: "appended", logEndOffset: 20 });
    expect(leader.step({ kind: "ticked", nowMs: 60_000 })).toEqual([]);
    expect(acknowledge(leader, B2, 10, { nowMs: 60_001 })).toEqual([]);
    expect(tickTo(leader, 60_100, 89_900)).toEqual([]);
    expect(leader.step({ kind: "ticked", nowMs: 90_100 })).toEqual([proposed(7, B1)]);
  });

  it("does not drop on an acknowledgement that is the first event after a pause", () => {
    const leader = leaderAt10({ isr: [B1, B2] });
    leader.step({ kind: "appended", logEndOffset: 20 });
    const effects = acknowledge(leader, B3, 20, { nowMs: 60_000 });
    expect(effects).toEqual([proposed(7, B1, B2, B3)]);
  });

  it("gives a replica that has just joined the full time", () => {
    const leader = leaderAt10({ isr: [B1, B2] });
    acknowledge(leader, B3, 5);
    leader.step({ kind: "appended", logEndOffset: 20 });
    acknowledge(leader, B2, 10);
    tickTo(leader, 100, 29_900);
    acknowledge(leader, B2, 20, { nowMs: 29_900 });
    expect(acknowledge(leader, B3, 12, { nowMs: 29_950 })).toEqual([proposed(7, B1, B2, B3)]);
    const answer = { kind: "committed", isr: [B1, B2, B3], partitionEpoch: 8 } as const;
    leader.step({ kind: "isr-answered", answer, nowMs: 29_960 });
    expect(tickTo(leader, 30_000, 59_900)).toEqual([]);
  });
});

describe("a proposal", () => {
  /** Proposed 3 at 1 ms under partition epoch 7; the answer is open. */
  function proposing(): Leader {
    const leader = leaderAt10({ isr: [B1, B2] });
    acknowledge(leader, B3, 10);
    expect(leader.maximalIsr).toEqual([B1, B2, B3]);
    return leader;
  }

  it("is not repeated in the step that hears of its refusal, but on the next tick", () => {
    const leader = proposing();
    const answer = { kind: "refused", code: "INELIGIBLE_REPLICA" } as const;
    expect(leader.step({ kind: "isr-answered", answer, nowMs: 2 })).toEqual([]);
    expect(leader.maximalIsr).toEqual([B1, B2]);
    expect(acknowledge(leader, B3, 10)).toEqual([]);
    expect(leader.step({ kind: "ticked", nowMs: 50 })).toEqual([proposed(7, B1, B2, B3)]);
  });

  it("counts while nobody knows what became of it", () => {
    const leader = proposing();
    const answer = { kind: "refused", code: "REQUEST_TIMED_OUT" } as const;
    leader.step({ kind: "isr-answered", answer, nowMs: 2 });
    expect(leader.maximalIsr).toEqual([B1, B2, B3]);
  });

  it("is made again after a while without an answer, and the doubtful member counts", () => {
    const leader = proposing();
    expect(tickTo(leader, 100, 10_000)).toEqual([]);
    expect(tickTo(leader, 10_100, 10_100)).toEqual([proposed(7, B1, B2, B3)]);
    expect(leader.maximalIsr).toEqual([B1, B2, B3]);
  });

  it("made to end a doubt is paced, also when the answer brings nothing new", () => {
    const leader = proposing();
    const refused = { kind: "refused", code: "REQUEST_TIMED_OUT" } as const;
    leader.step({ kind: "isr-answered", answer: refused, nowMs: 2 });
    const eligible = epochs([B1, 11], [B2, 12]);
    expect(leader.step({ kind: "eligible-changed", eligible, nowMs: 3 })).toEqual([]);
    expect(tickTo(leader, 100, 500)).toEqual([]);
    expect(leader.step({ kind: "ticked", nowMs: 600 })).toEqual([proposed(7, B1, B2)]);
    const same = { kind: "committed", isr: [B1, B2], partitionEpoch: 7 } as const;
    expect(leader.step({ kind: "isr-answered", answer: same, nowMs: 601 })).toEqual([]);
    expect(leader.maximalIsr).toEqual([B1, B2, B3]);
    expect(tickTo(leader, 700, 1_000)).toEqual([]);
    expect(leader.step({ kind: "ticked", nowMs: 1_100 })).toEqual([proposed(7, B1, B2)]);
    const newer = { kind: "committed", isr: [B1, B2], partitionEpoch: 8 } as const;
    leader.step({ kind: "isr-answered", answer: newer, nowMs: 1_101 });
    expect(leader.maximalIsr).toEqual([B1, B2]);
  });

  it("waits for the newer partition epoch that a refusal speaks of, but not for ever", () => {
    const leader = proposing();
    const answer = { kind: "refused", code: "INVALID_UPDATE_VERSION" } as const;
    leader.step({ kind: "isr-answered", answer, nowMs: 2 });
    expect(tickTo(leader, 100, 10_000)).toEqual([]);
    expect(tickTo(leader, 10_100, 10_100)).toEqual([proposed(7, B1, B2, B3)]);
  });

  it("is not made while the broker epoch of a member is unknown", () => {
    const leader = leaderAt10({ isr: [B1, B2], eligible: epochs([B1, 11], [B3, 13]) });
    expect(acknowledge(leader, B3, 10)).toEqual([]);
    acknowledge(leader, B2, 10);
    expect(leader.step({ kind: "ticked", nowMs: 50 })).toEqual([proposed(7, B1, B2, B3)]);
  });
});

describe("a quiet leadership", () => {
  /** Everything is committed, and everybody in sync has it. */
  function quietLeader(): Leader {
    const leader = leaderAt10();
    for (const replica of [B2, B3]) acknowledge(leader, replica, 10);
    return leader;
  }

  it("is one where everybody is in sync and has everything", () => {
    expect(leaderAt10().isQuiet).toBe(false);
    expect(quietLeader().isQuiet).toBe(true);
  });

  it("ends with a batch, and begins again once everybody has it", () => {
    const leader = quietLeader();
    leader.step({ kind: "appended", logEndOffset: 12 });
    expect(leader.isQuiet).toBe(false);
    leader.step({ kind: "synced", durableEndOffset: 12 });
    acknowledge(leader, B2, 12);
    expect(leader.isQuiet).toBe(false);
    acknowledge(leader, B3, 12);
    expect(leader.isQuiet).toBe(true);
  });

  it("is none while a replica is missing, has lost something, or is another process", () => {
    const short = leaderAt10({ isr: [B1, B2] });
    acknowledge(short, B2, 10);
    expect(short.isQuiet).toBe(false);

    const behind = quietLeader();
    acknowledge(behind, B3, 4);
    expect(behind.isQuiet).toBe(false);

    const restarted = quietLeader();
    restarted.step({
      kind: "eligible-changed",
      eligible: epochs([B1, 11], [B2, 12], [B3, 23]),
      nowMs: 5,
    });
    expect(restarted.isQuiet).toBe(false);
  });

  it("is none while a proposal is open or in doubt", () => {
    const leader = leaderAt10({ isr: [B1, B2] });
    acknowledge(leader, B2, 10);
    expect(acknowledge(leader, B3, 10)).toHaveLength(1);
    expect(leader.isQuiet).toBe(false);
    const answer = { kind: "refused", code: "REQUEST_TIMED_OUT" } as const;
    leader.step({ kind: "isr-answered", answer, nowMs: 10 });
    expect(leader.isQuiet).toBe(false);
    leader.step({
      kind: "isr-answered",
      answer: { kind: "committed", isr: [B1, B2, B3], partitionEpoch: 8 },
      nowMs: 20,
    });
    leader.step({ kind: "ticked", nowMs: 50 });
    expect(leader.isQuiet).toBe(true);
  });

  it("gives its followers their full time after ticks that were left out", () => {
    const leader = quietLeader();
    leader.step({ kind: "ticked", nowMs: 500_000 });
    leader.step({ kind: "appended", logEndOffset: 12 });
    expect(tickTo(leader, 500_100, 530_000)).toEqual([]);
    expect(tickTo(leader, 530_100, 530_100)).toHaveLength(1);
  });
});
