/** `strandline topic produce`: lines of a file or of standard input, as records. */
import { createReadStream, statSync } from "node:fs";
import type { Producer } from "@strandline/client";
import { Command, Option } from "commander";
import { CommandError, EXIT } from "../exit-codes.js";
import {
  type ClusterFlags,
  gather,
  integer,
  pairs,
  withClient,
  withCluster,
} from "../global-options.js";
import { type InputRecord, inputReader } from "../input-record.js";
import { LineSplitter } from "../line-splitter.js";
import { say, writeData } from "../output.js";
import { Progress } from "../progress.js";
import { separatorBytes } from "../record-format.js";

interface ProduceFlags extends ClusterFlags {
  readonly keySeparator?: string;
  readonly delimiter: string;
  readonly key?: string;
  readonly header: string[];
  readonly json?: boolean;
  readonly emptyIsNull?: boolean;
  readonly partition?: string;
  readonly acks: "all" | "leader" | "none";
  readonly compression: "none" | "gzip" | "snappy" | "lz4" | "zstd";
  readonly lingerMs: string;
  readonly report?: boolean;
  readonly quiet?: boolean;
}

export function topicProduceCommand(): Command {
  return withCluster(new Command("produce"))
    .description("produce the lines of a file, or of standard input")
    .argument("<topic>")
    .argument("[file]", "a file, or - for standard input", "-")
    .option("-k, --key-separator <text>", "each line is <key><text><value>")
    .option("-d, --delimiter <text>", "what ends a record", "\\n")
    .option("--key <text>", "key of every record that has none of its own")
    .option("-H, --header <name=value>", "a header of every record; may be repeated", gather, [])
    .option("--json", "each line is a JSON object with value, key, headers, partition, timestampMs")
    .option("--empty-is-null", "an empty value is a tombstone")
    .option("-p, --partition <number>", "the partition, instead of the key's choice")
    .addOption(
      new Option("--acks <acks>", "who must have it")
        .choices(["all", "leader", "none"])
        .default("all"),
    )
    .addOption(
      new Option("-z, --compression <codec>", "how to compress")
        .choices(["none", "gzip", "snappy", "lz4", "zstd"])
        .default("none"),
    )
    .option("--linger-ms <ms>", "wait this long for more records of a batch", "5")
    .option("--report", "print partition and offset of each record, in input order")
    .option("-q, --quiet", "no progress and no summary")
    .action(async (topic: string, file: string, flags: ProduceFlags) => {
      await produce(topic, file, flags);
    });
}

async function produce(topic: string, file: string, flags: ProduceFlags): Promise<void> {
  const read = inputReader({
    keySeparator: flags.keySeparator === undefined ? undefined : separatorBytes(flags.keySeparator),
    key: flags.key,
    headers: pairs(flags.header, "--header"),
    isJson: flags.json === true,
    emptyIsNull: flags.emptyIsNull === true,
  });
  const partition =
    flags.partition === undefined ? undefined : integer(flags.partition, "--partition");
  const delimiter = separatorBytes(flags.delimiter);
  const source = openSource(file);
  await withClient(flags, async (client) => {
    // Before the first line is read: a wrong name should not wait for input.
    await client.admin.describeTopic(topic);
    const producer = client.producer({
      acks: flags.acks,
      compression: flags.compression,
      lingerMs: integer(flags.lingerMs, "--linger-ms"),
    });
    const isShown = process.stderr.isTTY && flags.quiet !== true;
    const progress = new Progress(source.sizeBytes, isShown);
    const upload = new Upload(
      producer,
      { topic, partition, isReported: flags.report === true },
      progress,
    );
    let lineNumber = 0;
    const lines: InputRecord[] = [];
    const splitter = new LineSplitter(delimiter, (line) => {
      lineNumber += 1;
      lines.push(read(line, lineNumber));
    });
    for await (const chunk of source.stream) {
      splitter.push(chunk as Buffer);
      await upload.sendAll(lines.splice(0));
    }
    splitter.end();
    await upload.sendAll(lines.splice(0));
    await upload.finish();
    const summary = progress.finish("produced");
    if (flags.quiet !== true) say(summary);
  });
}

/** Sends in order, keeps a bounded number of answers waiting, and remembers the first failure. */
class Upload {
  readonly #producer: Producer;
  readonly #options: { topic: string; partition: number | undefined; isReported: boolean };
  readonly #progress: Progress;
  #reported: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(
    producer: Producer,
    options: { topic: string; partition: number | undefined; isReported: boolean },
    progress: Progress,
  ) {
    this.#producer = producer;
    this.#options = options;
    this.#progress = progress;
  }

  async sendAll(records: readonly InputRecord[]): Promise<void> {
    for (const record of records) {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#producer.ready();
      this.#send(record);
    }
  }

  async finish(): Promise<void> {
    await this.#producer.flush();
    await this.#reported;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #send(record: InputRecord): void {
    const partition = record.partition ?? this.#options.partition;
    const sent = this.#producer.send({
      topic: this.#options.topic,
      key: record.key,
      value: record.value,
      headers: record.headers,
      ...(partition === undefined ? {} : { partition }),
      ...(record.timestampMs === undefined ? {} : { timestampMs: record.timestampMs }),
    });
    const sizeBytes = (record.key?.length ?? 0) + (record.value?.length ?? 0) + 1;
    sent.then(
      () => this.#progress.add(1, sizeBytes),
      (error: unknown) => {
        this.#failure ??= error;
      },
    );
    if (!this.#options.isReported) return;
    this.#reported = this.#reported.then(async () => {
      try {
        const stored = await sent;
        await writeData(`${stored.partition}\t${stored.offset}\n`);
      } catch {
        // Kept as the failure already.
      }
    });
  }
}

function openSource(file: string): {
  stream: AsyncIterable<unknown>;
  sizeBytes: number | undefined;
} {
  if (file === "-") return { stream: process.stdin, sizeBytes: undefined };
  try {
    const { size } = statSync(file);
    return { stream: createReadStream(file, { highWaterMark: 256 * 1024 }), sizeBytes: size };
  } catch (error) {
    throw new CommandError(EXIT.notFound, `cannot read ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
