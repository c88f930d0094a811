import type { Partition as PartitionImage } from "@strandline/metadata";
import type { NodeId } from "@strandline/model";
import { describe, expect, it } from "vitest";
import type { LeaderFeed } from "./leader-feed.js";
import { LeaderRole } from "./leader-role.js";
import type { Partition } from "./partition.js";
import type { TopicSettings } from "./topic-settings.js";

const SETTINGS = { inSyncReplicasMin: 1 } as TopicSettings;

function state(partitionEpoch: number, replicas: number[], isr: number[]): PartitionImage {
  const none: NodeId[] = [];
  return {
    replicas: replicas as NodeId[],
    adding: none,
    removing: none,
    isr: isr as NodeId[],
    elr: none,
    leader: 1 as NodeId,
    leaderEpoch: 1 as never,
    partitionEpoch: partitionEpoch as never,
  };
}

/** Broker 1 leads, with 2 in sync and 3 behind; both have a feed. Returns who was refused one. */
function leading() {
  const partition = {
    owner: { nodeId: 1, eligible: () => new Map(), proposeIsr: () => undefined },
    log: { logEndOffset: 5, durableEndOffset: 5, logStartOffset: 0 },
    ports: { clock: { monotonicMs: () => 0 } },
    highWatermark: 5,
    wake: () => false,
    advanceHighWatermark: () => undefined,
  } as unknown as Partition;
  const image = state(7, [1, 2, 3], [1, 2]);
  const role = new LeaderRole(partition, { image, settings: SETTINGS, replicaLagMsMax: 1_000 });
  const refused: number[] = [];
  for (const replica of [2, 3]) {
    role.addFeed({ replica, refuse: () => refused.push(replica) } as unknown as LeaderFeed);
  }
  return { refused, changed: (to: PartitionImage) => role.partitionChanged(to, SETTINGS) };
}

describe("a leader that hears of other replicas", () => {
  it("feeds nobody who is none any more", () => {
    const { refused, changed } = leading();
    changed(state(8, [1, 2], [1, 2]));
    expect(refused).toEqual([3]);
  });

  it("goes on feeding those that stay", () => {
    const { refused, changed } = leading();
    changed(state(8, [1, 2, 3, 4], [1, 2]));
    expect(refused).toEqual([]);
  });

  it("lets whoever may have left and come back ask again", () => {
    const { refused, changed } = leading();
    changed(state(10, [1, 2, 3], [1, 2]));
    expect(refused).toEqual([3]);
  });
});
