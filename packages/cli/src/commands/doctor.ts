/** `strandline doctor`: what clients are told, and whether it leads where it should. */
import { Command } from "commander";
import { type Finding, findingLines } from "../doctor/finding.js";
import { CommandError, EXIT } from "../exit-codes.js";
import { type FormatFlags, withFormat } from "../global-options.js";
import { say, writeData } from "../output.js";
import { readSettings, withSettings } from "../settings/read-settings.js";

interface DoctorFlags extends FormatFlags {
  readonly bootstrap?: string;
  readonly timeout: string;
  readonly json?: boolean;
}

export function doctorCommand(): Command {
  const command = new Command("doctor")
    .description("say what each listener tells clients, and dial it; exit code 1 if that fails")
    .option("--bootstrap <list>", "look at a running cluster: host:port of brokers, Kafka or gRPC")
    .option("--timeout <seconds>", "wait so long for each answer", "3")
    .option("--json", "print JSON, as --format json does")
    .addHelpText(
      "after",
      "\nWithout --bootstrap it looks at the configuration that `broker start` would use with the same" +
        "\nflags, environment and file: before the first start, or beside the running node.",
    );
  return withFormat(withSettings(command)).action(
    async (flags: DoctorFlags & Record<string, unknown>) => await doctor(flags),
  );
}

async function doctor(flags: DoctorFlags & Record<string, unknown>): Promise<void> {
  const timeoutMs = Number(flags.timeout) * 1_000;
  if (!(timeoutMs > 0)) throw new CommandError(EXIT.usage, "--timeout must be a positive number");
  const findings =
    flags.bootstrap === undefined
      ? await lookAtConfig(flags, timeoutMs)
      : await lookAtCluster(flags.bootstrap, timeoutMs);
  const isJson = flags.json === true || flags.format === "json";
  const lines = isJson ? [JSON.stringify(findings)] : findingLines(findings);
  await writeData(`${lines.join("\n")}\n`);
  const failed = findings.filter(({ status }) => status === "fail").length;
  if (failed === 0) return;
  throw new CommandError(
    EXIT.failed,
    failed === 1 ? "one thing is wrong" : `${failed} things are wrong`,
  );
}

async function lookAtConfig(flags: Record<string, unknown>, timeoutMs: number): Promise<Finding[]> {
  const settings = await readSettings(flags);
  for (const warning of settings.warnings) say(`warning: ${warning}`);
  const { nodeConfigOf } = await import("../settings/node-config-of.js");
  const { checkConfig } = await import("../doctor/check-config.js");
  return await checkConfig(nodeConfigOf(settings), timeoutMs);
}

async function lookAtCluster(bootstrap: string, timeoutMs: number): Promise<Finding[]> {
  const { parseHostPort } = await import("@strandline/server");
  const { checkCluster } = await import("../doctor/check-cluster.js");
  const addresses = bootstrap.split(",").map((part) => {
    const address = parseHostPort(part.trim());
    if (address !== undefined) return address;
    throw new CommandError(EXIT.usage, `--bootstrap: "${part.trim()}" is not host:port`);
  });
  return await checkCluster(addresses, timeoutMs);
}
