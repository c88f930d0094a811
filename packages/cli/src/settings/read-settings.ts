/** Settings of a command that is about one node: its flags, its file, its environment. */
import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { CommandError, EXIT } from "../exit-codes.js";
import { flagOf, type Setting } from "./broker-settings.js";
import type { ResolvedSettings } from "./resolve-settings.js";

/** Adds `--config` and a flag for each setting. */
export function withSettings(command: Command, settings: readonly Setting[]): Command {
  command.addOption(
    new Option("--config <file>", "settings as key=value lines; flags and STRANDLINE_… win").env(
      "STRANDLINE_CONFIG",
    ),
  );
  for (const setting of settings) {
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
  settings: readonly Setting[],
  flags: Readonly<Record<string, unknown>>,
): Promise<ResolvedSettings> {
  const { resolveSettings } = await import("./resolve-settings.js");
  const given = settings.flatMap((setting): [string, string][] => {
    const value = flags[attributeOf(setting)];
    return value === undefined ? [] : [[setting.key, String(value)]];
  });
  const path = flags["config"];
  const resolved = resolveSettings(settings, {
    flags: new Map(given),
    environment: process.env,
    file: typeof path === "string" ? { path, text: readConfig(path) } : undefined,
  });
  if (resolved.problems.length > 0) {
    throw new CommandError(EXIT.usage, resolved.problems.join("\n"));
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
  return new Option(flagOf(setting)).attributeName();
}
