/** `strandline topic`: create, list, describe, alter, delete; produce and consume beside it. */
import type { PartitionDescription, ReplicaMove, StrandlineClient } from "@strandline/client";
import { Command } from "commander";
import { CommandError, EXIT } from "../exit-codes.js";
import {
  type ClusterFlags,
  type FormatFlags,
  gather,
  integer,
  pairs,
  withClient,
  withCluster,
  withFormat,
} from "../global-options.js";
import { say, writeData } from "../output.js";
import { table } from "../table.js";
import { topicConsumeCommand } from "./topic-consume.js";
import { topicProduceCommand } from "./topic-produce.js";

export function topicCommand(): Command {
  const topic = new Command("topic").alias("topics").description("topics and their records");
  topic.addCommand(createCommand());
  topic.addCommand(listCommand());
  topic.addCommand(describeCommand());
  topic.addCommand(alterCommand());
  topic.addCommand(deleteCommand());
  topic.addCommand(topicProduceCommand());
  topic.addCommand(topicConsumeCommand());
  return topic;
}

interface CreateFlags extends ClusterFlags {
  readonly partitions: string;
  readonly replicationFactor: string;
  readonly config: string[];
  readonly allowWeakDurability?: boolean;
  readonly ifNotExists?: boolean;
}

function createCommand(): Command {
  return withCluster(new Command("create"))
    .description("create a topic")
    .argument("<name>")
    .option("-p, --partitions <count>", "how many partitions; 0: the cluster's num.partitions", "0")
    .option("-r, --replication-factor <count>", "copies of each; 0: the cluster's default", "0")
    .option("-c, --config <name=value>", "a topic setting; may be repeated", gather, [])
    .option("--allow-weak-durability", "allow min.insync.replicas=1 with several replicas")
    .option("--if-not-exists", "an existing topic is no error")
    .action(async (name: string, flags: CreateFlags) => {
      await withClient(flags, async (client) => {
        try {
          const created = await client.admin.createTopic({
            name,
            partitions: integer(flags.partitions, "--partitions"),
            replicationFactor: integer(flags.replicationFactor, "--replication-factor"),
            configs: pairs(flags.config, "--config"),
            allowWeakDurability: flags.allowWeakDurability === true,
          });
          say(
            `created ${name}: ${created.partitions} partitions, ${created.replicationFactor} replicas each`,
          );
        } catch (error) {
          const exists =
            error instanceof Error && "code" in error && error.code === "TOPIC_ALREADY_EXISTS";
          if (!exists || flags.ifNotExists !== true) throw error;
          say(`${name} exists`);
        }
      });
    });
}

function listCommand(): Command {
  return withFormat(withCluster(new Command("list")))
    .alias("ls")
    .description("list the topics")
    .action(async (flags: ClusterFlags & FormatFlags) => {
      await withClient(flags, async (client) => {
        const topics = await client.admin.listTopics();
        if (flags.format === "json") {
          await writeData(`${JSON.stringify(topics, undefined, 2)}\n`);
          return;
        }
        const lines = table(
          ["name", "partitions", "replicas", "id"],
          topics.map((topic) => [
            topic.name,
            topic.partitions,
            topic.replicationFactor,
            topic.topicId,
          ]),
        );
        await writeData(`${lines.join("\n")}\n`);
      });
    });
}

function describeCommand(): Command {
  return withFormat(withCluster(new Command("describe")))
    .description("partitions, replicas and settings of a topic")
    .argument("<name>")
    .option("--configs", "every setting, with its value and source")
    .action(async (name: string, flags: ClusterFlags & FormatFlags & { configs?: boolean }) => {
      await withClient(flags, async (client) => {
        const topic = await client.admin.describeTopic(name);
        const configs =
          flags.configs === true ? await client.admin.describeConfigs({ topic: name }) : [];
        if (flags.format === "json") {
          await writeData(
            `${JSON.stringify({ ...topic, ...(flags.configs ? { configEntries: configs } : {}) }, undefined, 2)}\n`,
          );
          return;
        }
        const set = Object.entries(topic.configs).map(([key, value]) => `${key}=${value}`);
        const lines = [
          `Topic: ${topic.name}  TopicId: ${topic.topicId}  PartitionCount: ${topic.partitions.length}  ` +
            `ReplicationFactor: ${topic.replicationFactor}  Configs: ${set.join(",")}`,
          "",
          ...table(
            ["partition", "leader", "epoch", "replicas", "isr", "elr", "start", "end"],
            topic.partitions.map((partition) => [
              partition.partition,
              partition.leaderId < 0 ? "none" : partition.leaderId,
              partition.leaderEpoch,
              replicasText(partition),
              partition.isr.join(","),
              partition.elr.join(","),
              partition.logStartOffset ?? "-",
              partition.highWatermark ?? "-",
            ]),
          ),
        ];
        if (configs.length > 0) {
          lines.push(
            "",
            ...table(
              ["setting", "value", "source"],
              configs.map((entry) => [entry.name, entry.value, entry.source]),
            ),
          );
        }
        await writeData(`${lines.join("\n")}\n`);
      });
    });
}

