import { emptyImage, type MetadataImage, type Topic } from "@strandline/metadata";
import { leaderEpoch, nodeId, partitionEpoch, type TopicId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { CATCH_UP_MS_MAX, CatchingUp } from "./catching-up.js";

const ME = nodeId(0);

/** One topic; for each partition who is in sync, and who leads. All have replicas 0, 1 and 2. */
function image(...partitions: readonly { isr: number[]; leader: number }[]): MetadataImage {
  const id = "AAAAAAAAAAAAAAAAAAAAAA" as TopicId;
  const topic: Topic = {
    id,
    name: "t",
    partitions: partitions.map(({ isr, leader }) => ({
      replicas: [0, 1, 2].map(nodeId),
      adding: [],
      removing: [],
      isr: isr.map(nodeId),
      elr: [],
      leader: leader === -1 ? -1 : nodeId(leader),
      leaderEpoch: leaderEpoch(0),
      partitionEpoch: partitionEpoch(0),
    })),
  };
  return { ...emptyImage(), topics: new Map([[id, topic]]) };
}

const behind = image({ isr: [1, 2], leader: 1 }, { isr: [0, 1, 2], leader: 0 });
const inSync = image({ isr: [0, 1], leader: 1 }, { isr: [0], leader: 0 });

describe(CatchingUp, () => {
  it("says how many replicas are behind", () => {
    const gate = new CatchingUp(ME);
    expect(gate.problem(behind, 0)).toBe("1 replica is not in sync yet");
    expect(gate.problem(image({ isr: [1], leader: 1 }, { isr: [2], leader: 2 }), 1)).toBe(
      "2 replicas are not in sync yet",
    );
  });

  it("is done once all are in sync, and stays done", () => {
    const gate = new CatchingUp(ME);
    expect(gate.problem(behind, 0)).toBeDefined();
    expect(gate.problem(inSync, 1)).toBeUndefined();
    expect(gate.problem(behind, 2)).toBeUndefined();
  });

  it("waits for no partition that nobody leads, and for none of others", () => {
    expect(new CatchingUp(ME).problem(image({ isr: [], leader: -1 }), 0)).toBeUndefined();
    expect(new CatchingUp(nodeId(7)).problem(behind, 0)).toBeUndefined();
  });

  it("gives up when it takes too long, counted from the first question", () => {
    const gate = new CatchingUp(ME);
    expect(gate.problem(behind, 5)).toBeDefined();
    expect(gate.problem(behind, 5 + CATCH_UP_MS_MAX - 1)).toBeDefined();
    expect(gate.problem(behind, 5 + CATCH_UP_MS_MAX)).toBeUndefined();
  });
});
