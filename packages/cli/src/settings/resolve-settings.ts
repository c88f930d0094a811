/**
 * One value per setting, from where it counts most: flag, environment, file, default. Everything
 * that is wrong is gathered, each with the place where it was written.
 */
import { nearestName } from "@strandline/metadata";
import { flagOf, namesOf, type Setting, variableOf } from "./broker-settings.js";
import { parseProperties } from "./properties-file.js";

export interface SettingSources {
  /** Flags that were given, by key. */
  readonly flags: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file: { readonly path: string; readonly text: string } | undefined;
}

/** A value, and where it was written. */
export interface ResolvedValue {
  readonly value: string;
  /** "--node-id", "STRANDLINE_NODE_ID", "server.properties:3", "default". */
  readonly source: string;
}

export interface ResolvedSettings {
  /** By key; a setting without a default that nobody gave is not in it. */
  readonly values: ReadonlyMap<string, ResolvedValue>;
  /** Why this cannot be used, one sentence each. */
  readonly problems: readonly string[];
  /** What looks like a mistake, but may belong to somebody else. */
  readonly warnings: readonly string[];
}

export function resolveSettings(
  settings: readonly Setting[],
  sources: SettingSources,
): ResolvedSettings {
  const values = new Map<string, ResolvedValue>();
  const problems: string[] = [];
  const file = fileValues(settings, sources.file, problems);
  const environment = environmentValues(settings, sources.environment, problems);
  for (const setting of settings) {
    const flag = sources.flags.get(setting.key);
    const found =
      (flag === undefined ? undefined : { value: flag, source: flagOf(setting) }) ??
      environment.get(setting.key) ??
      file.get(setting.key) ??
      (setting.default === undefined ? undefined : { value: setting.default, source: "default" });
    if (found !== undefined) {
      values.set(setting.key, found);
      const problem = problemOf(setting, found.value);
      if (problem !== undefined) problems.push(`${found.source}: "${found.value}" ${problem}`);
    } else if (setting.isRequired === true) {
      problems.push(
        `${setting.key} is missing: give ${flagOf(setting)} <${setting.placeholder}>, ` +
          `${variableOf(setting.key)} in the environment, or ${setting.key}= in the file`,
      );
    }
  }
  return { values, problems, warnings: suspects(settings, sources.environment) };
}

function fileValues(
  settings: readonly Setting[],
  file: SettingSources["file"],
  problems: string[],
): Map<string, ResolvedValue> {
  const values = new Map<string, ResolvedValue>();
  if (file === undefined) return values;
  const parsed = parseProperties(file.text);
  problems.push(...parsed.problems.map(({ line, message }) => `${file.path}:${line}: ${message}`));
  const names = settings.flatMap(namesOf);
  for (const { key, value, line } of parsed.properties) {
    const source = `${file.path}:${line}`;
    const setting = settings.find((each) => namesOf(each).includes(key));
    if (setting === undefined) {
      const near = nearestName(key, names);
      const hint = near === undefined ? "" : `; did you mean "${near}"?`;
      problems.push(`${source}: there is no setting "${key}"${hint}`);
      continue;
    }
    addOnce(values, setting, { value, source }, problems);
  }
  return values;
}

function environmentValues(
  settings: readonly Setting[],
  environment: SettingSources["environment"],
  problems: string[],
): Map<string, ResolvedValue> {
  const values = new Map<string, ResolvedValue>();
  for (const setting of settings) {
    for (const name of namesOf(setting)) {
      const source = variableOf(name);
      const value = environment[source];
      // An empty variable is what a compose file leaves of one that nobody set.
      if (value === undefined || value === "") continue;
      addOnce(values, setting, { value, source }, problems);
    }
  }
  return values;
}

/** Two names of one setting in one place: which one is meant? */
function addOnce(
  values: Map<string, ResolvedValue>,
  setting: Setting,
  found: ResolvedValue,
  problems: string[],
): void {
  const before = values.get(setting.key);
  if (before === undefined) values.set(setting.key, found);
  else problems.push(`${found.source}: ${setting.key} is set already by ${before.source}`);
}

function problemOf(setting: Setting, value: string): string | undefined {
  if (setting.choices !== undefined && !setting.choices.includes(value)) {
    return `must be one of ${setting.choices.join(", ")}`;
  }
  if (value === "" && setting.isRequired === true) return "must not be empty";
  const problem = setting.check?.(value);
  // Kubernetes writes such variables for each Service into pods that ask for it.
  const isServiceLink = problem !== undefined && /^(tcp|udp):\/\//.test(value);
  return isServiceLink ? `${problem}; set enableServiceLinks: false in the pod` : problem;
}

/**
 * Variables that are almost the name of a setting. Not refused: the prefix is no secret, and
 * others, Kubernetes for one, write variables that begin with it.
 */
function suspects(
  settings: readonly Setting[],
  environment: SettingSources["environment"],
): string[] {
  const known = settings.flatMap(namesOf).map(variableOf);
  const isOther = /_PORT$|_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT_\d+_/;
  return Object.keys(environment)
    .filter((name) => name.startsWith("STRANDLINE_") && !known.includes(name))
    .filter((name) => !isOther.test(name) && !OTHERS.has(name))
    .map((name) => ({
      name,
      near: nearestName(
        name.slice(11),
        known.map((each) => each.slice(11)),
      ),
    }))
    .filter(({ near }) => near !== undefined)
    .map(({ name, near }) => `${name} is no setting; did you mean STRANDLINE_${near}?`);
}

/** Variables of other commands. */
const OTHERS: ReadonlySet<string> = new Set(["STRANDLINE_BROKERS", "STRANDLINE_CONFIG"]);
