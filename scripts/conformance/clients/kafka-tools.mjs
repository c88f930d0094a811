/** The console tools of Apache Kafka, each for what people use it for. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { KAFKA_VERSION, kafkaClassPath, kafkaJava } from "../../lab/kafka-jars.mjs";
import { must, outcomeOf } from "../../lab/toolchain.mjs";
import { until } from "../../lab/waiting.mjs";
import { freshName } from "../test-records.mjs";

const TOOL_MS_MAX = 60_000;
/** Some start a virtual machine ten times. */
const CASE_MS_MAX = 300_000;
const CLASSES = {
  "kafka-topics": "TopicCommand",
  "kafka-console-producer": "ConsoleProducer",
  "kafka-console-consumer": "consumer.ConsoleConsumer",
  "kafka-consumer-groups": "consumer.group.ConsumerGroupCommand",
  "kafka-groups": "GroupsCommand",
  "kafka-get-offsets": "GetOffsetShell",
  "kafka-delete-records": "DeleteRecordsCommand",
  "kafka-reassign-partitions": "reassign.ReassignPartitionsCommand",
  "kafka-leader-election": "LeaderElectionCommand",
  "kafka-log-dirs": "LogDirsCommand",
  "kafka-metadata-quorum": "MetadataQuorumCommand",
  "kafka-cluster": "ClusterTool",
  "kafka-broker-api-versions": "BrokerApiVersionsCommand",
  "kafka-producer-perf-test": "ProducerPerformance",
  "kafka-consumer-perf-test": "ConsumerPerformance",
  "kafka-verifiable-producer": "VerifiableProducer",
  "kafka-verifiable-consumer": "VerifiableConsumer",
  "kafka-e2e-latency": "EndToEndLatency",
  "kafka-dump-log": "DumpLogSegments",
};

export const kafkaTools = {
  name: "kafka-tools",
  async prepare({ workspace, say }) {
    const java = kafkaJava(await kafkaClassPath(workspace, say));
    const cases = CASES.map(([test, check]) => ({
      test,
      timeoutMs: CASE_MS_MAX,
      run: async ({ target }) => await check(new Tools(workspace, java, target)),
    }));
    return { version: KAFKA_VERSION, cases };
  },
};

const CASES = [
  ["kafka-broker-api-versions", apiVersions],
  ["kafka-topics: create, list, describe, alter, delete", topics],
  ["kafka-console-producer and -consumer", consoles],
  ["kafka-consumer-groups: list, describe, reset, delete", consumerGroups],
  ["kafka-groups: list", groups],
  ["kafka-configs: topics", topicConfigs],
  ["kafka-configs: brokers", brokerConfigs],
  ["kafka-get-offsets", getOffsets],
  ["kafka-delete-records", deleteRecords],
  ["kafka-reassign-partitions", reassign],
  ["kafka-leader-election", leaderElection],
  ["kafka-log-dirs", logDirs],
  ["kafka-metadata-quorum", metadataQuorum],
  ["kafka-cluster: cluster-id", clusterId],
  ["kafka-producer-perf-test and -consumer-perf-test", perfTests],
  ["kafka-verifiable-producer and -consumer", verifiable],
  ["kafka-e2e-latency", endToEnd],
  ["kafka-dump-log on segment files", dumpLog],
];

class Tools {
  workspace;
  target;
  #java;

  constructor(workspace, java, target) {
    this.workspace = workspace;
    this.#java = java;
    this.target = target;
  }

  get bootstrap() {
    return this.target.bootstrap.join(",");
  }

  /** Runs a tool against the cluster, and resolves with what it printed. */
  async run(tool, args, options) {
    return await this.runAlone(tool, ["--bootstrap-server", this.bootstrap, ...args], options);
  }

