/**
 * `strandline broker config`: what `broker start` would use here, and where each value is from; or
 * what a running broker uses.
 */
import { Command } from "commander";
import { CommandError, EXIT } from "../exit-codes.js";
import { type FormatFlags, withFormat } from "../global-options.js";
import { say, writeData } from "../output.js";
import { readSettings, withSettings } from "../settings/read-settings.js";
import { table } from "../table.js";

interface ConfigFlags extends FormatFlags {
  readonly broker?: string;
  readonly json?: boolean;
}

interface Row {
  readonly key: string;
  readonly value: string;
  readonly source: string;
}

const CALL_MS = 10_000;

export function brokerConfigCommand(): Command {
  const command = new Command("config")
    .description(
      "print the settings that `broker start` would use with the same flags, and their sources",
    )
    .option("--broker <host:port>", "those of the running broker with this gRPC address instead")
    .option("--json", "print JSON, as --format json does");
  return withFormat(withSettings(command)).action(
    async (flags: ConfigFlags & Record<string, unknown>) => {
      const rows = flags.broker === undefined ? await rowsHere(flags) : await rowsOf(flags.broker);
      const lines =
        flags.json === true || flags.format === "json"
          ? [JSON.stringify(rows)]
          : table(
              ["key", "value", "source"],
              rows.map((row) => [row.key, row.value, row.source]),
            );
      await writeData(`${lines.join("\n")}\n`);
    },
  );
}

async function rowsHere(flags: Record<string, unknown>): Promise<Row[]> {
  const { values, warnings } = await readSettings(flags);
  for (const warning of warnings) say(`warning: ${warning}`);
  return [...values].map(([key, { value, source }]) => ({ key, value, source }));
}

/** Of the one that answers there: a client would go to whichever it likes. */
async function rowsOf(address: string): Promise<Row[]> {
  const { GrpcTransport, adminMethods } = await import("@strandline/rpc");
  const { nullLogger } = await import("@strandline/platform");
  const { parseHostPort } = await import("@strandline/server");
  if (parseHostPort(address) === undefined) {
    throw new CommandError(EXIT.usage, `--broker: "${address}" is not host:port`);
  }
  const transport = new GrpcTransport({ logger: nullLogger });
  try {
    const { entries } = await transport.call(
      address,
      adminMethods.describeConfigs,
      { resource: { type: "TYPE_BROKER", name: "self" } },
      { timeoutMs: CALL_MS },
    );
    return entries.map(({ name, value, source }) => ({
      key: name,
      value,
      source: SOURCES[source] ?? source,
    }));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(EXIT.unreachable, why, {
      cause: error,
      hint: "--broker takes the gRPC address of a broker; `strandline cluster info` lists them",
    });
  } finally {
    await transport.close();
  }
}

/** As people say it. */
const SOURCES: Readonly<Record<string, string>> = {
  broker: "set for this broker",
  cluster: "set for all brokers",
  static: "written at the start",
};
