/** What a node is started with, from its settings. */
import { hostname } from "node:os";
import { BrokerSettings } from "@strandline/metadata";
import { type NodeConfig, parseVoters } from "@strandline/server";
import { CommandError, EXIT } from "../exit-codes.js";
import { VERSION } from "../version.js";
import { KAFKA_KEYS } from "./kafka-settings.js";
import { listenersOf } from "./listeners-of.js";
import { ORDINAL } from "./node-settings.js";
import { ordinalOf } from "./ordinal.js";
import { isBroker } from "./relations.js";
import { DEFAULT_SOURCE, type ResolvedSettings } from "./resolve-settings.js";

/** Throws CommandError where a value is well formed, but cannot be used here. */
export function nodeConfigOf({ values }: ResolvedSettings): NodeConfig {
  const value = (key: string): string | undefined => values.get(key)?.value;
  const number = (key: string): number => Number(value(key));
  const nodeId = nodeIdOf(values);
  const voters = votersOf(values);
  return {
    nodeId,
    voters,
    isBroker: isBroker(values),
    dataDirectory: value("data.dir") ?? "",
    ...listenersOf(values, { id: nodeId, voters }),
    clusterId: value("cluster.id"),
    rack: value("rack") ?? "",
    version: VERSION,
    replaceDirectory: value("replace.directory") === "true",
    broker: {
      settings: new BrokerSettings(writtenSettings(values)),
      replicaLagMsMax: number("replica.lag.time.max.ms"),
      retentionCheckMs: number("log.retention.check.interval.ms"),
      cleanerCheckMs: number("log.cleaner.backoff.ms"),
      producerIdleMsMax: number("producer.id.expiration.ms"),
      autoCreateTopics: value("auto.create.topics.enable") === "true",
    },
  };
}

/** What was written of Kafka's settings. */
function writtenSettings(values: ResolvedSettings["values"]): ReadonlyMap<string, string> {
  const written = new Map<string, string>();
  for (const [key, { value, source }] of values) {
    if (KAFKA_KEYS.has(key) && source !== DEFAULT_SOURCE) written.set(key, value);
  }
  return written;
}

function votersOf(values: ResolvedSettings["values"]): NodeConfig["voters"] {
  const voters = values.get("voters");
  try {
    return parseVoters(voters?.value ?? "");
  } catch (error) {
    throw new CommandError(EXIT.usage, `${voters?.source}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function nodeIdOf(values: ResolvedSettings["values"]): number {
  const { value: text = "", source = "" } = values.get("node.id") ?? {};
  if (text !== ORDINAL) return Number(text);
  const name = hostname();
  const ordinal = ordinalOf(name);
  if (ordinal === undefined) {
    throw new CommandError(
      EXIT.usage,
      `${source}: the host name "${name}" does not end with "-" and a number`,
      { hint: "in Kubernetes, run the node in a StatefulSet; elsewhere, give --node-id a number" },
    );
  }
  return ordinal;
}
