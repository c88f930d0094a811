/** Settings of a command that is about one node: its flags, its file, its environment. */
import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { CommandError, EXIT } from "../exit-codes.js";
import { gather } from "../global-options.js";
import type { Environment } from "./environment.js";
import { NODE_SETTINGS } from "./node-settings.js";
import { relationProblems } from "./relations.js";
import type { ResolvedSettings } from "./resolve-settings.js";
import { flagOf, type Setting } from "./setting.js";

/** Adds `--config` and `--set`, for a command that is about several nodes. */
export function withConfig(command: Command): Command {
  return command.addOption(configOption()).addOption(setOption());
}

function configOption(): Option {
  return new Option(
    "--config <file>",
    "settings: key=value lines, or .yaml, .json; the environment and flags win",
  );
}

function setOption(): Option {
  return new Option("-X, --set <key=value>", "any setting, by Kafka's name; may be given often")
    .argParser(gather)
    .default([], "none");
}

/** Adds `--config`, `--set`, and a flag for each setting that has one. */
export function withSettings(command: Command): Command {
  command.addOption(configOption().env("STRANDLINE_CONFIG")).addOption(setOption());
  for (const setting of NODE_SETTINGS) {
    const value = setting.placeholder === undefined ? "" : ` <${setting.placeholder}>`;
    const notes = [
      ...(setting.choices !== undefined && value !== "" ? [setting.choices.join(", ")] : []),
      ...(setting.default === undefined ? [] : [`default: ${setting.default}`]),
    ];
    const note = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
    // No default here: it would hide whether the flag was given.
    command.addOption(new Option(`${flagOf(setting)}${value}`, `${setting.description}${note}`));
  }
  return command;
}

/** Throws with everything that is wrong, a line each. */
export async function readSettings(
  flags: Readonly<Record<string, unknown>>,
  environment: Environment = process.env,
): Promise<ResolvedSettings> {
  const { resolveSettings } = await import("./resolve-settings.js");
  const { BROKER_SETTINGS } = await import("./kafka-settings.js");
  const given = NODE_SETTINGS.flatMap((setting): [string, string][] => {
    const value = flags[attributeOf(setting)];
    return value === undefined ? [] : [[setting.key, String(value)]];
  });
  const path = flags["config"];
  const resolved = resolveSettings(BROKER_SETTINGS, {
    flags: new Map(given),
    sets: (flags["set"] as readonly string[] | undefined) ?? [],
    environment,
    file: typeof path === "string" ? { path, text: readConfig(path) } : undefined,
  });
  const problems = [...resolved.problems, ...relationProblems(resolved.values)];
  if (problems.length > 0) {
    // What is missing may be what a warning knows to be misspelt.
    const warnings = resolved.warnings.map((warning) => `warning: ${warning}`);
    throw new CommandError(EXIT.usage, [...problems, ...warnings].join("\n"));
  }
  return resolved;
}

function readConfig(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new CommandError(
      isMissing ? EXIT.notFound : EXIT.failed,
      `--config: ${isMissing ? `there is no file ${path}` : (error as Error).message}`,
      { cause: error },
    );
  }
}

/** As commander names a flag among its results. */
function attributeOf(setting: Setting): string {
  return new Option(flagOf(setting) ?? "").attributeName();
}
