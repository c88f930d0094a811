import { nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { Liveness } from "./liveness.js";

const B1 = nodeId(1);
const B2 = nodeId(2);
const OPTIONS = {
  sessionMsMax: 6_000,
  reconnectMsMax: 300,
  discoveryMsMax: 2_000,
  pauseMsMin: 1_000,
};

/** Ticks every 100 ms from `fromMs` up to `toMs`, and says who expired when. */
function tickTo(liveness: Liveness, fromMs: number, toMs: number): [atMs: number, id: number][] {
  const expired: [number, number][] = [];
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 100) {
    for (const id of liveness.ticked(nowMs)) expired.push([nowMs, id]);
  }
  return expired;
}

describe(Liveness, () => {
  it("gives a silent broker on a standing session the whole session", () => {
    const liveness = new Liveness(OPTIONS, 0);
    liveness.heard(B1, 0);
    expect(tickTo(liveness, 100, 10_000)).toEqual([[6_000, B1]]);
  });

  it("expires a broker soon after its session broke", () => {
    const liveness = new Liveness(OPTIONS, 0);
    liveness.heard(B1, 0);
    liveness.sessionEnded(B1, 1_000);
    expect(tickTo(liveness, 100, 5_000)).toEqual([[1_300, B1]]);
  });

  it("keeps a broker that opened its session again in time", () => {
    const liveness = new Liveness(OPTIONS, 0);
    liveness.heard(B1, 0);
    liveness.sessionEnded(B1, 1_000);
    liveness.heard(B1, 1_200);
    expect(tickTo(liveness, 100, 5_000)).toEqual([]);
  });

  it("gives brokers time to find a new controller, less to one whose connection is down", () => {
    const liveness = new Liveness(OPTIONS, 0);
    liveness.activated([B1, B2], new Set([B2]), 0);
    expect(tickTo(liveness, 100, 5_000)).toEqual([
      [300, B2],
      [2_000, B1],
    ]);
  });

  it("does not let a broken raft connection end a standing session", () => {
    const liveness = new Liveness(OPTIONS, 0);
    liveness.heard(B1, 0);
    liveness.connectionLost(B1, 100);
    expect(tickTo(liveness, 100, 5_000)).toEqual([]);
    expect(liveness.isHeard(B1)).toBe(true);
  });

  it("judges nobody by a silence that was its own", () => {
    const liveness = new Liveness(OPTIONS, 0);
    liveness.heard(B1, 0);
    expect(liveness.ticked(20_000)).toEqual([]);
    expect(tickTo(liveness, 20_100, 30_000)).toEqual([[26_000, B1]]);
  });

  it("names an expired broker once", () => {
    const liveness = new Liveness(OPTIONS, 0);
    liveness.heard(B1, 0);
    expect(tickTo(liveness, 100, 20_000)).toHaveLength(1);
  });
});
