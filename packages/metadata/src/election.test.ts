import { type NodeId, nodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { cleanCandidate, type Standing, withLeader } from "./election.js";

const ids = (...nodes: number[]): NodeId[] => nodes.map((node) => nodeId(node));

/** Standing by node; whoever is not named is fenced. */
function standings(of: Record<number, Standing>) {
  return (id: NodeId): Standing => of[id] ?? "absent";
}

describe(cleanCandidate, () => {
  const replicas = ids(1, 2, 3, 4);

  it("takes the first live replica in sync, in the order of the assignment", () => {
    const state = { isr: ids(4, 3, 2), elr: [] };
    expect(cleanCandidate(replicas, state, standings({ 3: "usable", 4: "usable" }))).toBe(3);
  });

  it("takes a replica in sync before one that is eligible", () => {
    const state = { isr: ids(4), elr: ids(1, 2) };
    expect(cleanCandidate(replicas, state, standings({ 2: "usable", 4: "usable" }))).toBe(4);
    expect(cleanCandidate(replicas, state, standings({ 2: "usable" }))).toBe(2);
  });

  it("takes a broker about to stop last, even after the eligible ones", () => {
    const state = { isr: ids(1, 2), elr: ids(3) };
    const stopping = { 1: "stopping", 2: "stopping" } as const;
    expect(cleanCandidate(replicas, state, standings({ ...stopping, 3: "usable" }))).toBe(3);
    expect(cleanCandidate(replicas, state, standings({ ...stopping, 2: "usable" }))).toBe(2);
    expect(cleanCandidate(replicas, state, standings({ ...stopping, 3: "stopping" }))).toBe(1);
  });

  it("takes nobody else, however alive", () => {
    const state = { isr: ids(1), elr: ids(2) };
    expect(cleanCandidate(replicas, state, standings({ 3: "usable", 4: "usable" }))).toBe(-1);
  });
});

describe(withLeader, () => {
  const replicas = ids(1, 2, 3);

  it("leaves a leader where there is one", () => {
    const target = { isr: ids(1, 2), elr: [], leader: nodeId(2) };
    const rules = { inSyncMin: 2, standingOf: standings({ 1: "usable", 2: "usable" }) };
    expect(withLeader(replicas, target, rules)).toBe(target);
  });

  it("makes whoever comes out of the ELR the only one in sync; the others stay eligible", () => {
    const target = { isr: ids(2), elr: ids(1, 3), leader: -1 } as const;
    const standingOf = standings({ 2: "stopping", 3: "usable" });
    expect(withLeader(replicas, target, { inSyncMin: 3, standingOf })).toEqual({
      isr: ids(3),
      elr: ids(1, 2),
      leader: 3,
    });
    // Where one in sync is enough, the new leader may commit alone at once.
    expect(withLeader(replicas, { ...target, isr: [] }, { inSyncMin: 1, standingOf })).toEqual({
      isr: ids(3),
      elr: [],
      leader: 3,
    });
  });
});
