/** Checks settings that come from outside, and makes their records. */

import { type ConfigSpec, configProblem } from "../config-spec.js";
import { type Refused, refuse } from "../decision.js";
import { KEPT_CONFIGS } from "../kept-configs.js";
import { nearestName } from "../nearest-name.js";
import type { ConfigRemovedRecord, ConfigSetRecord } from "../records.js";
import { CLUSTER_CONFIGS, TOPIC_CONFIGS } from "../topic-configs.js";

export type Settings = Readonly<Record<string, string>>;

/** Returns the first problem of settings, undefined when all are legal. */
export function settingsRefusal(
  settings: Settings,
  specOf: (name: string) => ConfigSpec | undefined,
): Refused | undefined {
  for (const [name, value] of Object.entries(settings)) {
    const spec = specOf(name);
    if (spec === undefined) return unknownSetting(name);
    const problem = configProblem(spec, value);
    if (problem !== undefined) return refuse("INVALID_CONFIG", problem);
  }
  return undefined;
}

/** Refuses a setting that does not exist, and names the one that may be meant. */
export function unknownSetting(name: string): Refused {
  const names = [...TOPIC_CONFIGS, ...CLUSTER_CONFIGS, ...KEPT_CONFIGS].map((spec) => spec.name);
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return refuse("INVALID_CONFIG", `there is no setting "${name}"${hint}`);
}

/** Records for what differs from the present settings. Names in order, so logs compare. */
export function settingRecords(
  resource: string,
  present: ReadonlyMap<string, string> | undefined,
  change: { readonly set: Settings; readonly remove: readonly string[] },
): (ConfigSetRecord | ConfigRemovedRecord)[] {
  const records: (ConfigSetRecord | ConfigRemovedRecord)[] = [];
  for (const [name, value] of Object.entries(change.set).sort(byName)) {
    if (present?.get(name) === value) continue;
    records.push({ type: "config-set", version: 1, resource, name, value });
  }
  for (const name of [...new Set(change.remove)].sort()) {
    if (present?.has(name) !== true) continue;
    records.push({ type: "config-removed", version: 1, resource, name });
  }
  return records;
}

function byName(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
