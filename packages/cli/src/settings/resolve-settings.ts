/**
 * One value per setting, from where it counts most: flag, environment, file, default. Everything
 * that is wrong is gathered, each with the place where it was written.
 */
import { nearestName } from "@strandline/metadata";
import {
  type Environment,
  environmentProblems,
  environmentSettings,
  environmentWarnings,
  type WrittenSetting,
} from "./environment.js";
import { factorOf, flagOf, namesOf, type Setting, variableOf } from "./setting.js";
import { readSettingsFile } from "./settings-file.js";
import { WITHOUT_EFFECT } from "./without-effect.js";

export interface SettingSources {
  /** Flags that were given, by key. */
  readonly flags: ReadonlyMap<string, string>;
  /** What `--set` was given: "key=value" each. */
  readonly sets: readonly string[];
  readonly environment: Environment;
  readonly file: { readonly path: string; readonly text: string } | undefined;
}

/** A value, and where it was written. */
export interface ResolvedValue {
  readonly value: string;
  /** "--node-id", "--set", "STRANDLINE_NODE_ID", "server.properties:3", "default". */
  readonly source: string;
}

export interface ResolvedSettings {
  /** By key; a setting without a default that nobody gave is not in it. */
  readonly values: ReadonlyMap<string, ResolvedValue>;
  /** Why this cannot be used, one sentence each. */
  readonly problems: readonly string[];
  /** What looks like a mistake, but may belong to somebody else, or to Kafka. */
  readonly warnings: readonly string[];
}

/** `source` of a value that nobody wrote. */
export const DEFAULT_SOURCE = "default";

export function resolveSettings(
  settings: readonly Setting[],
  sources: SettingSources,
): ResolvedSettings {
  const gathered = new Gathered(settings);
  const flags = gathered.valuesOf(flagSettings(settings, sources, gathered));
  const environment = gathered.valuesOf(environmentSettings(settings, sources.environment));
  const file = gathered.valuesOf(fileSettings(sources.file, gathered));
  const values = new Map<string, ResolvedValue>();
  gathered.problems.push(...environmentProblems(settings, sources.environment));
  gathered.warnings.push(...environmentWarnings(settings, sources.environment));
  for (const setting of settings) {
    const { key } = setting;
    const found = flags.get(key) ?? environment.get(key) ?? file.get(key) ?? defaultOf(setting);
    if (found !== undefined) {
      values.set(key, found);
      const problem = problemOf(setting, found.value);
      if (problem !== undefined) gathered.problems.push(`${found.source}: ${problem}`);
    } else if (setting.isRequired === true) {
      gathered.problems.push(
        `${knownAs(setting)} is missing: give ${flagOf(setting)} <${setting.placeholder}>, ` +
          `${variableOf(key)} in the environment, or ${key}= in the file`,
      );
    }
  }
  return { values, problems: gathered.problems, warnings: gathered.warnings };
}

/** Turns what is written into values of settings, and remembers what is wrong with it. */
class Gathered {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly #settings = new Map<string, Setting>();
  readonly #idle = new Map(WITHOUT_EFFECT.map(({ key, reason }) => [key, reason]));

  constructor(settings: readonly Setting[]) {
    for (const setting of settings) {
      for (const name of namesOf(setting)) this.#settings.set(name, setting);
    }
  }

