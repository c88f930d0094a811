/** Topics: what is told of them, how they are made and deleted, and what is refused. */
import { versionsOf } from "../../lab/kafka-connection.mjs";

const UNKNOWN_ID = "4yB0Jt4tTiGgGRWkkMTnJg";
const TIMEOUT_MS = 15_000;
const LONG = "x".repeat(250);

function topic(name, fields = {}) {
  return {
    name,
    numPartitions: 1,
    replicationFactor: 3,
    assignments: [],
    configs: [],
    ...fields,
  };
}

function creation(topics, { validateOnly = false } = {}) {
  return { topics, timeoutMs: TIMEOUT_MS, validateOnly };
}

/** Where the controller decides: some answers of others are made of many. */
export const topics = {
  async "metadata of topics that there are"(door) {
    const { name, id } = await door.topic("known", { partitions: 3 });
    for (const version of versionsOf("Metadata")) {
      const known = { allowAutoTopicCreation: false, includeTopicAuthorizedOperations: true };
      const v = `v${version}`;
      await door.ask(`${v} by name`, "Metadata", version, { topics: [{ name }], ...known });
      await door.ask(`${v} twice`, "Metadata", version, { topics: [{ name }, { name }], ...known });
      // In version 0 no name is every name.
      if (version > 0) {
        await door.ask(`${v} of none`, "Metadata", version, { topics: [], ...known });
      }
      const clusterToo = { ...known, includeClusterAuthorizedOperations: true };
      const all = version === 0 ? [] : null;
      await door.ask(`${v} of all`, "Metadata", version, { topics: all, ...clusterToo });
      if (version >= 12) {
        await door.ask(`${v} by id`, "Metadata", version, {
          topics: [{ topicId: id, name: null }],
          ...known,
        });
        await door.ask(`${v} by an unknown id`, "Metadata", version, {
          topics: [{ topicId: UNKNOWN_ID, name: null }],
          ...known,
        });
        await door.ask(`${v} by both`, "Metadata", version, {
          topics: [{ topicId: id, name }],
          ...known,
        });
        await door.ask(`${v} by neither`, "Metadata", version, {
          topics: [{ name: null }],
          ...known,
        });
      } else if (version >= 10) {
        await door.ask(`${v} by id`, "Metadata", version, {
          topics: [{ topicId: id, name: null }],
          ...known,
        });
        await door.ask(`${v} by both`, "Metadata", version, {
          topics: [{ topicId: id, name }],
          ...known,
        });
      }
    }
  },

  async "metadata of topics that there are not"(door) {
    for (const version of versionsOf("Metadata").filter((each) => each >= 4)) {
      const body = { allowAutoTopicCreation: false };
      for (const [what, name] of [
        ["unknown", door.name("absent")],
        ["an empty name", ""],
        ["a dot", "."],
        ["two dots", ".."],
        ["a slash", `${door.name("a")}/b`],
        ["250 characters", `${door.name("")}${LONG}`.slice(0, 250)],
        ["249 characters", `${door.name("")}${LONG}`.slice(0, 249)],
      ]) {
        const label = `v${version} ${what}`;
        await door.ask(label, "Metadata", version, { topics: [{ name }], ...body });
        const allowed = { topics: [{ name }], allowAutoTopicCreation: true };
        if (/name|dot|slash|250/.test(what)) {
          await door.ask(`${label}, to be made`, "Metadata", version, allowed);
        }
      }
    }
  },

  async "topics that are made by asking for them"(door) {
    for (const version of [0, 1, 3, 4, 8, 12]) {
      const name = door.name(`auto-${version}`);
      const body = { topics: [{ name }], allowAutoTopicCreation: true };
      await door.ask(`v${version} at first`, "Metadata", version, body);
      await door.untilKnown(name, 4);
      await door.ask(`v${version} then`, "Metadata", version, body);
    }
    const internal = { topics: [{ name: "__transaction_state" }], allowAutoTopicCreation: false };
    await door.ask("one of Kafka's own", "Metadata", 9, internal);
  },

  async "topics that are made"(door) {
    for (const version of versionsOf("CreateTopics")) {
      const v = `v${version}`;
      const name = door.name(`made-${version}`);
      const made = topic(name, {
        numPartitions: 2,
        configs: [
          { name: "retention.ms", value: "86400000" },
          { name: "cleanup.policy", value: "compact" },
        ],
      });
      await door.ask(
        `${v} only checked`,
        "CreateTopics",
        version,
        creation([made], { validateOnly: true }),
      );
      await door.ask(`${v} made`, "CreateTopics", version, creation([made]));
      await door.untilKnown(name, 2);
      await door.ask(`${v} made again`, "CreateTopics", version, creation([made]));
      await door.ask(
        `${v} checked again`,
        "CreateTopics",
        version,
        creation([made], { validateOnly: true }),
      );
      const placed = topic(door.name(`placed-${version}`), {
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [
          { partitionIndex: 0, brokerIds: [1, 2] },
          { partitionIndex: 1, brokerIds: [3, 1] },
        ],
      });
      await door.ask(`${v} placed`, "CreateTopics", version, creation([placed]));
      if (version >= 4) {
        const standard = topic(door.name(`standard-${version}`), {
          numPartitions: -1,
          replicationFactor: -1,
        });
        await door.ask(`${v} by the defaults`, "CreateTopics", version, creation([standard]));
      }
    }
  },

  async "topics that cannot be made"(door) {
    const configs = (...pairs) => ({ configs: pairs.map(([name, value]) => ({ name, value })) });
    const placed = (...brokerIds) => ({
      numPartitions: -1,
      replicationFactor: -1,
      assignments: brokerIds.map((ids, partitionIndex) => ({ partitionIndex, brokerIds: ids })),
    });
    const bad = [
      ["an empty name", topic("")],
      ["a dot", topic(".")],
      ["two dots", topic("..")],
      ["a blank", topic("a b")],
      ["a colon", topic("a:b")],
      ["too long", topic(`${door.name("")}${LONG}`.slice(0, 250))],
      ["no partitions", topic(door.name("p0"), { numPartitions: 0 })],
      ["-2 partitions", topic(door.name("p-2"), { numPartitions: -2 })],
      ["20,000 partitions", topic(door.name("p20000"), { numPartitions: 20_000 })],
      ["no replicas", topic(door.name("r0"), { replicationFactor: 0 })],
      ["-2 replicas", topic(door.name("r-2"), { replicationFactor: -2 })],
      ["four replicas", topic(door.name("r4"), { replicationFactor: 4 })],
      ["an unknown setting", topic(door.name("c1"), configs(["no.such.setting", "1"]))],
      ["a setting that is no number", topic(door.name("c2"), configs(["retention.ms", "soon"]))],
      ["a setting below its bound", topic(door.name("c3"), configs(["segment.bytes", "1"]))],
      ["a setting of the wrong word", topic(door.name("c4"), configs(["cleanup.policy", "burn"]))],
      ["a setting that is null", topic(door.name("c5"), configs(["retention.ms", null]))],
      ["an empty setting", topic(door.name("c6"), configs(["retention.ms", ""]))],
      [
        "a setting twice",
        topic(door.name("c7"), configs(["retention.ms", "1000"], ["retention.ms", "2000"])),
      ],
      ["an unknown broker", topic(door.name("a1"), placed([1, 9]))],
      ["a broker twice", topic(door.name("a2"), placed([1, 1]))],
      ["different replication factors", topic(door.name("a3"), placed([1, 2], [3]))],
      ["an empty list of brokers", topic(door.name("a4"), placed([]))],
      [
        "a partition that is left out",
        topic(door.name("a5"), {
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [{ partitionIndex: 1, brokerIds: [1] }],
        }),
      ],
      [
        "a partition twice",
        topic(door.name("a6"), {
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [
            { partitionIndex: 0, brokerIds: [1] },
            { partitionIndex: 0, brokerIds: [2] },
          ],
        }),
      ],
      ["counts and places", topic(door.name("a7"), { ...placed([1, 2]), numPartitions: 1 })],
    ];
    for (const version of [2, 4, 5, 7]) {
      for (const [what, each] of bad) {
        await door.ask(`v${version} ${what}`, "CreateTopics", version, creation([each]));
      }
      await door.ask(
        `v${version} good and bad`,
        "CreateTopics",
        version,
        creation([topic(door.name(`good-${version}`)), topic(".")]),
      );
      const twice = door.name(`twice-${version}`);
      await door.ask(
        `v${version} the same twice`,
        "CreateTopics",
        version,
        creation([topic(twice), topic(twice), topic(door.name(`beside-${version}`))]),
      );
      await door.ask(`v${version} none`, "CreateTopics", version, creation([]));
      await door.ask(
        `v${version} one of Kafka's own`,
        "CreateTopics",
        version,
        creation([topic("__share_group_state")], { validateOnly: true }),
      );
    }
    await door.topic("dot.and.dash");
    const colliding = topic(door.name("dot_and.dash"));
    await door.ask("a name too like another", "CreateTopics", 5, creation([colliding]));
  },

  async "topics that are deleted"(door) {
    for (const version of versionsOf("DeleteTopics")) {
      const v = `v${version}`;
      const remove = async (label, ...names) =>
        await door.ask(`${v} ${label}`, "DeleteTopics", version, {
          topics: names.map((name) => ({ name })),
          topicNames: names,
          timeoutMs: TIMEOUT_MS,
        });
      const { name } = await door.topic(`gone-${version}`);
      await remove("unknown", door.name("absent"));
      await remove("an empty name", "");
      await remove("a bad name", "a b");
      await remove("none");
      await remove("twice in one", name, name);
      await remove("known and unknown", name, door.name("absent"));
      await remove("again", name);
      await door.untilGone(name);
    }
    const { name, id } = await door.topic("gone-by-id");
    const byId = async (label, ...asked) =>
      await door.ask(label, "DeleteTopics", 6, { topics: asked, timeoutMs: TIMEOUT_MS });
    await byId("by an unknown id", { name: null, topicId: UNKNOWN_ID });
    await byId("by neither", { name: null });
    await byId("by both", { name, topicId: id });
    await byId("by id and by name", { name: null, topicId: id }, { name });
    await byId("by id twice", { name: null, topicId: id }, { name: null, topicId: id });
    await byId("by id", { name: null, topicId: id });
    await byId("by id again", { name: null, topicId: id });
  },
};
