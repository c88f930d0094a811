/** `strandline group seek`: where a group without members is to go on. A dry run unless told. */
import type { StrandlineClient, TopicPartitionName } from "@strandline/client";
import { BrokerError } from "@strandline/model";
import { Command } from "commander";
import { CommandError, EXIT } from "../exit-codes.js";
import {
  type ClusterFlags,
  type FormatFlags,
  gather,
  integer,
  withClient,
  withCluster,
  withFormat,
} from "../global-options.js";
import { say, writeData } from "../output.js";
import { parseSeekTarget, type SeekTarget, seekOffset } from "../seek-target.js";
import { table } from "../table.js";

interface Flags extends ClusterFlags, FormatFlags {
  readonly topic: string[];
  readonly to?: string;
  readonly shiftBy?: string;
  readonly execute?: boolean;
}

interface Move extends TopicPartitionName {
  readonly current: number | undefined;
  readonly offset: number;
}

export function groupSeekCommand(): Command {
  return withFormat(withCluster(new Command("seek")))
    .description("set where a group goes on; shows what would be done unless --execute is given")
    .argument("<group>")
    .option(
      "--topic <topic>",
      "a topic, or topic:0,1 for some of its partitions; may be repeated; all that the group has committed when left out",
      gather,
      [],
    )
    .option("--to <where>", "earliest, latest, 42, s@<ms>, or a date")
    .option("--shift-by <count>", "so many records further; negative is back")
    .option("--execute", "do it")
    .action(async (groupId: string, flags: Flags) => {
      const target = parseSeekTarget(flags);
      await withClient(flags, async (client) => await seek(client, groupId, { flags, target }));
    });
}

async function seek(
  client: StrandlineClient,
  groupId: string,
  { flags, target }: { readonly flags: Flags; readonly target: SeekTarget },
): Promise<void> {
  await requireNoMembers(client, groupId);
  const committed = new Map(
    (await client.groups.fetchOffsets(groupId)).map((each) => [placeKey(each), each.offset]),
  );
  const moves: Move[] = [];
  for (const [topic, partitions] of await wantedPartitions(client, groupId, flags.topic)) {
    moves.push(...(await movesOf(client, { topic, partitions, target, committed })));
  }
  if (moves.length === 0) {
    throw new CommandError(EXIT.notFound, `group ${groupId} has committed nothing`, {
      hint: "--topic says which topics it is to read",
    });
  }
  if (flags.execute === true) {
    const refusals = await client.groups.commitOffsets(groupId, moves);
    for (const { error } of refusals) say(error.message);
    if (refusals.length > 0) process.exitCode = EXIT.failed;
  }
  await print(flags, groupId, moves);
  if (flags.execute !== true) say("dry run: nothing was changed; --execute does it");
}

async function requireNoMembers(client: StrandlineClient, groupId: string): Promise<void> {
  try {
    const { members, state } = await client.groups.describe(groupId);
    if (state === "Empty") return;
    throw new CommandError(
      EXIT.failed,
      `group ${groupId} has ${members.length} members (${state}): they would not notice`,
      { hint: "stop them first" },
    );
  } catch (error) {
    // A group may be told where to begin before it exists.
    if (!(error instanceof BrokerError) || error.code !== "GROUP_ID_NOT_FOUND") throw error;
  }
}

/** By topic. Throws a CommandError for a flag that cannot be read. */
async function wantedPartitions(
  client: StrandlineClient,
  groupId: string,
  topics: readonly string[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const wanted = new Map<string, number[]>();
  if (topics.length === 0) {
    for (const { topic, partition } of await client.groups.fetchOffsets(groupId)) {
      wanted.set(topic, [...(wanted.get(topic) ?? []), partition]);
    }
    return wanted;
  }
  for (const text of topics) {
    const [topic = "", list] = text.split(":");
    const partitions =
      list === undefined
        ? (await client.admin.describeTopic(topic)).partitions.map(({ partition }) => partition)
        : list.split(",").map((number) => integer(number, "--topic"));
    wanted.set(topic, partitions);
  }
  return wanted;
}

interface TopicSeek {
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly target: SeekTarget;
  readonly committed: ReadonlyMap<string, number>;
}

async function movesOf(client: StrandlineClient, seek: TopicSeek): Promise<Move[]> {
  const { topic, partitions, target, committed } = seek;
  const [starts, ends, times] = await Promise.all([
    client.admin.listOffsets({ topic, partitions, position: "earliest" }),
    client.admin.listOffsets({ topic, partitions, position: "latest" }),
    target.kind === "timestamp"
      ? client.admin.listOffsets({
          topic,
          partitions,
          position: { timestampMs: target.timestampMs },
        })
      : [],
  ]);
  return partitions.map((partition, at) => {
    const current = committed.get(placeKey({ topic, partition }));
    const start = starts[at]?.offset ?? 0;
    const end = ends[at]?.offset ?? 0;
    const offset = seekOffset(target, { current, start, end, ofTime: times[at]?.offset ?? -1 });
    return { topic, partition, current, offset };
  });
}

function placeKey({ topic, partition }: TopicPartitionName): string {
  return `${topic}/${partition}`;
}

async function print(flags: Flags, groupId: string, moves: readonly Move[]): Promise<void> {
  if (flags.format === "json") {
    const data = { groupId, isExecuted: flags.execute === true, offsets: moves };
    await writeData(`${JSON.stringify(data, undefined, 2)}\n`);
    return;
  }
  const headers = ["group", "topic", "partition", "current-offset", "new-offset"];
  const rows = moves.map(({ topic, partition, current, offset }) => [
    groupId,
    topic,
    partition,
    current ?? "-",
    offset,
  ]);
  await writeData(`${table(headers, rows).join("\n")}\n`);
}
