/** Groups: who joins, who leads, what is committed, and every way to be refused. */
import { versionsOf } from "../../lab/kafka-connection.mjs";

/** The reference never answers consumers whose subscription it cannot read: these it can. */
const METADATA = subscriptionTo("some-topic");
const OTHER = subscriptionTo("another-topic");
const ASSIGNMENT = Buffer.from("assignment");

/** One member's half of the conversation, over a connection of its own: joins are parked. */
class Member {
  id = "";
  generation = -1;
  #door;
  #to;
  #group;
  #versions;

  static async open(door, group, versions = {}) {
    const coordinator = await door.coordinatorId(group);
    const to = await door.fresh(coordinator);
    return new Member(door, group, to, { join: 9, sync: 5, heartbeat: 4, leave: 5, ...versions });
  }

  constructor(door, group, to, versions) {
    this.#door = door;
    this.#group = group;
    this.#to = to;
    this.#versions = versions;
  }

  get to() {
    return this.#to;
  }

  async join(label, fields = {}) {
    const body = await this.#door.ask(
      label,
      "JoinGroup",
      this.#versions.join,
      {
        groupId: this.#group,
        sessionTimeoutMs: 30_000,
        rebalanceTimeoutMs: 20_000,
        memberId: this.id,
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: METADATA }],
        ...fields,
      },
      { to: this.#to },
    );
    if (body === undefined) return undefined;
    if (body.memberId !== "") this.id = body.memberId;
    if (body.errorCode === 0) this.generation = body.generationId;
    return body;
  }

  /** Joins, by two requests where the first only gives an id. */
  async enter(label, fields = {}) {
    const body = await this.join(`${label}, at first`, fields);
    return body?.errorCode === 79 ? await this.join(label, fields) : body;
  }

  async sync(label, assignments = [], fields = {}) {
    return await this.#door.ask(
      label,
      "SyncGroup",
      this.#versions.sync,
      {
        groupId: this.#group,
        generationId: this.generation,
        memberId: this.id,
        protocolType: "consumer",
        protocolName: "range",
        assignments: assignments.map((memberId) => ({ memberId, assignment: ASSIGNMENT })),
        ...fields,
      },
      { to: this.#to },
    );
  }

  async heartbeat(label, fields = {}) {
    return await this.#door.ask(
      label,
      "Heartbeat",
      this.#versions.heartbeat,
      {
        groupId: this.#group,
        generationId: this.generation,
        memberId: this.id,
        ...fields,
      },
      { to: this.#to },
    );
  }

  async leave(label, fields = {}) {
    return await this.#door.ask(
      label,
      "LeaveGroup",
      this.#versions.leave,
      {
        groupId: this.#group,
        memberId: this.id,
        members: [{ memberId: this.id }],
        ...fields,
      },
      { to: this.#to },
    );
  }

  async commit(label, topic, committedOffset, fields = {}, version = 8) {
    const partition = { partitionIndex: 0, committedOffset, committedMetadata: "note" };
    return await this.#door.ask(
      label,
      "OffsetCommit",
      version,
      {
        groupId: this.#group,
        generationIdOrMemberEpoch: this.generation,
        memberId: this.id,
        topics: [{ name: topic, partitions: [partition] }],
        ...fields,
      },
      { to: this.#to },
    );
  }

  async describe(label, version = 5) {
    return await this.#door.ask(
      label,
      "DescribeGroups",
      version,
      { groups: [this.#group] },
      {
        to: this.#to,
      },
    );
  }
}

const IDENTITY = { protocolType: "consumer", protocolName: "range" };