  /** Takes what names a setting; says what does not. */
  admit(written: readonly WrittenSetting[]): WrittenSetting[] {
    return written.filter(({ name, source }) => {
      if (this.#settings.has(name)) return true;
      const reason = this.#idle.get(name);
      if (reason !== undefined) {
        this.warnings.push(`${source}: ${name} has no effect here: ${reason}`);
        return false;
      }
      const near = nearestName(name, [...this.#settings.keys()]);
      const hint = near === undefined ? "" : `; did you mean "${near}"?`;
      this.problems.push(`${source}: there is no setting "${name}"${hint}`);
      return false;
    });
  }

  /** The values written in one place. Names of one setting in one place must agree. */
  valuesOf(written: readonly WrittenSetting[]): Map<string, ResolvedValue> {
    const chosen = new Map<string, { readonly rank: number; readonly found: ResolvedValue }>();
    for (const each of written) {
      const setting = this.#settings.get(each.name);
      if (setting === undefined) continue;
      const found = this.#inKeysUnit(setting, each);
      const rank = rankOf(setting, each.name);
      const before = chosen.get(setting.key);
      if (before === undefined || rank < before.rank) {
        chosen.set(setting.key, { rank, found });
      } else if (rank === before.rank && before.found.value !== found.value) {
        this.problems.push(
          `${found.source}: ${setting.key} is set already by ${before.found.source}`,
        );
      }
    }
    return new Map([...chosen].map(([key, { found }]) => [key, found]));
  }

  #inKeysUnit(setting: Setting, { name, value, source }: WrittenSetting): ResolvedValue {
    const factor = factorOf(setting, name);
    if (factor === 1) return { value, source };
    if (/^-?\d{1,19}$/.test(value)) {
      const number = BigInt(value);
      // "No limit" is the same in every unit.
      return { value: String(number < 0n ? number : number * BigInt(factor)), source };
    }
    this.problems.push(`${source}: ${name} must be an integer, not "${value}"`);
    return { value: setting.default ?? "", source };
  }
}

/** 0 for the key and its aliases; each larger unit counts less. */
function rankOf(setting: Setting, name: string): number {
  return 1 + (setting.synonyms ?? []).findIndex((synonym) => synonym.name === name);
}

function flagSettings(
  settings: readonly Setting[],
  sources: SettingSources,
  gathered: Gathered,
): WrittenSetting[] {
  const written: WrittenSetting[] = [];
  for (const setting of settings) {
    const value = sources.flags.get(setting.key);
    if (value === undefined) continue;
    written.push({ name: setting.key, value, source: flagOf(setting) ?? setting.key });
  }
  const sets: WrittenSetting[] = [];
  for (const text of sources.sets) {
    const equals = text.indexOf("=");
    const name = text.slice(0, Math.max(0, equals)).trim();
    if (name === "") gathered.problems.push(`--set: "${text}" is not key=value`);
    else sets.push({ name, value: text.slice(equals + 1).trim(), source: `--set ${name}` });
  }
  return [...written, ...gathered.admit(sets)];
}

function fileSettings(file: SettingSources["file"], gathered: Gathered): WrittenSetting[] {
  if (file === undefined) return [];
  const { properties, problems } = readSettingsFile(file.path, file.text);
  gathered.problems.push(
    ...problems.map(({ line, message }) => `${file.path}:${line}: ${message}`),
  );
  return gathered.admit(
    properties.map(({ key, value, line }) => ({
      name: key,
      value,
      source: `${file.path}:${line}`,
    })),
  );
}

function defaultOf(setting: Setting): ResolvedValue | undefined {
  return setting.default === undefined
    ? undefined
    : { value: setting.default, source: DEFAULT_SOURCE };
}

/** The key, and what it is called in a file written for Kafka. */
function knownAs({ key, kafkaNames = [] }: Setting): string {
  return kafkaNames.length === 0 || kafkaNames.includes(key) ? key : `${key} (${kafkaNames[0]})`;
}

function problemOf(setting: Setting, value: string): string | undefined {
  if (setting.choices !== undefined && !setting.choices.includes(value)) {
    return `${setting.key} must be one of ${setting.choices.join(", ")}, not "${value}"`;
  }
  if (value === "" && setting.isRequired === true) return `${setting.key} must not be empty`;
  const problem = setting.check?.(value);
  // Kubernetes writes such variables for each Service into pods that ask for it.
  const isServiceLink = problem !== undefined && /^(tcp|udp):\/\//.test(value);
  return isServiceLink ? `${problem}; set enableServiceLinks: false in the pod` : problem;
}
