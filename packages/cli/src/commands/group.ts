/** `strandline group`: list, describe, lag, seek, delete. Columns are named as Kafka's tools do. */
import type { GroupDescription, GroupLag, StrandlineClient } from "@strandline/client";
import { Command } from "commander";
import {
  type ClusterFlags,
  type FormatFlags,
  gather,
  withClient,
  withCluster,
  withFormat,
} from "../global-options.js";
import { say, writeData } from "../output.js";
import { type Cell, table } from "../table.js";
import { groupSeekCommand } from "./group-seek.js";

export function groupCommand(): Command {
  const group = new Command("group").alias("groups").description("consumer groups");
  group.addCommand(listCommand());
  group.addCommand(describeCommand());
  group.addCommand(lagCommand());
  group.addCommand(groupSeekCommand());
  group.addCommand(deleteCommand());
  return group;
}

interface ListFlags extends ClusterFlags, FormatFlags {
  readonly state: string[];
}

function listCommand(): Command {
  return withFormat(withCluster(new Command("list")))
    .alias("ls")
    .description("list the groups")
    .option("--state <state>", "only groups in this state; may be repeated", gather, [])
    .action(async (flags: ListFlags) => {
      await withClient(flags, async (client) => {
        const groups = await client.groups.list({ states: flags.state });
        const rows = groups.map(({ groupId, state, protocolType }) => [
          groupId,
          state,
          protocolType === "" ? "-" : protocolType,
        ]);
        await print(flags, groups, { headers: ["group", "state", "protocol"], rows });
      });
    });
}

interface DescribeFlags extends ClusterFlags, FormatFlags {
  readonly members?: boolean;
  readonly state?: boolean;
}

function describeCommand(): Command {
  return withFormat(withCluster(new Command("describe")))
    .description("how far a group has come, and who reads what")
    .argument("<group>")
    .option("--members", "its members instead")
    .option("--state", "its state instead")
    .action(async (groupId: string, flags: DescribeFlags) => {
      await withClient(flags, async (client) => {
        const group = await client.groups.describe(groupId);
        if (flags.members === true) return await printMembers(flags, group);
        if (flags.state === true) return await printState(flags, group);
        await printOffsets(flags, client, group);
      });
    });
}

async function printMembers(flags: FormatFlags, group: GroupDescription): Promise<void> {
  const headers = [
    "group",
    "consumer-id",
    "group-instance-id",
    "host",
    "client-id",
    "#partitions",
    "assignment",
  ];
  const rows = group.members.map((member) => [
    group.groupId,
    member.memberId,
    member.instanceId === "" ? "-" : member.instanceId,
    member.clientHost,
    member.clientId,
    member.partitions.length,
    assignmentText(member.partitions),
  ]);
  await print(flags, group.members, { headers, rows });
}

async function printState(flags: FormatFlags, group: GroupDescription): Promise<void> {
  const { groupId, coordinatorId, protocolName, state, generation, members } = group;
  const headers = [
    "group",
    "coordinator",
    "assignment-strategy",
    "state",
    "generation",
    "#members",
  ];
  const strategy = protocolName === "" ? "-" : protocolName;
  const rows = [[groupId, coordinatorId, strategy, state, generation, members.length]];
  await print(flags, group, { headers, rows });
}

async function printOffsets(
  flags: FormatFlags,
  client: StrandlineClient,
  group: GroupDescription,
): Promise<void> {
  const lags = await client.groups.lag(group);
  if (group.members.length === 0) say(`group ${group.groupId} has no active members`);
  const headers = [
    "group",
    "topic",
    "partition",
    "current-offset",
    "log-end-offset",
    "lag",
    "consumer-id",
    "host",
    "client-id",
  ];
  const rows = lags.map((lag) => [
    group.groupId,
    lag.topic,
    lag.partition,
    lag.committedOffset ?? "-",
    lag.logEndOffset ?? "-",
    lag.lag ?? "-",
    lag.member?.memberId ?? "-",
    lag.member?.clientHost ?? "-",
    lag.member?.clientId ?? "-",
  ]);
  await print(flags, { ...group, offsets: lags }, { headers, rows });
}

function lagCommand(): Command {
  return withFormat(withCluster(new Command("lag")))
    .description(
      "how many records groups are behind, topic by topic; all groups when none is named",
    )
    .argument("[groups...]")
    .action(async (named: string[], flags: ClusterFlags & FormatFlags) => {
      await withClient(flags, async (client) => {
        const groupIds =
          named.length > 0 ? named : (await client.groups.list()).map(({ groupId }) => groupId);
        const totals: LagTotal[] = [];
        for (const groupId of groupIds) {
          const lags = await client.groups.lag(await client.groups.describe(groupId));
          totals.push(...totalsOf(groupId, lags));
        }
        const headers = ["group", "topic", "partitions", "lag", "unknown"];
        const rows = totals.map((total) => [
          total.groupId,
          total.topic,
          total.partitions,
          total.lag,
          total.unknown,
        ]);
        await print(flags, totals, { headers, rows });
      });
    });
}

interface LagTotal {
  readonly groupId: string;
  readonly topic: string;
  partitions: number;
  lag: number;
  /** Partitions of which nobody can tell: nothing is committed, or there is no leader. */
  unknown: number;
}

function totalsOf(groupId: string, lags: readonly GroupLag[]): LagTotal[] {
  const totals = new Map<string, LagTotal>();
  for (const { topic, lag } of lags) {
    const total = totals.get(topic) ?? { groupId, topic, partitions: 0, lag: 0, unknown: 0 };
    total.partitions += 1;
    total.lag += lag ?? 0;
    if (lag === undefined) total.unknown += 1;
    totals.set(topic, total);
  }
  return [...totals.values()];
}

function deleteCommand(): Command {
  return withCluster(new Command("delete"))
    .alias("rm")
    .description("delete groups without members, and how far they have come")
    .argument("<groups...>")
    .action(async (groupIds: string[], flags: ClusterFlags) => {
      await withClient(flags, async (client) => {
        for (const groupId of groupIds) {
          await client.groups.delete(groupId);
          say(`deleted ${groupId}`);
        }
      });
    });
}

/** `t(0,1), u(3)`. */
function assignmentText(
  partitions: readonly { readonly topic: string; readonly partition: number }[],
): string {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  }
  const texts = [...topics].map(([topic, numbers]) => `${topic}(${numbers.join(",")})`);
  return texts.length === 0 ? "-" : texts.join(", ");
}

async function print(
  flags: FormatFlags,
  data: unknown,
  { headers, rows }: { readonly headers: readonly string[]; readonly rows: readonly Cell[][] },
): Promise<void> {
  if (flags.format === "json") await writeData(`${JSON.stringify(data, undefined, 2)}\n`);
  else await writeData(`${table(headers, rows).join("\n")}\n`);
}