export const groups = {
  async coordinators(door) {
    const group = door.name("found");
    await door.coordinator(group);
    for (const version of versionsOf("FindCoordinator")) {
      const ask = async (label, key, keyType) =>
        await door.ask(`v${version} ${label}`, "FindCoordinator", version, {
          key,
          keyType,
          coordinatorKeys: version >= 4 ? [key] : [],
        });
      await ask("of a group", group, 0);
      await ask("of no name", "", 0);
      if (version >= 1) {
        await ask("of a kind that is none", group, 7);
        await ask("of a share group", group, 2);
      }
      if (version >= 4) {
        const several = { keyType: 0, coordinatorKeys: [group, door.name("second"), ""] };
        await door.ask(`v${version} of several`, "FindCoordinator", version, several);
        const none = { keyType: 0, coordinatorKeys: [] };
        await door.ask(`v${version} of none`, "FindCoordinator", version, none);
      }
    }
  },

  async "a member alone"(door) {
    const { name: topic } = await door.topic("group-alone");
    for (const join of versionsOf("JoinGroup")) {
      const group = door.name(`alone-${join}`);
      const versions = {
        join,
        sync: Math.min(5, Math.max(0, join - 2)),
        heartbeat: Math.min(4, join),
        leave: Math.min(5, join),
      };
      const member = await Member.open(door, group, versions);
      const v = `v${join}`;
      await member.enter(`${v} joins`);
      await door.untilState(group, "CompletingRebalance");
      await member.describe(`${v} described in between`);
      await member.heartbeat(`${v} heartbeat before its assignment`);
      await member.commit(`${v} commits before its assignment`, topic, 5);
      await member.sync(`${v} syncs`, [member.id], IDENTITY);
      await door.untilState(group, "Stable");
      await member.describe(`${v} described`);
      await member.heartbeat(`${v} heartbeat`);
      await member.sync(`${v} syncs again`, [], IDENTITY);
      await member.commit(`${v} commits`, topic, 6);
      await member.join(`${v} joins again, the same`);
      await member.sync(`${v} syncs after that`, [member.id], IDENTITY);
      await member.leave(`${v} leaves`);
      await door.untilState(group, "Empty");
      await member.describe(`${v} described when empty`);
      await member.heartbeat(`${v} heartbeat when gone`);
      await member.leave(`${v} leaves again`);
    }
  },

  async "requests that a group refuses"(door) {
    const { name: topic } = await door.topic("group-refusals");
    const member = await Member.open(door, door.name("refusing"));
    await member.join("an unknown member joins", { memberId: "stranger" });
    await member.heartbeat("heartbeat of no group", { memberId: "stranger" });
    await member.sync("sync of no group", [], { memberId: "stranger", generationId: 1 });
    await member.leave("leave of no group", { members: [{ memberId: "stranger" }] });
    await member.join("no group id", { groupId: "" });
    await member.heartbeat("heartbeat, no group id", { groupId: "" });
    await member.sync("sync, no group id", [], { groupId: "" });
    await member.leave("leave, no group id", { groupId: "" });
    await member.join("a short session", { sessionTimeoutMs: 10 });
    await member.join("a long session", { sessionTimeoutMs: 100_000_000 });
    await member.join("no protocols", { protocols: [] });
    await member.join("no protocol type", { protocolType: "" });
    const state = { id: member.id };
    await member.enter("joins");
    await member.sync("syncs", [member.id]);
    await member.heartbeat("a generation to come", { generationId: 99 });
    await member.heartbeat("a generation before", { generationId: 0 });
    await member.heartbeat("another member", { memberId: "stranger" });
    await member.heartbeat("no member", { memberId: "" });
    await member.heartbeat("a static name that is not there", { groupInstanceId: "i" });
    await member.sync("sync of a generation to come", [], { generationId: 99 });
    await member.sync("sync of another protocol", [], { protocolName: "other" });
    await member.sync("sync of another type", [], { protocolType: "other" });
    await member.sync("sync of another member", [], { memberId: "stranger" });
    await member.join("another protocol type", { memberId: "", protocolType: "connect" });
    const foreign = { protocols: [{ name: "foreign", metadata: METADATA }] };
    await member.join("a protocol that nobody else has", { memberId: "", ...foreign });
    member.id = state.id || member.id;
    await member.leave("a stranger leaves", { members: [{ memberId: "stranger" }] });
    await member.leave("nobody leaves", { members: [] });
    await member.commit("of a generation to come", topic, 1, { generationIdOrMemberEpoch: 99 });
    await member.commit("of a generation before", topic, 1, { generationIdOrMemberEpoch: 0 });
    await member.commit("of a stranger", topic, 1, { memberId: "stranger" });
    const nobody = { generationIdOrMemberEpoch: -1, memberId: "" };
    await member.commit("of nobody, group in use", topic, 1, nobody);
    await member.commit("of a static name that is not there", topic, 1, { groupInstanceId: "i" });
    await member.commit("to an unknown topic", door.name("absent"), 1);
  },

  async "two members"(door) {
    const group = door.name("two");
    const first = await Member.open(door, group);
    const second = await Member.open(door, group);
    await first.enter("the first joins");
    await first.sync("the first syncs", [first.id]);
    const joining = second.enter("the second joins");
    await door.untilState(group, "PreparingRebalance");
    await first.heartbeat("the first is told");
    await first.sync("the first syncs too late", []);
    const body = await Promise.all([first.join("the first joins again"), joining]);
    const leader = body.find((each) => each !== undefined && each.leader === each.memberId);
    const [leading, following] = leader?.memberId === first.id ? [first, second] : [second, first];
    await door.untilState(group, "CompletingRebalance");
    await following.heartbeat("a heartbeat before the assignment");
    const waiting = following.sync("the follower syncs");
    await leading.sync("the leader syncs", [first.id, second.id]);
    await waiting;
    await leading.describe("described with two");
    await following.join("the follower joins, unchanged");
    await following.heartbeat("the follower lives");
    const changed = { protocols: [{ name: "range", metadata: OTHER }] };
    const changing = following.join("the follower joins, changed", changed);
    await door.untilState(group, "PreparingRebalance");
    await leading.join("the leader joins");
    await changing;
    const again = following.sync("the follower syncs again");
    await leading.sync("the leader syncs again", [first.id, second.id]);
    await again;
    await following.leave("the follower leaves");
    await leading.heartbeat("the leader is told");
    await leading.join("the leader joins alone");
    await leading.sync("the leader syncs alone", [leading.id]);
    await door.ask(
      "deleted while in use",
      "DeleteGroups",
      2,
      { groupsNames: [group] },
      { to: leading.to },
    );
    await leading.leave("the leader leaves");
    await door.ask("deleted", "DeleteGroups", 2, { groupsNames: [group] }, { to: leading.to });
    await leading.describe("described when deleted");
  },

  async "static members"(door) {
    const group = door.name("static");
    const named = { groupInstanceId: "one" };
    const first = await Member.open(door, group);
    await first.join("joins", named);
    await first.sync("syncs", [first.id], named);
    await first.describe("described");
    const old = first.id;
    const again = await Member.open(door, group);
    await again.join("comes back", named);
    await again.sync("syncs when back", [], named);
    await first.heartbeat("the old one", { ...named, memberId: old });
    await first.sync("the old one syncs", [], { ...named, memberId: old });
    await first.join("the old one joins", { ...named, memberId: old });
    await again.heartbeat("the new one", named);
    const asked = [
      ["leaves by another name", [{ memberId: "", groupInstanceId: "two" }]],
      ["leaves by a wrong id", [{ memberId: "x", groupInstanceId: "one" }]],
      ["leaves by its name", [{ memberId: "", groupInstanceId: "one" }]],
      ["leaves by its name again", [{ memberId: "", groupInstanceId: "one" }]],
    ];
    for (const [label, members] of asked) await again.leave(label, { members });
    await again.describe("described when gone");
  },

  async "offsets that are committed"(door) {
    const { name: topic } = await door.topic("offsets", { partitions: 2 });
    for (const version of versionsOf("OffsetCommit")) {
      const group = door.name(`offsets-${version}`);
      const to = await door.coordinator(group);
      const v = `v${version}`;
      const commit = async (label, partitions, fields = {}) =>
        await door.ask(
          `${v} ${label}`,
          "OffsetCommit",
          version,
          {
            groupId: group,
            generationIdOrMemberEpoch: -1,
            memberId: "",
            topics: [
              {
                name: topic,
                partitions: partitions.map((each) => ({ committedMetadata: "", ...each })),
              },
            ],
            ...fields,
          },
          { to },
        );
      await commit("one", [{ partitionIndex: 0, committedOffset: 5, committedMetadata: "m" }]);
      await commit("null for words", [
        { partitionIndex: 0, committedOffset: 5, committedMetadata: null },
      ]);
      await commit("below zero", [{ partitionIndex: 0, committedOffset: -5 }]);
      await commit("an epoch", [
        { partitionIndex: 0, committedOffset: 6, committedLeaderEpoch: 3 },
      ]);
      await commit("many words", [
        { partitionIndex: 0, committedOffset: 7, committedMetadata: "x".repeat(4_096) },
      ]);
      await commit("too many words", [
        { partitionIndex: 0, committedOffset: 8, committedMetadata: "x".repeat(4_097) },
        { partitionIndex: 1, committedOffset: 9 },
      ]);
      await commit("an unknown partition", [
        { partitionIndex: 5, committedOffset: 8 },
        { partitionIndex: 1, committedOffset: 10 },
      ]);
      await commit("an unknown member", [{ partitionIndex: 0, committedOffset: 8 }], {
        memberId: "stranger",
        generationIdOrMemberEpoch: 4,
      });
      await commit("nothing", []);
      const none = { groupId: group, generationIdOrMemberEpoch: -1, memberId: "", topics: [] };
      await door.ask(`${v} no topics`, "OffsetCommit", version, none, { to });
      for (const fetch of versionsOf("OffsetFetch")) {
        if (version !== 8 && fetch !== Math.min(9, version)) continue;
        const topics = [
          { name: topic, partitionIndexes: [0, 1, 7] },
          { name: door.name("absent"), partitionIndexes: [0] },
        ];
        const read = async (label, asked, groupId = group, more = {}, at = to) =>
          await door.ask(
            `${v} read by v${fetch}, ${label}`,
            "OffsetFetch",
            fetch,
            {
              groupId,
              topics: asked,
              groups: [{ groupId, topics: asked }],
              ...more,
            },
            { to: at },
          );
        await read("some", topics);
        if (fetch >= 2) await read("all", null);
        await read("none", []);
        const unknown = door.name("unknown-group");
        await read("of an unknown group", topics, unknown, {}, await door.coordinator(unknown));
        if (fetch >= 7) await read("stable ones", topics, group, { requireStable: true });
        if (fetch >= 9) {
          await read("as a member that is none", topics, group, {
            groups: [{ groupId: group, memberId: "stranger", memberEpoch: 5, topics }],
          });
        }
      }
    }
  },

  async "offsets that are deleted"(door) {
    const { name: topic } = await door.topic("deleted-offsets", { partitions: 2 });
    const group = door.name("deleting");
    const member = await Member.open(door, group);
    const { to } = member;
    const remove = async (label, partitions, fields = {}) =>
      await door.ask(
        label,
        "OffsetDelete",
        0,
        {
          groupId: group,
          topics: [
            { name: topic, partitions: partitions.map((partitionIndex) => ({ partitionIndex })) },
          ],
          ...fields,
        },
        { to },
      );
    await remove("of no group", [0]);
    await remove("no group id", [0], { groupId: "" });
    const nobody = { generationIdOrMemberEpoch: -1, memberId: "" };
    await member.commit("commits", topic, 4, nobody);
    await remove("one", [0]);
    await remove("again", [0]);
    await remove("never committed", [1]);
    await remove("an unknown partition", [9]);
    await remove("nothing", []);
    await remove("an unknown topic", [], {
      topics: [{ name: door.name("absent"), partitions: [{ partitionIndex: 0 }] }],
    });
    const subscribed = subscriptionTo(topic);
    await member.commit("commits again", topic, 4, nobody);
    await member.enter("joins", { protocols: [{ name: "range", metadata: subscribed }] });
    await member.sync("syncs", [member.id]);
    await remove("of a topic in use", [0]);
    await member.leave("leaves");
    await remove("when it has left", [0]);
  },

  async "groups in lists"(door) {
    const group = door.name("listed");
    const member = await Member.open(door, group);
    await member.enter("joins");
    await member.sync("syncs", [member.id]);
    const empty = door.name("listed-empty");
    const other = await Member.open(door, empty);
    await other.enter("the other joins");
    await other.leave("the other leaves");
    const unknown = door.name("unknown-group");
    const ofUnknown = await door.coordinator(unknown);
    await door.untilState(group, "Stable");
    await door.untilState(empty, "Empty");
    for (const version of versionsOf("DescribeGroups")) {
      const ask = async (label, names, to = member.to) =>
        await door.ask(
          `v${version} ${label}`,
          "DescribeGroups",
          version,
          { groups: names, includeAuthorizedOperations: true },
          { to },
        );
      await ask("one", [group]);
      await ask("unknown", [unknown], ofUnknown);
      await ask("none", []);
      await ask("twice", [group, group]);
    }
    for (const version of versionsOf("ListGroups")) await listed(door, version);
    for (const version of versionsOf("DeleteGroups")) {
      const ask = async (label, groupsNames, to = member.to) =>
        await door.ask(`v${version} ${label}`, "DeleteGroups", version, { groupsNames }, { to });
      await ask("deletes one in use", [group]);
      await ask("deletes an unknown one", [unknown], ofUnknown);
      await ask("deletes none", []);
      await ask("deletes one twice", [group, group]);
    }
  },
};

