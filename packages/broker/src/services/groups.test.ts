import type { GroupCommand, GroupResponse } from "@strandline/coordination";
import type { MetadataImage } from "@strandline/metadata";
import { BrokerError, GROUPS_TOPIC, nodeId, type TopicId } from "@strandline/model";
import { nullLogger } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import { GroupService } from "./groups.js";
import { decodeJsonBytes, encodeJsonBytes } from "./json-bytes.js";

const SELF = nodeId(1);
const OTHER = nodeId(2);
const OFFSETS = "offsets" as TopicId;
const ORDERS = "orders" as TopicId;
const COMMIT = {
  groupId: "g",
  memberId: "",
  instanceId: undefined,
  generation: -1,
  retentionMs: undefined,
};

/** Broker 1, where `leader` leads the one partition of the topic of groups. */
function service(leader = SELF, answers: (GroupResponse | BrokerError)[] = []) {
  const commands: GroupCommand[] = [];
  const passedOn: unknown[] = [];
  const answer = (): GroupResponse => {
    const next = answers.shift();
    if (next instanceof BrokerError) throw next;
    return next ?? { kind: "heartbeat", error: undefined };
  };
  const image = {
    topicIds: new Map([
      [GROUPS_TOPIC, OFFSETS],
      ["orders", ORDERS],
    ]),
    topics: new Map([
      [OFFSETS, { partitions: [{ leader }] }],
      [ORDERS, { partitions: [{ leader }, { leader }] }],
    ]),
    nodes: new Map([[OTHER, { peerAddress: "other:1" }]]),
  } as unknown as MetadataImage;
  let nowMs = 0;
  const ports = {
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
    timers: {
      after: (delayMs: number, callback: () => void) => {
        nowMs += delayMs;
        void Promise.resolve().then(callback);
        return { cancel: () => undefined };
      },
    },
    random: { below: () => 0, bytes: (length: number) => new Uint8Array(length).fill(0xab) },
    transport: {
      call: async (address: string, _method: unknown, request: { command: Uint8Array }) => {
        passedOn.push([address, decodeJsonBytes(request.command)]);
        return { response: encodeJsonBytes(answer()) };
      },
    },
    logger: nullLogger,
  };
  const groups = new GroupService(ports as never, {
    directory: { nodeId: SELF, image } as never,
    topic: { partitionCount: 1 } as never,
    coordinators: {
      coordinated: () => [0],
      submit: async (_partition: number, command: GroupCommand) => {
        commands.push(command);
        return answer();
      },
    } as never,
  });
  return { groups, commands, passedOn };
}

function at(partition: number) {
  return { partition, offset: 5, leaderEpoch: -1, metadata: "" };
}

