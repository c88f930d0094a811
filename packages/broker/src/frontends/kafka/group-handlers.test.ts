import { BrokerError, errorNumber } from "@strandline/model";
import { Lease } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import type { GroupService } from "../../services/groups.js";
import { groupHandlers } from "./group-handlers.js";
import type { KafkaRequestContext } from "./handler.js";

const BYTES = new Uint8Array([1]);
const GROUP = "g";

function context(version: number): KafkaRequestContext {
  return {
    version,
    clientId: "client",
    clientHost: "10.0.0.9",
    listener: {
      endpointOf: (id) => (id === 9 ? undefined : { host: `b${id}`, port: 9_090 + id }),
    },
    signal: new AbortController().signal,
    lease: new Lease(),
  };
}

/** Handlers on a service that answers `answers`, or refuses; and what it was asked. */
function handlers(answers: Partial<Record<keyof GroupService, unknown>>) {
  const asked: unknown[] = [];
  const service = new Proxy({} as GroupService, {
    get: (_target, name: keyof GroupService) => (body: unknown) => {
      asked.push(body);
      const answer = answers[name];
      if (answer instanceof BrokerError) throw answer;
      return answer;
    },
  });
  return { on: groupHandlers(service), asked };
}

function refusal(code: ConstructorParameters<typeof BrokerError>[0]): BrokerError {
  return new BrokerError(code, "refused");
}

const JOIN = {
  groupId: GROUP,
  sessionTimeoutMs: 10,
  rebalanceTimeoutMs: 20,
  memberId: "",
  groupInstanceId: null,
  protocolType: "consumer",
  protocols: [{ name: "range", metadata: BYTES }],
  reason: null,
};

describe("FindCoordinator", () => {
  const request = { key: GROUP, keyType: 0, coordinatorKeys: [GROUP, "h"] };

  it("finds one group in the old versions, and many in the newer ones", async () => {
    const { on } = handlers({ coordinatorOf: 2 });
    expect(await on.FindCoordinator?.(request, context(3))).toMatchObject({
      ...{ errorCode: 0, errorMessage: "NONE", nodeId: 2, host: "b2", port: 9_092 },
      coordinators: [],
    });
    const found = { errorCode: 0, errorMessage: "", nodeId: 2, host: "b2", port: 9_092 };
    expect(await on.FindCoordinator?.(request, context(4))).toMatchObject({
      coordinators: [
        { key: GROUP, ...found },
        { key: "h", ...found },
      ],
    });
  });

  it("says that there is none yet while nobody coordinates, or nobody that can be reached", async () => {
    for (const coordinatorOf of [undefined, 9]) {
      const { on } = handlers({ coordinatorOf });
      expect(await on.FindCoordinator?.(request, context(2))).toMatchObject({
        errorCode: errorNumber("COORDINATOR_NOT_AVAILABLE"),
        nodeId: -1,
      });
    }
  });

  it("coordinates groups only", async () => {
    const { on } = handlers({ coordinatorOf: 2 });
    const answer = await on.FindCoordinator?.({ ...request, keyType: 1 }, context(2));
    expect(answer?.errorCode).toBe(errorNumber("INVALID_REQUEST"));
  });
});

describe("JoinGroup", () => {
  const joined = {
    kind: "join",
    error: undefined,
    memberId: "m",
    generation: 3,
    protocolType: "consumer",
    protocolName: "range",
    leaderId: "m",
    skipAssignment: false,
    members: [{ memberId: "m", instanceId: undefined, metadata: BYTES }],
  };

  it("asks in the words of its version", async () => {
    const asks = async (version: number) => {
      const { on, asked } = handlers({ join: joined });
      await on.JoinGroup?.(JOIN, context(version));
      return asked[0];
    };
    expect(await asks(0)).toMatchObject({
      rebalanceTimeoutMs: undefined,
      requiresKnownMemberId: false,
      instanceId: undefined,
      clientId: "client",
      clientHost: "/10.0.0.9",
    });
    expect(await asks(3)).toMatchObject({ rebalanceTimeoutMs: 20, requiresKnownMemberId: false });
    expect(await asks(4)).toMatchObject({ requiresKnownMemberId: true });
    expect(await asks(8)).toMatchObject({ supportsSkippingAssignment: false });
    expect(await asks(9)).toMatchObject({ supportsSkippingAssignment: true });
  });

  it("answers with the generation and its members", async () => {
    const { on } = handlers({ join: joined });
    expect(await on.JoinGroup?.(JOIN, context(5))).toEqual({
      errorCode: 0,
      generationId: 3,
      protocolType: "consumer",
      protocolName: "range",
      leader: "m",
      skipAssignment: false,
      memberId: "m",
      members: [{ memberId: "m", groupInstanceId: null, metadata: BYTES }],
    });
  });

  it("names no protocol with an empty text until version 7, and with null since", async () => {
    const { on } = handlers({ join: refusal("NOT_COORDINATOR") });
    for (const [version, protocolName] of [
      [6, ""],
      [7, null],
    ] as const) {
      expect(await on.JoinGroup?.({ ...JOIN, memberId: "m" }, context(version))).toMatchObject({
        errorCode: errorNumber("NOT_COORDINATOR"),
        generationId: -1,
        memberId: "m",
        protocolName,
      });
    }
  });
});