  async runAlone(tool, args, options = {}) {
    const name = tool === "kafka-configs" ? "kafka.admin.ConfigCommand" : toolClass(tool);
    const command = [...this.#java, name, ...args];
    return await must(this.workspace, command, { timeoutMs: TOOL_MS_MAX, ...options });
  }

  /** As `run`, for tools that must refuse: resolves with what they said. */
  async refused(tool, args) {
    const all = ["--bootstrap-server", this.bootstrap, ...args];
    const command = [...this.#java, toolClass(tool), ...all];
    const { code, stdout, stderr } = await outcomeOf(this.workspace, command, {
      timeoutMs: TOOL_MS_MAX,
    });
    assert.notEqual(code, 0, `${tool} was not refused`);
    return stdout + stderr;
  }

  async freshTopic(what, { partitions = 1, replicas = 1 } = {}) {
    const topic = freshName(what);
    const size = ["--partitions", String(partitions), "--replication-factor", String(replicas)];
    await this.run("kafka-topics", ["--create", "--topic", topic, ...size]);
    return topic;
  }

  async produce(topic, lines) {
    const input = `${lines.join("\n")}\n`;
    await this.run("kafka-console-producer", ["--topic", topic], { input });
  }

  async consume(topic, count, args = []) {
    const options = ["--max-messages", String(count), "--timeout-ms", "30000"];
    const text = await this.run("kafka-console-consumer", ["--topic", topic, ...options, ...args]);
    return linesOf(text);
  }
}

function toolClass(tool) {
  return `org.apache.kafka.tools.${CLASSES[tool]}`;
}

function linesOf(text) {
  return text.split("\n").filter((line) => line !== "");
}

async function apiVersions(tools) {
  const text = await tools.run("kafka-broker-api-versions", []);
  for (const api of ["Produce(0)", "Fetch(1)", "Metadata(3)", "JoinGroup(11)"]) {
    assert.ok(text.includes(api), `${api} is not listed`);
  }
  assert.equal(text.match(/\(id: \d+ rack: /g)?.length, tools.target.bootstrap.length);
}

async function topics(tools) {
  const topic = await tools.freshTopic("tools-topics", { partitions: 2, replicas: 3 });
  const named = ["--topic", topic];
  assert.ok(linesOf(await tools.run("kafka-topics", ["--list"])).includes(topic));
  const described = await tools.run("kafka-topics", ["--describe", ...named]);
  assert.match(described, /PartitionCount: 2\s+ReplicationFactor: 3/);
  await tools.run("kafka-topics", ["--alter", ...named, "--partitions", "4"]);
  await until("there are four partitions", async () =>
    /PartitionCount: 4/.test(await tools.run("kafka-topics", ["--describe", ...named])),
  );
  const again = await tools.refused("kafka-topics", ["--create", ...named]);
  assert.match(again, /TopicExistsException|already exists/);
  await tools.run("kafka-topics", ["--delete", ...named]);
  await until(
    "a deleted topic is gone from the list",
    async () => !linesOf(await tools.run("kafka-topics", ["--list"])).includes(topic),
  );
}

async function consoles(tools) {
  const topic = await tools.freshTopic("tools-console");
  const input = "one:1\ntwo:2\nthree:3\n";
  const parse = ["--reader-property", "parse.key=true", "--reader-property", "key.separator=:"];
  const codec = ["--compression-codec", "zstd"];
  await tools.run("kafka-console-producer", ["--topic", topic, ...codec, ...parse], { input });
  const print = ["--formatter-property", "print.key=true"];
  const read = await tools.consume(topic, 3, ["--from-beginning", ...print]);
  assert.deepEqual(read, ["one\t1", "two\t2", "three\t3"]);
}

async function consumerGroups(tools) {
  const topic = await tools.freshTopic("tools-groups");
  const group = freshName("tools-groups");
  const named = ["--group", group];
  await tools.produce(topic, ["1", "2", "3", "4"]);
  await tools.consume(topic, 3, [...named, "--from-beginning"]);
  const run = async (args) => await tools.run("kafka-consumer-groups", args);
  assert.ok(linesOf(await run(["--list"])).includes(group));
  assert.match(await run(["--describe", ...named]), new RegExp(`${topic} +0 +3 +4 +1 `));
  assert.match(await run(["--describe", ...named, "--state"]), / Empty +0/);
  const reset = ["--reset-offsets", ...named, "--topic", topic, "--to-earliest"];
  await run([...reset, "--dry-run"]);
  assert.match(await run(["--describe", ...named]), new RegExp(`${topic} +0 +3 `));
  await run([...reset, "--execute"]);
  assert.match(await run(["--describe", ...named]), new RegExp(`${topic} +0 +0 +4 +4 `));
  await run(["--delete-offsets", ...named, "--topic", topic]);
  await run(["--delete", ...named]);
  assert.ok(!linesOf(await run(["--list"])).includes(group));
}

async function groups(tools) {
  const topic = await tools.freshTopic("tools-all-groups");
  const group = freshName("tools-all-groups");
  await tools.produce(topic, ["1"]);
  await tools.consume(topic, 1, ["--group", group, "--from-beginning"]);
  const text = await tools.run("kafka-groups", ["--list"]);
  assert.match(text, new RegExp(`${group} +Classic +consumer`));
}

async function topicConfigs(tools) {
  const topic = await tools.freshTopic("tools-configs");
  const entity = ["--entity-type", "topics", "--entity-name", topic];
  const run = async (args) => await tools.run("kafka-configs", [...args, ...entity]);
  await run(["--alter", "--add-config", "retention.ms=3600000,max.message.bytes=2000000"]);
  const described = await run(["--describe"]);
  assert.match(described, /retention\.ms=3600000 sensitive=false/);
  assert.match(await run(["--describe", "--all"]), /cleanup\.policy=delete sensitive=false/);
  await run(["--alter", "--delete-config", "retention.ms"]);
  assert.doesNotMatch(await run(["--describe"]), /retention\.ms/);
}

async function brokerConfigs(tools) {
  const entity = ["--entity-type", "brokers", "--entity-name", "1"];
  const text = await tools.run("kafka-configs", ["--describe", "--all", ...entity]);
  assert.match(text, /num\.partitions=\d+ sensitive=false/);
  assert.match(text, /default\.replication\.factor=\d+ sensitive=false/);
  // Of this one broker alone.
  const run = async (args) => await tools.run("kafka-configs", [...args, ...entity]);
  await run(["--alter", "--add-config", "log.retention.ms=86400000,background.threads=9"]);
  const own = await run(["--describe"]);
  assert.match(
    own,
    /log\.retention\.ms=86400000 .*DYNAMIC_BROKER_CONFIG:log\.retention\.ms=86400000/,
  );
  assert.match(own, /background\.threads=9 /);
  await run(["--alter", "--delete-config", "log.retention.ms,background.threads"]);
  assert.doesNotMatch(await run(["--describe"]), /=/);
}

async function getOffsets(tools) {
  const topic = await tools.freshTopic("tools-offsets", { partitions: 2 });
  await tools.produce(topic, ["1", "2", "3"]);
  const total = async (time) => {
    const lines = linesOf(
      await tools.run("kafka-get-offsets", ["--topic", topic, "--time", String(time)]),
    );
    return lines.reduce((sum, line) => sum + Number(line.split(":")[2]), 0);
  };
  assert.equal(await total(-1), 3);
  assert.equal(await total(-2), 0);
  assert.equal(await total(0), 0);
  const all = await tools.run("kafka-get-offsets", []);
  assert.ok(all.includes(`${topic}:0:`), "it leaves the topic out when none is named");
}

async function deleteRecords(tools) {
  const topic = await tools.freshTopic("tools-delete");
  await tools.produce(topic, ["1", "2", "3", "4", "5"]);
  const file = tools.workspace.path("delete-records.json");
  writeFileSync(
    file,
    JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, offset: 3 }] }),
  );
  const text = await tools.run("kafka-delete-records", ["--offset-json-file", file]);
  assert.match(text, new RegExp(`partition: ${topic}-0\\s+low_watermark: 3`));
  assert.deepEqual(await tools.consume(topic, 2, ["--from-beginning"]), ["4", "5"]);
}

