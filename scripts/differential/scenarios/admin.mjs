/** Administration: partitions, settings, replicas, and the cluster itself. */
import { versionsOf } from "../../lab/kafka-connection.mjs";
import { sleep } from "../../lab/waiting.mjs";
import { batch, produceBody } from "../batches.mjs";

const TIMEOUT_MS = 15_000;
const TOPIC = 2;
const BROKER = 4;
const SETTINGS = {
  "retention.ms": "3600000",
  "cleanup.policy": "compact",
};

async function fill(door, name, count = 5) {
  const to = await door.leader(name);
  for (let at = 0; at < count; at += 1) {
    await door.quietly("Produce", 7, produceBody(name, batch({ count: 2 })), { to });
  }
}

export const admin = {
  async "partitions that are added"(door) {
    for (const version of versionsOf("CreatePartitions")) {
      const { name } = await door.topic(`growing-${version}`, { partitions: 2 });
      const ask = async (label, topics, validateOnly = false) =>
        await door.ask(`v${version} ${label}`, "CreatePartitions", version, {
          topics: topics.map((each) => ({ assignments: null, ...each })),
          timeoutMs: TIMEOUT_MS,
          validateOnly,
        });
      await ask("only checked", [{ name, count: 4 }], true);
      await ask("fewer", [{ name, count: 1 }]);
      await ask("none", [{ name, count: 0 }]);
      await ask("below zero", [{ name, count: -1 }]);
      await ask("as many", [{ name, count: 2 }]);
      await ask("unknown topic", [{ name: door.name("absent"), count: 3 }]);
      await ask("no topic", []);
      await ask("twice", [
        { name, count: 3 },
        { name, count: 4 },
      ]);
      const placed = (...brokerIds) => brokerIds.map((ids) => ({ brokerIds: ids }));
      await ask("places too few", [{ name, count: 4, assignments: placed([1, 2, 3]) }]);
      await ask("an unknown broker", [{ name, count: 3, assignments: placed([1, 2, 9]) }]);
      await ask("a broker twice", [{ name, count: 3, assignments: placed([1, 1, 2]) }]);
      await ask("no broker", [{ name, count: 3, assignments: placed([]) }]);
      await ask("fewer replicas", [{ name, count: 3, assignments: placed([1]) }]);
      await ask("placed", [{ name, count: 3, assignments: placed([3, 1, 2]) }]);
      await ask("by itself", [{ name, count: 5 }]);
      await door.untilKnown(name, 5);
    }
  },

  async "records that are deleted"(door) {
    for (const version of versionsOf("DeleteRecords")) {
      const { name } = await door.topic(`cut-${version}`);
      await fill(door, name);
      const to = await door.leader(name);
      const other = await door.connection(await door.otherNode(name));
      const ask = async (label, topic, partitionIndex, offset, at = to) =>
        await door.ask(
          `v${version} ${label}`,
          "DeleteRecords",
          version,
          {
            topics: [{ name: topic, partitions: [{ partitionIndex, offset }] }],
            timeoutMs: TIMEOUT_MS,
          },
          { to: at },
        );
      await ask("to 3", name, 0, 3);
      await ask("to 3 again", name, 0, 3);
      await ask("back to 1", name, 0, 1);
      await ask("behind the end", name, 0, 100);
      await ask("-2", name, 0, -2);
      await ask("an unknown partition", name, 5, 1);
      await ask("an unknown topic", door.name("absent"), 0, 1);
      await ask("where it is not led", name, 0, 4, other);
      await ask("all", name, 0, -1);
      await door.ask(
        `v${version} none`,
        "DeleteRecords",
        version,
        { topics: [], timeoutMs: 1 },
        { to },
      );
      const offsets = {
        replicaId: -1,
        topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -2 }] }],
      };
      await door.ask(`v${version}, where it starts then`, "ListOffsets", 5, offsets, { to });
    }
  },

  async "settings of topics"(door) {
    const { name } = await door.topic("configured", { configs: SETTINGS });
    for (const version of versionsOf("DescribeConfigs")) {
      const ask = async (label, resources, fields = {}) =>
        await door.ask(`v${version} ${label}`, "DescribeConfigs", version, {
          resources: resources.map((each) => ({ configurationKeys: null, ...each })),
          includeSynonyms: false,
          includeDocumentation: false,
          ...fields,
        });
      const topic = { resourceType: TOPIC, resourceName: name };
      const some = ["retention.ms", "cleanup.policy", "max.message.bytes", "no.such.key"];
      await ask("all", [topic]);
      await ask("some", [{ ...topic, configurationKeys: some }], { includeSynonyms: true });
      await ask("no key", [{ ...topic, configurationKeys: [] }]);
      await ask("unknown topic", [{ ...topic, resourceName: door.name("absent") }]);
      await ask("a bad name", [{ ...topic, resourceName: "a b" }]);
      await ask("no name", [{ ...topic, resourceName: "" }]);
      await ask(
        "twice",
        [topic, topic].map((each) => ({ ...each, configurationKeys: some })),
      );
      await ask("of no kind", [{ resourceType: 1, resourceName: name }]);
      await ask("of an unknown kind", [{ resourceType: 99, resourceName: name }]);
      await ask("none", []);
      const unknown = [
        ["of broker 9", "9"],
        ["of broker x", "x"],
        ["of broker -1", "-1"],
      ];
      for (const [label, resourceName] of unknown) {
        await ask(label, [{ resourceType: BROKER, resourceName }]);
      }
    }
    const words = { includeSynonyms: true, includeDocumentation: true };
    const one = { resourceType: TOPIC, resourceName: name, configurationKeys: null };
    await door.ask("with everything", "DescribeConfigs", 4, { resources: [one], ...words });
  },

  async "settings of brokers"(door) {
    for (const version of [1, 4]) {
      const resource = { resourceType: BROKER, resourceName: "1", configurationKeys: null };
      const body = { resources: [resource], includeSynonyms: false };
      const to = await door.connection(1);
      const outcome = await door.quietly("DescribeConfigs", version, body, { to });
      // What each is set to differs with addresses and directories; that it is there does not.
      const configs = outcome.body?.results[0].configs.map(
        ({ name, readOnly, isSensitive, configType }) => ({
          name,
          readOnly,
          isSensitive,
          configType,
        }),
      );
      door.record(`v${version} of the broker asked`, { body: { configs } });
      const other = await door.connection(2);
      const elsewhere = await door.quietly("DescribeConfigs", version, body, { to: other });
      const { errorCode } = elsewhere.body?.results[0] ?? {};
      door.record(`v${version} of another broker`, { body: { errorCode } });
      const all = { resources: [{ ...resource, resourceName: "" }] };
      await door.ask(`v${version} of all brokers`, "DescribeConfigs", version, all, { to });
    }
  },

  async "settings that are altered"(door) {
    for (const version of versionsOf("AlterConfigs")) {
      const { name } = await door.topic(`altered-${version}`, { configs: SETTINGS });
      const ask = async (label, configs, fields = {}) =>
        await door.ask(`v${version} ${label}`, "AlterConfigs", version, {
          resources: [
            {
              resourceType: TOPIC,
              resourceName: name,
              configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
              ...fields,
            },
          ],
          validateOnly: false,
        });
      await ask("one", { "max.message.bytes": "5000" });
      await shown(door, `v${version}, then`, name);
      await ask("unknown key", { "no.such.key": "1" });
      await ask("no number", { "retention.ms": "soon" });
      await ask("below its bound", { "segment.bytes": "1" });
      await ask("null", { "retention.ms": null });
      await ask("unknown topic", {}, { resourceName: door.name("absent") });
      await ask("no name", {}, { resourceName: "" });
      await ask("unknown kind", {}, { resourceType: 99 });
      await ask("all gone", {});
      await shown(door, `v${version}, in the end`, name);
    }
    for (const version of versionsOf("IncrementalAlterConfigs")) {
      const { name } = await door.topic(`altered-step-${version}`, { configs: SETTINGS });
      const ask = async (label, configs, fields = {}) =>
        await door.ask(`v${version} by steps, ${label}`, "IncrementalAlterConfigs", version, {
          resources: [
            {
              resourceType: TOPIC,
              resourceName: name,
              configs: configs.map(([key, configOperation, value = null]) => ({
                name: key,
                configOperation,
                value,
              })),
              ...fields,
            },
          ],
          validateOnly: fields.validateOnly ?? false,
        });
      await ask("only checked", [["retention.ms", 0, "77"]], { validateOnly: true });
      await ask("set", [["retention.ms", 0, "7200000"]]);
      await ask("removed", [["retention.ms", 1]]);
      await ask("added to a list", [["cleanup.policy", 2, "delete"]]);
      await ask("added again", [["cleanup.policy", 2, "delete"]]);
      await ask("taken from a list", [["cleanup.policy", 3, "compact"]]);
      await ask("added to what is none", [["retention.ms", 2, "5"]]);
      await ask("a bad word added", [["cleanup.policy", 2, "burn"]]);
      await ask("set to null", [["retention.ms", 0]]);
      await ask("a step that is none", [["retention.ms", 9, "5"]]);
      await ask("twice", [
        ["retention.ms", 0, "5"],
        ["retention.ms", 0, "6"],
      ]);
      await ask("unknown key", [["no.such.key", 0, "1"]]);
      await ask("unknown key removed", [["no.such.key", 1]]);
      await ask("unknown topic", [["retention.ms", 0, "5"]], { resourceName: door.name("absent") });
      await ask("nothing", []);
      await shown(door, `v${version} by steps, in the end`, name);
    }
  },

  async "the cluster"(door) {
    for (const version of versionsOf("DescribeCluster")) {
      const ask = async (label, fields) =>
        await door.ask(`v${version} ${label}`, "DescribeCluster", version, {
          includeClusterAuthorizedOperations: false,
          ...fields,
        });
      await ask("plain", {});
      await ask("with what one may do", { includeClusterAuthorizedOperations: true });
      if (version >= 1) await ask("controllers", { endpointType: 2 });
      if (version >= 1) await ask("an unknown kind", { endpointType: 9 });
      if (version >= 2) await ask("with fenced ones", { includeFencedBrokers: true });
    }
    for (const version of versionsOf("DescribeQuorum")) {
      const ask = async (label, topicName, partitionIndex) => {
        const topics = [{ topicName, partitions: [{ partitionIndex }] }];
        const outcome = await door.quietly("DescribeQuorum", version, { topics });
        door.record(`v${version} ${label}`, withoutPositions(outcome));
      };
      if (!door.side.serves("DescribeQuorum", version)) continue;
      await ask("quorum", "__cluster_metadata", 0);
      await ask("quorum of another partition", "__cluster_metadata", 1);
      await ask("quorum of a topic", door.name("absent"), 0);
    }
  },

  async "topics in pages"(door) {
    const names = [];
    for (const suffix of ["page-a", "page-b", "page-c"]) {
      names.push((await door.topic(suffix, { partitions: 3 })).name);
    }
    const ask = async (label, fields) =>
      await door.ask(label, "DescribeTopicPartitions", 0, {
        topics: names.map((name) => ({ name })),
        ...fields,
      });
    await ask("all", {});
    await ask("two", { responsePartitionLimit: 2 });
    await ask("four", { responsePartitionLimit: 4 });
    await ask("none", { responsePartitionLimit: 0 });
    await ask("below zero", { responsePartitionLimit: -3 });
    const from = (topicName, partitionIndex) => ({ cursor: { topicName, partitionIndex } });
    await ask("from the second", { ...from(names[1], 1), responsePartitionLimit: 3 });
    await ask("from behind a topic", { ...from(names[0], 3) });
    await ask("from below zero", { ...from(names[0], -1) });
    await ask("from behind all", { ...from(`${names[2]}x`, 0) });
    await ask("unknown", { topics: [{ name: door.name("absent") }] });
    await ask("known and unknown", { topics: [{ name: names[0] }, { name: door.name("absent") }] });
    await ask("a bad name", { topics: [{ name: "a b" }] });
    await ask("twice", { topics: [{ name: names[0] }, { name: names[0] }] });
  },

  async "directories of logs"(door) {
    const { name } = await door.topic("stored", { partitions: 2 });
    await fill(door, name);
    for (const version of versionsOf("DescribeLogDirs")) {
      const ask = async (label, topics, hides = []) =>
        await door.ask(`v${version} ${label}`, "DescribeLogDirs", version, { topics }, { hides });
      await ask("one", [{ topic: name, partitions: [0, 1] }]);
      await ask("one partition", [{ topic: name, partitions: [1] }]);
      await ask("no partition", [{ topic: name, partitions: [] }]);
      await ask("unknown partition", [{ topic: name, partitions: [8] }]);
      await ask("unknown topic", [{ topic: door.name("absent"), partitions: [0] }]);
      await ask("none", []);
      // Whatever other scenarios left behind.
      await ask("all", null, ["topics"]);
    }
  },

  async elections(door) {
    const { name } = await door.topic("elected", { partitions: 2 });
    for (const version of versionsOf("ElectLeaders")) {
      const ask = async (label, electionType, topicPartitions) =>
        await door.ask(`v${version} ${label}`, "ElectLeaders", version, {
          electionType,
          topicPartitions,
          timeoutMs: TIMEOUT_MS,
        });
      const both = [{ topic: name, partitions: [0, 1] }];
      await ask("preferred", 0, both);
      if (version >= 1) await ask("unclean", 1, both);
      if (version >= 1) await ask("of an unknown kind", 7, both);
      await ask("unknown partition", 0, [{ topic: name, partitions: [9] }]);
      await ask("unknown topic", 0, [{ topic: door.name("absent"), partitions: [0] }]);
      await ask("none", 0, []);
      await ask("twice", 0, [{ topic: name, partitions: [0, 0] }]);
    }
  },

  async "replicas that are moved"(door) {
    for (const version of versionsOf("AlterPartitionReassignments")) {
      const { name } = await door.topic(`moved-${version}`, { partitions: 2 });
      const ask = async (label, partitions, fields = {}) =>
        await door.ask(`v${version} ${label}`, "AlterPartitionReassignments", version, {
          timeoutMs: TIMEOUT_MS,
          topics: [{ name, partitions }],
          ...fields,
        });
      const listed = async (label, topics) =>
        await door.ask(`v${version} ${label}`, "ListPartitionReassignments", 0, {
          timeoutMs: TIMEOUT_MS,
          topics,
        });
      await ask("cancelled, none under way", [{ partitionIndex: 0, replicas: null }]);
      await ask("an unknown broker", [{ partitionIndex: 0, replicas: [1, 2, 9] }]);
      await ask("a broker twice", [{ partitionIndex: 0, replicas: [1, 1, 2] }]);
      await ask("no broker", [{ partitionIndex: 0, replicas: [] }]);
      await ask("a broker below zero", [{ partitionIndex: 0, replicas: [-1, 2, 3] }]);
      await ask("an unknown partition", [{ partitionIndex: 9, replicas: [1, 2, 3] }]);
      await ask("an unknown topic", [], {
        topics: [
          { name: door.name("absent"), partitions: [{ partitionIndex: 0, replicas: [1, 2, 3] }] },
        ],
      });
      await ask("nothing", []);
      await ask("no topic", [], { topics: [] });
      await ask("in another order", [{ partitionIndex: 0, replicas: [3, 2, 1] }]);
      if (version >= 1) {
        const fixed = { allowReplicationFactorChange: false };
        await ask("fewer, which may not be", [{ partitionIndex: 1, replicas: [1, 2] }], fixed);
      }
      await ask("fewer", [{ partitionIndex: 1, replicas: [2, 1] }]);
      await door.untilReplicas(name, 1, 2);
      await listed("listed", [{ name, partitionIndexes: [0, 1] }]);
      await listed("unknown ones listed", [{ name: door.name("absent"), partitionIndexes: [0] }]);
      await listed("none listed", []);
    }
  },
};

/** Which settings a topic has of its own. */
async function shown(door, label, resourceName) {
  // A change reaches the broker that is asked a moment later, on either side.
  await sleep(700);
  await door.ask(label, "DescribeConfigs", 1, {
    resources: [
      {
        resourceType: TOPIC,
        resourceName,
        configurationKeys: ["retention.ms", "cleanup.policy", "max.message.bytes"],
      },
    ],
    includeSynonyms: false,
  });
}

/** A quorum without how far each of it is, and since when. */
function withoutPositions({ body, ...rest }) {
  if (body === undefined) return rest;
  const topics = body.topics.map(({ topicName, partitions }) => ({
    topicName,
    partitions: partitions.map(
      ({ errorCode, errorMessage, partitionIndex, leaderId, ...more }) => ({
        partitionIndex,
        errorCode,
        errorMessage,
        leaderId,
        voters: more.currentVoters.map(({ replicaId }) => replicaId).sort(),
        observers: more.observers.length,
        hasPosition: more.highWatermark > 0,
      }),
    ),
  }));
  return { body: { ...body, topics } };
}
