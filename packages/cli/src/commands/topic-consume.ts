/** `strandline topic consume`: records to standard output. */
import type { ConsumerRecord, StrandlineClient } from "@strandline/client";
import { Command } from "commander";
import { CommandError, EXIT } from "../exit-codes.js";
import { type ClusterFlags, gather, integer, withClient, withCluster } from "../global-options.js";
import { say, writeData } from "../output.js";
import { recordFormat, recordJson } from "../record-format.js";
import { parseReadRange, type StartPosition } from "../start-position.js";
import { consumeAsMember } from "./topic-consume-group.js";

interface ConsumeFlags extends ClusterFlags {
  readonly offset: string[];
  readonly count?: string;
  readonly exit?: boolean;
  readonly format: string;
  readonly group?: string;
  readonly json?: boolean;
  readonly partition: string[];
  readonly quiet?: boolean;
}

/** Output is gathered up to this much before it is written. Bytes. */
const WRITE_BYTES = 64 * 1024;

export function topicConsumeCommand(): Command {
  return withCluster(new Command("consume"))
    .description("print the records of a topic")
    .argument("<topic>")
    .option(
      "-o, --offset <offset>",
      "where to begin: beginning, end, 42, -10 (before the end), s@<ms>; e@<ms>: where to stop",
      gather,
      [],
    )
    .option("-n, --count <count>", "stop after so many records")
    .option("-e, --exit", "stop at the end, as it is now")
    .option("-g, --group <group>", "as a member of this group, from where it has committed")
    .option("-f, --format <format>", "kcat's tokens: %t %p %o %k %v %h %T %d %K %S", "%v\\n")
    .option("-J, --json", "one JSON object per record")
    .option("-p, --partition <number>", "only this partition; may be repeated", gather, [])
    .option("-q, --quiet", "no summary")
    .action(async (topic: string, flags: ConsumeFlags) => await consume(topic, flags));
}

async function consume(topic: string, flags: ConsumeFlags): Promise<void> {
  const range = parseReadRange(flags.offset);
  const countMax =
    flags.count === undefined ? Number.POSITIVE_INFINITY : integer(flags.count, "--count");
  const format = flags.json === true ? undefined : recordFormat(flags.format);
  const print = (record: ConsumerRecord): Uint8Array =>
    format === undefined ? Buffer.from(`${recordJson(record)}\n`) : format(record);
  if (flags.group !== undefined) {
    await consumeInGroup(topic, flags.group, { flags, start: range.start, countMax, print });
    return;
  }
  await withClient(flags, async (client) => {
    const described = await client.admin.describeTopic(topic);
    const partitions = wantedPartitions(flags.partition, described.partitions.length, topic);
    const stop = new AbortController();
    const onSignal = (): void => stop.abort();
    process.once("SIGINT", onSignal);
    process.once("SIGTERM", onSignal);
    const consumer = client.consumer({ stopAtEnd: flags.exit === true });
    let printed = 0;
    try {
      await consumer.assign(await assignment(client, topic, partitions, range.start));
      const open = new Set(partitions);
      let pending: Uint8Array[] = [];
      let pendingBytes = 0;
      const flush = async (): Promise<void> => {
        if (pendingBytes === 0) return;
        const chunk = Buffer.concat(pending);
        pending = [];
        pendingBytes = 0;
        await writeData(chunk);
      };
      for await (const batch of consumer.batches({ signal: stop.signal })) {
        for (const record of batch.records) {
          if (printed >= countMax) break;
          if (range.endTimestampMs !== undefined && record.timestampMs >= range.endTimestampMs) {
            open.delete(record.partition);
            break;
          }
          const bytes = print(record);
          pending.push(bytes);
          pendingBytes += bytes.length;
          printed += 1;
          if (pendingBytes >= WRITE_BYTES) await flush();
        }
        await flush();
        if (printed >= countMax || open.size === 0) break;
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
      await consumer.close();
    }
    if (flags.quiet !== true) say(`${printed} records`);
    if (stop.signal.aborted) process.exitCode = EXIT.interrupted;
  });
}

interface GroupReading {
  readonly flags: ConsumeFlags;
  readonly start: StartPosition;
  readonly countMax: number;
  readonly print: (record: ConsumerRecord) => Uint8Array;
}

async function consumeInGroup(
  topic: string,
  groupId: string,
  { flags, ...reading }: GroupReading,
): Promise<void> {
  if (flags.exit === true || flags.partition.length > 0) {
    throw new CommandError(EXIT.usage, "--group decides what is read: no --partition, no --exit");
  }
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  const { signal } = stop;
  const printed = await withClient(flags, async (client) => {
    return await consumeAsMember(client, { topic, groupId, signal, ...reading });
  });
  process.off("SIGINT", onSignal);
  process.off("SIGTERM", onSignal);
  if (flags.quiet !== true) say(`${printed} records`);
  if (signal.aborted) process.exitCode = EXIT.interrupted;
}

function wantedPartitions(asked: readonly string[], count: number, topic: string): number[] {
  if (asked.length === 0) return Array.from({ length: count }, (_, partition) => partition);
  return asked.map((text) => {
    const partition = integer(text, "--partition");
    if (partition < count) return partition;
    throw new CommandError(
      EXIT.notFound,
      `${topic} has partitions 0 to ${count - 1}, not ${partition}`,
    );
  });
}

async function assignment(
  client: StrandlineClient,
  topic: string,
  partitions: readonly number[],
  start: StartPosition,
) {
  if (start.kind === "earliest" || start.kind === "latest") {
    return partitions.map((partition) => ({ topic, partition, start: start.kind }));
  }
  if (start.kind === "offset") {
    return partitions.map((partition) => ({ topic, partition, start: { offset: start.offset } }));
  }
  if (start.kind === "timestamp") {
    const { timestampMs } = start;
    return partitions.map((partition) => ({ topic, partition, start: { timestampMs } }));
  }
  const [starts, ends] = await Promise.all([
    client.admin.listOffsets({ topic, partitions, position: "earliest" }),
    client.admin.listOffsets({ topic, partitions, position: "latest" }),
  ]);
  return partitions.map((partition, at) => {
    const first = starts[at]?.offset ?? 0;
    const offset = Math.max(first, (ends[at]?.offset ?? 0) - start.count);
    return { topic, partition, start: { offset } };
  });
}