async function reassign(tools) {
  const topic = await tools.freshTopic("tools-reassign", { replicas: 2 });
  await tools.produce(topic, ["1", "2", "3"]);
  const file = tools.workspace.path("reassign.json");
  const described = await tools.run("kafka-topics", ["--describe", "--topic", topic]);
  const [, before] = /Replicas: ([\d,]+)/.exec(described);
  const replicas = before === "2,3" ? [3, 1] : [2, 3];
  const partitions = [{ topic, partition: 0, replicas }];
  writeFileSync(file, JSON.stringify({ version: 1, partitions }));
  const run = async (how) =>
    await tools.run("kafka-reassign-partitions", ["--reassignment-json-file", file, how]);
  await run("--execute");
  await until("the replicas have moved", async () => / is completed\./.test(await run("--verify")));
  assert.match(
    await tools.run("kafka-topics", ["--describe", "--topic", topic]),
    new RegExp(`Replicas: ${replicas.join(",")}`),
  );
  await tools.run("kafka-reassign-partitions", ["--list"]);
  assert.deepEqual(await tools.consume(topic, 3, ["--from-beginning"]), ["1", "2", "3"]);
}

async function leaderElection(tools) {
  const topic = await tools.freshTopic("tools-election", { replicas: 3 });
  const type = ["--election-type", "PREFERRED", "--topic", topic, "--partition", "0"];
  const text = await tools.run("kafka-leader-election", type);
  assert.match(text, new RegExp(`${topic}-0`));
}