describe("SyncGroup", () => {
  const request = {
    groupId: GROUP,
    generationId: 3,
    memberId: "m",
    groupInstanceId: null,
    protocolType: null,
    protocolName: "range",
    assignments: [],
  };
  const synced = { error: undefined, protocolType: "c", protocolName: "range", assignment: BYTES };

  it("wants type and name of the protocol since version 5", async () => {
    const { on, asked } = handlers({ sync: synced });
    expect(await on.SyncGroup?.(request, context(4))).toMatchObject({ errorCode: 0 });
    expect(await on.SyncGroup?.(request, context(5))).toMatchObject({
      errorCode: errorNumber("INCONSISTENT_GROUP_PROTOCOL"),
    });
    expect(asked.length).toBe(1);
  });
});

describe("Heartbeat", () => {
  const request = { groupId: GROUP, generationId: 3, memberId: "m", groupInstanceId: null };

  it("lets members be while their group is loaded", async () => {
    const loading = handlers({ heartbeat: refusal("COORDINATOR_LOAD_IN_PROGRESS") });
    expect(await loading.on.Heartbeat?.(request, context(3))).toEqual({ errorCode: 0 });
    const moved = handlers({ heartbeat: refusal("NOT_COORDINATOR") });
    expect(await moved.on.Heartbeat?.(request, context(3))).toEqual({ errorCode: 16 });
    const rebalancing = handlers({ heartbeat: { error: "REBALANCE_IN_PROGRESS" } });
    expect(await rebalancing.on.Heartbeat?.(request, context(3))).toEqual({ errorCode: 27 });
  });
});

describe("LeaveGroup", () => {
  const request = {
    groupId: GROUP,
    memberId: "old",
    members: [
      { memberId: "a", groupInstanceId: null, reason: null },
      { memberId: "", groupInstanceId: "static", reason: null },
    ],
  };

  it("takes one member until version 2, and many since", async () => {
    const members = [{ memberId: "old", instanceId: undefined, error: "UNKNOWN_MEMBER_ID" }];
    const { on, asked } = handlers({ leave: { error: undefined, members } });
    expect((await on.LeaveGroup?.(request, context(2)))?.errorCode).toBe(25);
    expect(await on.LeaveGroup?.(request, context(3))).toEqual({
      errorCode: 0,
      members: [{ memberId: "old", groupInstanceId: null, errorCode: 25 }],
    });
    expect(asked).toMatchObject([
      { members: [{ memberId: "old", instanceId: undefined }] },
      {
        members: [
          { memberId: "a", instanceId: undefined },
          { memberId: "", instanceId: "static" },
        ],
      },
    ]);
  });
});

describe("OffsetCommit", () => {
  const request = {
    groupId: GROUP,
    generationIdOrMemberEpoch: 3,
    memberId: "m",
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [
      {
        name: "t",
        partitions: [
          {
            partitionIndex: 1,
            committedOffset: 7,
            committedLeaderEpoch: -1,
            committedMetadata: null,
          },
        ],
      },
    ],
  };
  const outcome = (errorCode: number) => ({
    topics: [{ name: "t", partitions: [{ partitionIndex: 1, errorCode }] }],
  });

  it("says before version 9 that the generation is wrong where there is no group", async () => {
    const topics = [{ topic: "t", partitions: [{ partition: 1, error: "GROUP_ID_NOT_FOUND" }] }];
    const { on } = handlers({ commit: { error: "GROUP_ID_NOT_FOUND", topics } });
    expect(await on.OffsetCommit?.(request, context(8))).toEqual(outcome(22));
    expect(await on.OffsetCommit?.(request, context(9))).toEqual(outcome(69));
  });

  it("answers each partition with what refuses them all", async () => {
    const { on, asked } = handlers({ commit: refusal("NOT_COORDINATOR") });
    expect(await on.OffsetCommit?.(request, context(2))).toEqual(outcome(16));
    expect(asked).toMatchObject([
      { retentionMs: undefined, topics: [{ topic: "t", partitions: [{ metadata: "" }] }] },
    ]);
    await on.OffsetCommit?.({ ...request, retentionTimeMs: 5 }, context(2));
    expect(asked[1]).toMatchObject({ retentionMs: 5 });
  });
});

