import { describe, expect, it } from "vitest";
import { GROUP_CONFIG_DEFAULTS, type GroupResponse, GroupShard, type GroupStep } from "./index.js";
import { COMMIT_BYTES_MAX, DELETIONS_MAX, GROUP_BYTES_MAX } from "./step-limits.js";

const CONFIG = {
  ...GROUP_CONFIG_DEFAULTS,
  initialRebalanceDelayMs: 0,
  offsetsRetentionMs: 1_000,
  offsetsRetentionCheckMs: 5_000,
};

function shardWith(): GroupShard {
  const shard = new GroupShard(CONFIG);
  shard.loaded(at(0));
  return shard;
}

function at(ms: number) {
  return { monotonicMs: ms, wallMs: ms };
}

function errorOf({ replies }: GroupStep): unknown {
  const response = replies[0]?.response as GroupResponse & { readonly error?: unknown };
  return response.error;
}

/** As nobody, with a text of so many characters for each partition. */
function commit(shard: GroupShard, partitionCount: number, textLength = 0): GroupStep {
  const metadata = "x".repeat(textLength);
  const partitions = Array.from({ length: partitionCount }, (_, partition) => {
    return { partition, offset: 1, leaderEpoch: -1, metadata };
  });
  const nobody = { memberId: "", instanceId: undefined, generation: -1, retentionMs: undefined };
  const topics = [{ topic: "t", partitions }];
  return shard.step({ kind: "commit", groupId: "g", ...nobody, topics }, 1, at(0));
}

function join(shard: GroupShard, memberId: string, metadataBytes: number): GroupStep {
  return shard.step(
    {
      kind: "join",
      groupId: "g",
      memberId: "",
      instanceId: undefined,
      newMemberId: memberId,
      requiresKnownMemberId: false,
      supportsSkippingAssignment: true,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: new Uint8Array(metadataBytes) }],
      clientId: "c",
      clientHost: "h",
    },
    1,
    at(0),
  );
}

describe("one step of a shard", () => {
  it("deletes the offsets of a topic that is gone in parts, until none is left", () => {
    const shard = shardWith();
    const count = 2 * DELETIONS_MAX + 5;
    expect(commit(shard, count).records).toHaveLength(count);
    const first = shard.step({ kind: "topics-deleted", topics: ["t"] }, 2, at(10));
    expect(first.records).toHaveLength(DELETIONS_MAX);
    expect(first.replies).toHaveLength(1);
    expect(shard.tick(at(11)).records).toHaveLength(DELETIONS_MAX);
    expect(shard.tick(at(12)).records).toHaveLength(5);
    expect(shard.tick(at(13)).records).toEqual([]);
  });

  it("lets offsets expire in parts", () => {
    const shard = shardWith();
    commit(shard, DELETIONS_MAX + 5);
    expect(shard.tick(at(5_000)).records).toHaveLength(DELETIONS_MAX);
    expect(shard.tick(at(5_001)).records).toHaveLength(5);
    expect(shard.nextDeadlineMs).toBe(10_001);
  });

  it("takes no commit that would not fit a batch", () => {
    const shard = shardWith();
    const count = Math.ceil(COMMIT_BYTES_MAX / 4_096);
    expect(errorOf(commit(shard, count, 4_096))).toBe("INVALID_COMMIT_OFFSET_SIZE");
    expect(errorOf(commit(shard, count / 2, 4_096))).toBeUndefined();
  });

  it("takes no member whose words would not fit the group's record", () => {
    const shard = shardWith();
    expect(join(shard, "a", GROUP_BYTES_MAX - 10).replies).toEqual([]);
    expect(errorOf(join(shard, "b", 11))).toBe("GROUP_MAX_SIZE_REACHED");
    expect(join(shard, "c", 10).replies).toEqual([]);
  });

  it("takes no assignment that would not fit the group's record", () => {
    const shard = shardWith();
    join(shard, "a", 10);
    shard.tick(at(0));
    const assignment = new Uint8Array(GROUP_BYTES_MAX + 1);
    const member = { groupId: "g", memberId: "a", instanceId: undefined, generation: 1 };
    const protocol = { protocolType: undefined, protocolName: undefined };
    const assignments = [{ memberId: "a", assignment }];
    const step = shard.step({ kind: "sync", ...member, ...protocol, assignments }, 2, at(0));
    expect(errorOf(step)).toBe("UNKNOWN_SERVER_ERROR");
    expect(step.records).toEqual([]);
    const beat = shard.step({ kind: "heartbeat", ...member }, 3, at(0));
    expect(errorOf(beat)).toBe("REBALANCE_IN_PROGRESS");
  });
});