describe(GroupService, () => {
  it("refuses partitions that do not exist one by one, and commits the others", async () => {
    const committed: GroupResponse = {
      kind: "commit",
      error: undefined,
      topics: [{ topic: "orders", partitions: [{ partition: 1, error: undefined }] }],
    };
    const { groups, commands } = service(SELF, [committed]);
    const topics = [
      { topic: "orders", partitions: [at(7), at(1)] },
      { topic: "missing", partitions: [at(0)] },
      { topic: "empty", partitions: [] },
    ];
    const unknown = "UNKNOWN_TOPIC_OR_PARTITION";
    expect((await groups.commit({ ...COMMIT, topics }, {})).topics).toEqual([
      {
        topic: "orders",
        partitions: [
          { partition: 7, error: unknown },
          { partition: 1, error: undefined },
        ],
      },
      { topic: "missing", partitions: [{ partition: 0, error: unknown }] },
    ]);
    expect(commands).toMatchObject([{ topics: [{ topic: "orders", partitions: [at(1)] }] }]);
  });

  it("asks no shard when there is nothing left to commit", async () => {
    const { groups, commands } = service();
    const topics = [{ topic: "missing", partitions: [at(0)] }];
    await groups.commit({ ...COMMIT, topics }, {});
    expect(commands).toEqual([]);
  });

  it("names new members after their client, or after their instance", async () => {
    const { groups, commands } = service();
    const member = {
      ...{ groupId: "g", memberId: "", requiresKnownMemberId: true },
      ...{ supportsSkippingAssignment: false, sessionTimeoutMs: 1, rebalanceTimeoutMs: 1 },
      ...{ protocolType: "consumer", protocols: [], clientId: "client", clientHost: "h" },
    };
    await groups.join({ ...member, instanceId: undefined }, {});
    await groups.join({ ...member, instanceId: "static" }, {});
    const uuid = "abababab-abab-abab-abab-abababababab";
    expect(commands).toMatchObject([
      { newMemberId: `client-${uuid}` },
      { newMemberId: `static-${uuid}` },
    ]);
  });

  it("refuses a group without an id, and more words than a record can hold", async () => {
    const { groups, commands } = service();
    const heartbeat = { memberId: "m", instanceId: undefined, generation: 1 };
    await expect(groups.heartbeat({ groupId: "", ...heartbeat }, {})).rejects.toMatchObject({
      code: "INVALID_GROUP_ID",
    });
    const assignments = [{ memberId: "m", assignment: new Uint8Array(2 * 1024 * 1024) }];
    const sync = { ...heartbeat, protocolType: undefined, protocolName: undefined, assignments };
    await expect(groups.sync({ groupId: "g", ...sync }, {})).rejects.toMatchObject({
      code: "INVALID_REQUEST",
    });
    expect(commands).toEqual([]);
  });

  it("passes a request on only where the caller wants that, bytes included", async () => {
    const described: GroupResponse = {
      ...{ kind: "describe", error: undefined, groupId: "g", state: "Stable" },
      ...{ protocolType: "consumer", protocolName: "range", generation: 2 },
      members: [
        {
          ...{ memberId: "m", instanceId: undefined, clientId: "c", clientHost: "h" },
          metadata: new Uint8Array([0, 255, 128]),
          assignment: new Uint8Array(0),
        },
      ],
    };
    const { groups, passedOn, commands } = service(OTHER, [described]);
    expect(await groups.describe({ groupId: "g" }, { forwards: true })).toEqual(described);
    const command = { kind: "describe", groupId: "g" };
    expect(passedOn).toEqual([["other:1", { partition: 0, command }]]);
    expect(commands).toEqual([]);
  });

  it("waits for a coordinator that is on its way, and not for ever", async () => {
    const loading = new BrokerError("COORDINATOR_LOAD_IN_PROGRESS", "is loading");
    const soon = service(SELF, [loading, loading]);
    const heartbeat = { groupId: "g", memberId: "m", instanceId: undefined, generation: 1 };
    await soon.groups.heartbeat(heartbeat, { forwards: true });
    expect(soon.commands.length).toBe(3);
    const never = service(SELF, Array<BrokerError>(1_000).fill(loading));
    await expect(never.groups.heartbeat(heartbeat, { forwards: true })).rejects.toThrow(loading);
    // A client of the Kafka protocol waits by itself.
    const kafka = service(SELF, [loading]);
    await expect(kafka.groups.heartbeat(heartbeat, {})).rejects.toThrow(loading);
    expect(kafka.commands.length).toBe(1);
  });

  it("takes from other brokers only commands that it knows", async () => {
    const { groups, commands } = service();
    const { signal } = new AbortController();
    const send = async (value: unknown) => await groups.passedOn(encodeJsonBytes(value), signal);
    const command = { kind: "describe", groupId: "g" };
    await send({ partition: 0, command });
    for (const wrong of [{ command }, { partition: 0 }, { partition: 0, command: { kind: "x" } }]) {
      await expect(send(wrong)).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    }
    expect(commands).toEqual([command]);
  });
});
