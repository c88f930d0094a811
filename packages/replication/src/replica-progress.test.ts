import type { BrokerEpoch } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { ReplicaProgress } from "./replica-progress.js";

/** Begins at 0 ms, when the leader's log ends at 10. */
function progress(): ReplicaProgress {
  const brokerEpoch = 1 as BrokerEpoch;
  return new ReplicaProgress({ brokerEpoch, logEndOffset: 10, caughtUpAtMs: 0, nowMs: 0 });
}

describe(ReplicaProgress, () => {
  it("was caught up at the moment whose log end it has reached", () => {
    const follower = progress();
    follower.acknowledged(5, 20, 1_000);
    expect(follower.caughtUpAtMs).toBe(0);
    follower.acknowledged(10, 30, 2_000);
    expect(follower.caughtUpAtMs).toBe(0);
    follower.acknowledged(30, 40, 3_000);
    expect(follower.caughtUpAtMs).toBe(2_000);
  });

  it("is caught up as long as it lacks nothing", () => {
    const follower = progress();
    follower.acknowledged(10, 10, 1_000);
    follower.ticked(10, 9_000);
    expect(follower.caughtUpAtMs).toBe(9_000);
    follower.ticked(11, 9_500);
    expect(follower.caughtUpAtMs).toBe(9_000);
  });

  it("closes in when it has what the leader had a moment ago, not by credit alone", () => {
    const follower = progress();
    expect(follower.isClosingIn(1)).toBe(false);
    follower.acknowledged(5, 20, 1);
    expect(follower.isClosingIn(1)).toBe(false);
    follower.acknowledged(10, 30, 500);
    expect(follower.isClosingIn(1_000)).toBe(true);
    expect(follower.isClosingIn(1_001)).toBe(false);
  });

  it("is forgiven the leader's silence, and no more than that", () => {
    const follower = progress();
    follower.forgive(5_000, 6_000);
    expect(follower.caughtUpAtMs).toBe(5_000);
    follower.forgive(5_000, 6_000);
    expect(follower.caughtUpAtMs).toBe(6_000);
  });

  it("is lost when it lags and is silent, but not when it only lags", () => {
    const follower = progress();
    follower.acknowledged(5, 20, 1_000);
    expect(follower.isLagging(1_001, 1_000)).toBe(true);
    expect(follower.isLost(1_001, 1_000)).toBe(false);
    expect(follower.isLost(2_001, 1_000)).toBe(true);
  });
});