describe("OffsetFetch", () => {
  const topics = [{ name: "t", partitionIndexes: [1] }];
  const old = { groupId: GROUP, topics, groups: [], requireStable: false };
  const fetched = {
    error: undefined,
    topics: [
      { topic: "t", partitions: [{ partition: 1, offset: 7, leaderEpoch: 2, metadata: "x" }] },
    ],
  };
  const found = [
    {
      name: "t",
      partitions: [
        {
          partitionIndex: 1,
          committedOffset: 7,
          committedLeaderEpoch: 2,
          metadata: "x",
          errorCode: 0,
        },
      ],
    },
  ];

  it("answers one group until version 7, and many since", async () => {
    const { on, asked } = handlers({ fetchOffsets: fetched });
    expect(await on.OffsetFetch?.(old, context(7))).toEqual({
      ...{ errorCode: 0, topics: found, groups: [] },
    });
    const groups = [
      { groupId: "a", memberId: null, memberEpoch: -1, topics },
      { groupId: "b", memberId: null, memberEpoch: -1, topics: null },
    ];
    const many = { groupId: "", topics: null, groups, requireStable: false };
    expect(await on.OffsetFetch?.(many, context(8))).toEqual({
      errorCode: 0,
      topics: [],
      groups: [
        { groupId: "a", errorCode: 0, topics: found },
        { groupId: "b", errorCode: 0, topics: found },
      ],
    });
    expect(asked).toEqual([
      { groupId: GROUP, topics: [{ topic: "t", partitions: [1] }] },
      { groupId: "a", topics: [{ topic: "t", partitions: [1] }] },
      { groupId: "b", topics: undefined },
    ]);
  });

  it("puts a refusal where its version has room for it", async () => {
    const { on } = handlers({ fetchOffsets: refusal("NOT_COORDINATOR") });
    expect(await on.OffsetFetch?.(old, context(1))).toMatchObject({
      topics: [{ partitions: [{ partitionIndex: 1, committedOffset: -1, errorCode: 16 }] }],
    });
    expect(await on.OffsetFetch?.(old, context(2))).toMatchObject({ errorCode: 16, topics: [] });
  });
});

describe("DescribeGroups", () => {
  const request = { groups: [GROUP], includeAuthorizedOperations: true };

  it("calls a group that does not exist dead, and since version 6 not found", async () => {
    const described = {
      error: "GROUP_ID_NOT_FOUND",
      groupId: GROUP,
      state: "Dead",
      protocolType: "",
      protocolName: "",
      members: [],
    };
    const { on } = handlers({ describe: described });
    expect((await on.DescribeGroups?.(request, context(5)))?.groups[0]).toMatchObject({
      errorCode: 0,
      groupState: "Dead",
    });
    expect((await on.DescribeGroups?.(request, context(6)))?.groups[0]).toMatchObject({
      errorCode: 69,
      errorMessage: "Group g not found.",
    });
  });
});

describe("what operators ask", () => {
  it("is answered group by group", async () => {
    const deleting = handlers({ deleteGroup: { error: "NON_EMPTY_GROUP" } });
    const request = { groupsNames: ["a", "a", "b"] };
    expect(await deleting.on.DeleteGroups?.(request, context(2))).toEqual({
      results: [
        { groupId: "a", errorCode: 68 },
        { groupId: "b", errorCode: 68 },
      ],
    });
  });

  it("is refused as a whole where some groups cannot be known", async () => {
    const listing = handlers({ list: refusal("COORDINATOR_LOAD_IN_PROGRESS") });
    const request = { statesFilter: [], typesFilter: [] };
    expect(await listing.on.ListGroups?.(request, context(5))).toEqual({
      errorCode: 14,
      groups: [],
    });
    const forgetting = handlers({ deleteOffsets: refusal("NOT_COORDINATOR") });
    const forget = { groupId: GROUP, topics: [] };
    expect(await forgetting.on.OffsetDelete?.(forget, context(0))).toEqual({
      errorCode: 16,
      topics: [],
    });
  });
});