const FILTERS = [
  ["all", {}],
  ["stable", { statesFilter: ["Stable"] }],
  ["stable in small letters", { statesFilter: ["stable"] }],
  ["empty", { statesFilter: ["Empty"] }],
  ["dead", { statesFilter: ["Dead"] }],
  ["no such state", { statesFilter: ["Sleeping"] }],
  ["classic", { typesFilter: ["classic"] }],
  ["consumer", { typesFilter: ["consumer"] }],
  ["no such type", { typesFilter: ["odd"] }],
];

/** Each broker lists its own: taken together, and of this scenario alone. */
async function listed(door, version) {
  for (const [label, filter] of FILTERS) {
    if (version < 4 && filter.statesFilter !== undefined) continue;
    if (version < 5 && filter.typesFilter !== undefined) continue;
    const errors = new Set();
    const found = [];
    for (const node of (await door.side.brokers()).keys()) {
      const to = await door.connection(node);
      const { body } = await door.quietly("ListGroups", version, filter, { to });
      errors.add(body.errorCode);
      found.push(...body.groups.filter(({ groupId }) => groupId.startsWith(door.name("listed"))));
    }
    door.record(`v${version} ${label}`, { body: { errors: [...errors], groups: found } });
  }
}

/** What a consumer says of itself: version 0, one topic, nothing more. */
function subscriptionTo(topic) {
  const name = Buffer.from(topic);
  const bytes = Buffer.alloc(2 + 4 + 2 + name.length + 4);
  bytes.writeInt32BE(1, 2);
  bytes.writeInt16BE(name.length, 6);
  name.copy(bytes, 8);
  bytes.writeInt32BE(-1, 8 + name.length);
  return bytes;
}