async function logDirs(tools) {
  const topic = await tools.freshTopic("tools-dirs", { replicas: 3 });
  await tools.produce(topic, ["some bytes"]);
  const text = await tools.run("kafka-log-dirs", ["--describe", "--topic-list", topic]);
  const { brokers } = JSON.parse(linesOf(text).at(-1));
  const sizes = brokers.flatMap(({ logDirs: directories }) =>
    directories.flatMap(({ error, partitions }) => {
      assert.equal(error, null);
      return partitions.filter(({ partition }) => partition === `${topic}-0`);
    }),
  );
  assert.equal(sizes.length, 3);
  for (const { size } of sizes) assert.ok(size > 0, "a replica has no bytes");
}

async function metadataQuorum(tools) {
  const status = await tools.run("kafka-metadata-quorum", ["describe", "--status"]);
  assert.match(status, /LeaderId: +[1-9]/);
  assert.match(status, /CurrentVoters: +\[.*3.*\]/);
  const replication = await tools.run("kafka-metadata-quorum", ["describe", "--replication"]);
  assert.match(replication, /Leader\s/);
  assert.equal(replication.match(/Follower\s/g)?.length, 2);
}

async function clusterId(tools) {
  assert.match(
    await tools.runAlone("kafka-cluster", ["cluster-id", "--bootstrap-server", tools.bootstrap]),
    /Cluster ID: \S+/,
  );
}

async function perfTests(tools) {
  const topic = await tools.freshTopic("tools-perf", { partitions: 3, replicas: 3 });
  const size = ["--num-records", "20000", "--record-size", "200", "--throughput", "-1"];
  const produced = await tools.run("kafka-producer-perf-test", ["--topic", topic, ...size]);
  assert.match(produced, /20000 records sent/);
  const wanted = ["--num-records", "20000", "--timeout", "30000"];
  const consumed = await tools.run("kafka-consumer-perf-test", ["--topic", topic, ...wanted]);
  assert.match(consumed, /, 2\d{4}, /);
}

async function verifiable(tools) {
  const topic = await tools.freshTopic("tools-verifiable", { partitions: 3, replicas: 3 });
  const count = ["--max-messages", "1000"];
  const produced = await tools.run("kafka-verifiable-producer", ["--topic", topic, ...count]);
  assert.match(produced, /"name":"tool_data","sent":1000,"acked":1000/);
  const group = ["--group-id", freshName("tools-verifiable"), "--reset-policy", "earliest"];
  const options = ["--topic", topic, ...group, ...count];
  const consumed = await tools.run("kafka-verifiable-consumer", options);
  const events = linesOf(consumed).map((line) => JSON.parse(line));
  const seen = events.filter(({ name }) => name === "records_consumed");
  assert.equal(
    seen.reduce((sum, { count: records }) => sum + records, 0),
    1_000,
  );
  const commits = events.filter(({ name }) => name === "offsets_committed");
  assert.ok(commits.length > 0 && commits.every(({ success }) => success));
}

async function endToEnd(tools) {
  const topic = await tools.freshTopic("tools-latency", { replicas: 3 });
  const options = ["--topic", topic, "--num-records", "200", "--producer-acks", "all"];
  const text = await tools.run("kafka-e2e-latency", [...options, "--record-size", "100"]);
  assert.match(text, /Percentiles: 50th = \d+/);
}

async function dumpLog(tools) {
  const topic = await tools.freshTopic("tools-dump", { replicas: 3 });
  const lines = Array.from({ length: 500 }, (_, at) => `line ${at}`);
  await tools.produce(topic, lines);
  const files = tools.target.dataDirectories.flatMap((directory) => segmentsIn(directory));
  assert.ok(files.length > 0, "there are no segment files");
  const args = ["--deep-iteration", "--print-data-log", "--files", files.join(",")];
  const text = await tools.runAlone("kafka-dump-log", args);
  for (const line of lines) {
    const copies = text.split(`payload: ${line}\n`).length - 1;
    assert.equal(copies, 3, `"${line}" stands ${copies} times in the three replicas`);
  }
  assert.doesNotMatch(text, /isvalid: false|Mismatches|Found invalid/i);
}

/** Every segment of every partition that a broker keeps. */
function segmentsIn(directory) {
  return readdirSync(directory, { recursive: true })
    .filter((name) => /\d{20}\.log$/.test(name))
    .map((name) => path.join(directory, name));
}