interface AlterFlags extends ClusterFlags {
  readonly partitions?: string;
  readonly replicas: string[];
  readonly set: string[];
  readonly unset: string[];
}

function alterCommand(): Command {
  return withCluster(new Command("alter"))
    .description("change settings, add partitions, or move replicas")
    .argument("<name>")
    .option("-p, --partitions <count>", "new total; partitions are only ever added")
    .option(
      "-r, --replicas <partition=brokers>",
      "move: 0=3,1,2 puts partition 0 on these brokers, the preferred leader first; 0= takes a move back; may be repeated",
      gather,
      [],
    )
    .option("-s, --set <name=value>", "a topic setting; may be repeated", gather, [])
    .option("-u, --unset <name>", "back to the default; may be repeated", gather, [])
    .action(async (name: string, flags: AlterFlags) => {
      const set = pairs(flags.set, "--set");
      const moves = movesOf(name, flags.replicas);
      const changes = flags.set.length + flags.unset.length + moves.length;
      if (flags.partitions === undefined && changes === 0) {
        throw new CommandError(EXIT.usage, "nothing to change", {
          hint: "give --partitions, --replicas, --set or --unset",
        });
      }
      await withClient(flags, async (client) => {
        if (flags.set.length + flags.unset.length > 0) {
          await client.admin.alterConfigs({ topic: name, set, remove: flags.unset });
        }
        if (flags.partitions !== undefined) {
          await client.admin.createPartitions({
            topic: name,
            totalCount: integer(flags.partitions, "--partitions"),
          });
        }
        if (moves.length > 0) await move(client, moves);
        say(`altered ${name}`);
      });
    });
}

/** "0=3,1,2": partition 0 moves to these brokers. */
function movesOf(topic: string, given: readonly string[]): ReplicaMove[] {
  return Object.entries(pairs(given, "--replicas")).map(([partition, brokers]) => ({
    topic,
    partition: integer(partition, "--replicas"),
    replicas: brokers
      .split(",")
      .filter((id) => id.trim() !== "")
      .map((id) => integer(id, "--replicas")),
  }));
}

async function move(client: StrandlineClient, moves: readonly ReplicaMove[]): Promise<void> {
  const results = await client.admin.alterReassignments(moves);
  for (const { topic, partition, error } of results) {
    if (error !== undefined) say(`${topic}-${partition}: ${error.message}`);
  }
  const refused = results.find(({ error }) => error !== undefined);
  if (refused?.error !== undefined) throw refused.error;
}

/** As kafka-topics writes a move that is under way. */
function replicasText({ replicas, adding, removing }: PartitionDescription): string {
  const moves = [
    ...(adding.length > 0 ? [`adding ${adding.join(",")}`] : []),
    ...(removing.length > 0 ? [`removing ${removing.join(",")}`] : []),
  ];
  return moves.length === 0 ? replicas.join(",") : `${replicas.join(",")} (${moves.join("; ")})`;
}

function deleteCommand(): Command {
  return withCluster(new Command("delete"))
    .alias("rm")
    .description("delete a topic and all its records")
    .argument("<name>")
    .option("-y, --yes", "do not ask")
    .action(async (name: string, flags: ClusterFlags & { yes?: boolean }) => {
      if (flags.yes !== true) await confirm(`Delete topic ${name} and all its records?`);
      await withClient(flags, async (client) => await client.admin.deleteTopic(name));
      say(`deleted ${name}`);
    });
}

async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CommandError(EXIT.usage, "this deletes data, and there is no terminal to ask at", {
      hint: "say --yes",
    });
  }
  const { createInterface } = await import("node:readline/promises");
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await reader.question(`${question} [y/N] `);
  reader.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError(EXIT.failed, "not deleted");
}
