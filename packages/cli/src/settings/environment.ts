/**
 * Settings in the environment. `STRANDLINE_` is ours: what begins with it and is no setting is a
 * mistake. `KAFKA_` is everybody's: scripts, the JVM's options and applications use it for much that
 * is no setting of a broker, so only what names one counts, and the rest passes.
 */
import { nearestName } from "@strandline/metadata";
import { namesOf, type Setting, variableOf } from "./setting.js";
import { WITHOUT_EFFECT } from "./without-effect.js";

export const OWN_PREFIX = "STRANDLINE_";
export const KAFKA_PREFIX = "KAFKA_";

export type Environment = Readonly<Record<string, string | undefined>>;

/** One value, under the name it was given. */
export interface WrittenSetting {
  readonly name: string;
  readonly value: string;
  readonly source: string;
}

/** Variables with our prefix that are not a node's settings. */
const OTHERS: ReadonlySet<string> = new Set([
  // Of other commands.
  "STRANDLINE_BROKERS",
  "STRANDLINE_CONFIG",
  // Of the compose file.
  "STRANDLINE_IMAGE",
  "STRANDLINE_BUILD_NETWORK",
]);

/** The official image's name for the cluster's id, without a prefix. */
const CLUSTER_ID = "CLUSTER_ID";

export function environmentSettings(
  settings: readonly Setting[],
  environment: Environment,
): WrittenSetting[] {
  const written: WrittenSetting[] = [];
  const take = (name: string, source: string): void => {
    const value = environment[source];
    // An empty variable is what a compose file leaves of one that nobody set.
    if (value !== undefined && value !== "") written.push({ name, value, source });
  };
  for (const setting of settings) {
    for (const name of namesOf(setting)) take(name, variableOf(name, OWN_PREFIX));
    for (const name of setting.kafkaNames ?? []) take(name, variableOf(name, KAFKA_PREFIX));
    if (setting.key === "cluster.id") take(setting.key, CLUSTER_ID);
  }
  return written;
}

/** Why variables cannot stand, a sentence each. */
export function environmentProblems(
  settings: readonly Setting[],
  environment: Environment,
): string[] {
  const names = settings.flatMap(namesOf);
  const known = new Set(names.map((name) => variableOf(name, OWN_PREFIX)));
  const given = Object.entries(environment).filter(([, value]) => (value ?? "") !== "");
  const protection = given
    .filter(([name]) => PROTECTION.test(name))
    .map(([name]) => `${name}: there is no encryption, authentication or authorization yet`);
  const unknown = given
    .filter(([name]) => name.startsWith(OWN_PREFIX))
    .filter(([name]) => !known.has(name) && !OTHERS.has(name))
    .filter(([name, value]) => !isServiceLink(name, value ?? ""))
    .map(([name]) => `${name}: there is no such setting${hint(name, OWN_PREFIX, names)}`);
  return [...unknown, ...protection];
}

/**
 * What would protect a broker of Kafka's, under its prefix. Refused: a broker that starts open where
 * its operator asked for protection is worse than one that does not start.
 */
const PROTECTION =
  /^KAFKA_(SSL_(KEYSTORE|TRUSTSTORE|CLIENT_AUTH)|SASL_ENABLED|SASL_MECHANISM_INTER|AUTHORIZER_|SUPER_USERS|SECURITY_INTER|LISTENER_NAME_)/;

/** What looks like a mistake among the variables that everybody may write. */
export function environmentWarnings(
  settings: readonly Setting[],
  environment: Environment,
): string[] {
  const names = settings.flatMap((setting) => setting.kafkaNames ?? []);
  const known = new Set(names.map((name) => variableOf(name, KAFKA_PREFIX)));
  const idle = new Map(
    WITHOUT_EFFECT.map(({ key, reason }) => [variableOf(key, KAFKA_PREFIX), { key, reason }]),
  );
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(KAFKA_PREFIX) || known.has(name) || value === undefined) continue;
    const without = idle.get(name);
    if (without !== undefined) {
      warnings.push(`${name}: ${without.key} has no effect here: ${without.reason}`);
      continue;
    }
    const near = hint(name, KAFKA_PREFIX, names);
    if (near !== "") warnings.push(`${name} is no setting${near}`);
  }
  return warnings;
}

function hint(variable: string, prefix: string, names: readonly string[]): string {
  const near = nearestName(
    variable.slice(prefix.length),
    names.map((name) => variableOf(name, "")),
  );
  return near === undefined ? "" : `; did you mean ${prefix}${near}?`;
}

/** As Kubernetes writes them, for each Service, into pods that ask for it. */
function isServiceLink(name: string, value: string): boolean {
  if (/_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT_\d+_(TCP|UDP|SCTP)/.test(name)) return true;
  return name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value);
}
