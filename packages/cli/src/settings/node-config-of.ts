/** What a node is started with, from its settings. */
import { hostname } from "node:os";
import { BrokerSettings } from "@strandline/metadata";
import { formatHostPort, type NodeConfig, parseVoters } from "@strandline/server";
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
  const listeners = listenersOf(values, { id: nodeId, voters });
  return {
    nodeId,
    voters,
    isBroker: isBroker(values),
    dataDirectory: value("data.dir") ?? "",
    ...listeners,
    clusterId: value("cluster.id"),
    rack: value("rack") ?? "",
    version: VERSION,
    replaceDirectory: value("replace.directory") === "true",
    broker: {
      settings: new BrokerSettings(writtenSettings(values, { nodeId, kafka: listeners.kafka })),
      replicaLagMsMax: number("replica.lag.time.max.ms"),
      retentionCheckMs: number("log.retention.check.interval.ms"),
      producerIdleMsMax: number("producer.id.expiration.ms"),
      autoCreateTopics: value("auto.create.topics.enable") === "true",
    },
  };
}

/** What was written, by Kafka's names: what a broker tells of itself, and what it asks for. */
function writtenSettings(
  values: ResolvedSettings["values"],
  node: Pick<NodeConfig, "nodeId" | "kafka">,
): ReadonlyMap<string, string> {
  const written = new Map<string, string>();
  for (const [key, { value, source }] of values) {
    if (KAFKA_KEYS.has(key) && source !== DEFAULT_SOURCE) written.set(key, value);
  }
  written.set("node.id", String(node.nodeId));
  const bound = node.kafka.map((each) => `${each.name}://${formatHostPort(each)}`);
  written.set("listeners", bound.join(","));
  for (const [key, name] of OWN_AND_KAFKAS) {
    const value = values.get(key)?.value;
    if (value !== undefined) written.set(name, value);
  }
  return written;
}

/** Settings of a node that Kafka has under another name. */
const OWN_AND_KAFKAS = [
  ["voters", "controller.quorum.voters"],
  ["data.dir", "log.dirs"],
  ["rack", "broker.rack"],
  ["advertised.listeners", "advertised.listeners"],
] as const;

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
