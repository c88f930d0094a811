import { describe, expect, it } from "vitest";
import { GROUP_CONFIG_DEFAULTS, type GroupResponse, GroupShard, type GroupStep } from "./index.js";

const NOW = { monotonicMs: 0, wallMs: 0 };
const CONFIG = { ...GROUP_CONFIG_DEFAULTS, initialRebalanceDelayMs: 0 };

/** A group of one member whose bytes came in a frame of the network, which is used again. */
function groupFromFrame(frame: Buffer): GroupShard {
  const shard = new GroupShard(CONFIG);
  const member = { groupId: "g", instanceId: undefined, protocolType: "consumer" };
  const join = {
    kind: "join",
    ...member,
    memberId: "",
    newMemberId: "m",
    requiresKnownMemberId: false,
    supportsSkippingAssignment: true,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocols: [{ name: "range", metadata: frame.subarray(0, 2) }],
    clientId: "c",
    clientHost: "h",
  } as const;
  shard.step(join, 1, NOW);
  shard.tick(NOW);
  const assignments = [{ memberId: "m", assignment: frame.subarray(2, 4) }];
  const sync = { kind: "sync", ...member, memberId: "m", generation: 1, assignments } as const;
  shard.step({ ...sync, protocolName: "range" }, 2, NOW);
  return shard;
}

function described({ replies }: GroupStep): GroupResponse & { kind: "describe" } {
  const response = replies[0]?.response;
  if (response?.kind !== "describe") throw new Error("no description");
  return response;
}

describe("bytes that members send", () => {
  it("stay as they were when the frame that brought them is used again", () => {
    const frame = Buffer.from([1, 2, 3, 4]);
    const shard = groupFromFrame(frame);
    frame.fill(9);
    const { members } = described(shard.step({ kind: "describe", groupId: "g" }, 3, NOW));
    expect(members[0]?.metadata).toEqual(Uint8Array.of(1, 2));
    expect(members[0]?.assignment).toEqual(Uint8Array.of(3, 4));
  });
});
