/** Options that every command against a cluster has, and the client they stand for. */
import type { StrandlineClient } from "@strandline/client";
import { type Command, Option } from "commander";
import { CommandError, EXIT } from "./exit-codes.js";
import type { OutputFormat } from "./output.js";

export const BROKERS_DEFAULT = "127.0.0.1:50051,127.0.0.1:50052,127.0.0.1:50053";

export interface ClusterFlags {
  readonly brokers: string;
  readonly timeout: string;
}

export interface FormatFlags {
  readonly format: OutputFormat;
}

export function withCluster(command: Command): Command {
  return command
    .addOption(
      new Option("-b, --brokers <list>", "gRPC addresses to begin with: host:port, comma-separated")
        .env("STRANDLINE_BROKERS")
        .default(BROKERS_DEFAULT),
    )
    .option("--timeout <seconds>", "give up on a request after this long", "30");
}

export function withFormat(command: Command): Command {
  return command.addOption(
    new Option("--format <format>", "how to print").choices(["table", "json"]).default("table"),
  );
}

/** Runs `work` with a client, and closes the client however it ends. */
export async function withClient<Result>(
  flags: ClusterFlags,
  work: (client: StrandlineClient) => Promise<Result>,
): Promise<Result> {
  const { connect } = await import("@strandline/client");
  const timeoutMs = Number(flags.timeout) * 1_000;
  if (!(timeoutMs > 0)) throw new CommandError(EXIT.usage, "--timeout must be a positive number");
  const client = connect({
    bootstrap: flags.brokers.split(",").map((address) => address.trim()),
    clientId: "strandline-cli",
    requestTimeoutMs: timeoutMs,
    // A person at a terminal has waited for the topic already.
    topicWaitMs: 1_000,
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Reads "name=value" flags. */
export function pairs(values: readonly string[], flag: string): Record<string, string> {
  const result: [string, string][] = [];
  for (const value of values) {
    const at = value.indexOf("=");
    if (at <= 0) throw new CommandError(EXIT.usage, `${flag} takes name=value, not "${value}"`);
    result.push([value.slice(0, at), value.slice(at + 1)]);
  }
  return Object.fromEntries(result);
}

export function integer(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new CommandError(EXIT.usage, `${flag} must be a whole number, not "${text}"`);
  }
  return value;
}

/** For commander: gathers a flag that may be given several times. */
export function gather(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
