/** Settings of one node, resolved; and everything that is wrong with them, said at once. */
import type { BrokerConfig } from "@strandline/broker";
import { isWildcard } from "@strandline/metadata";
import { isNodeId, isUuidText } from "@strandline/model";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface KafkaListenerConfig extends HostPort {
  /** Clients stay on the listeners of the name they came in by. */
  readonly name: string;
  /** What clients are told; undefined: an address that follows from how they came in. */
  readonly advertised: HostPort | undefined;
}

export interface Voter {
  readonly id: number;
  /** Where nodes reach it: "host:port". */
  readonly address: string;
}

export interface NodeConfig {
  readonly nodeId: number;
  /** All controllers of the cluster. This node is one when its id is among them. */
  readonly voters: readonly Voter[];
  readonly isBroker: boolean;
  readonly dataDirectory: string;
  /** Where clients reach this node over gRPC. */
  readonly grpc: HostPort;
  /** Where other nodes reach it. */
  readonly peer: HostPort;
  /** Where clients of the Kafka protocol reach it: none, one or several listeners. */
  readonly kafka: readonly KafkaListenerConfig[];
  /** Where `/livez` and `/readyz` are answered; undefined for nowhere. */
  readonly http: HostPort | undefined;
  /** What clients and nodes are told, where it differs from what is bound: "host:port". */
  readonly advertisedGrpc: string | undefined;
  readonly advertisedPeer: string | undefined;
  /** The cluster this node must belong to; undefined to take what the controllers say. */
  readonly clusterId: string | undefined;
  readonly rack: string;
  readonly version: string;
  readonly replaceDirectory: boolean;
  /** Broker settings that differ from their defaults. */
  readonly broker: Partial<
    Pick<
      BrokerConfig,
      | "settings"
      | "heartbeatMs"
      | "sessionMsMax"
      | "replicaLagMsMax"
      | "replicaWindowBytesMax"
      | "tailBytesMax"
      | "retentionCheckMs"
      | "cleanerCheckMs"
      | "producerIdleMsMax"
      | "pendingProduceBytesMax"
      | "autoCreateTopics"
    >
  >;
}

/** Returns every problem, so that one start attempt shows them all. Empty means valid. */
export function nodeConfigProblems(config: NodeConfig): string[] {
  const problems: string[] = [];
  if (!isNodeId(config.nodeId)) problems.push("--node-id must be an integer from 0 to 2147483647");
  if (config.voters.length === 0) {
    problems.push("--voters must name the controllers, for example 1@127.0.0.1:51051");
  }
  const ids = config.voters.map((voter) => voter.id);
  if (new Set(ids).size !== ids.length) problems.push("--voters names a node id twice");
  for (const voter of config.voters) {
    if (!isNodeId(voter.id)) problems.push(`--voters: "${voter.id}" is no node id`);
    if (parseHostPort(voter.address) === undefined) {
      problems.push(`--voters: "${voter.address}" is not host:port`);
    }
  }
  if (!config.isBroker && !ids.includes(config.nodeId)) {
    problems.push("a node that is no broker must be one of the --voters, or it has nothing to do");
  }
  if (config.dataDirectory === "") problems.push("--data-dir must name a directory");
  for (const [flag, { port }] of [
    ["--grpc-port", config.grpc],
    ["--peer-port", config.peer],
    ["--http-port", config.http ?? { port: 0 }],
  ] as const) {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      problems.push(`${flag} must be an integer from 0 to 65535`);
    }
  }
  problems.push(...kafkaListenersProblems(config.kafka));
  if (config.clusterId !== undefined && !isUuidText(config.clusterId)) {
    problems.push("--cluster-id must be 22 characters of URL-safe base64");
  }
  return problems;
}

function kafkaListenersProblems(listeners: readonly KafkaListenerConfig[]): string[] {
  const problems: string[] = [];
  const names = listeners.map(({ name }) => name);
  if (new Set(names).size !== names.length) {
    problems.push("--listeners names a listener twice; each needs a name of its own");
  }
  for (const { name, port, advertised } of listeners) {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      problems.push(`the port of the Kafka listener ${name} must be an integer from 0 to 65535`);
    }
    if (advertised !== undefined && isWildcard(advertised.host)) {
      problems.push(`no client can reach ${advertised.host}, which ${name} would advertise`);
    }
  }
  return problems;
}

/** Reads "host:port" (or "[v6]:port"); undefined when it is not that. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65_535) return undefined;
  return { host: match[1] ?? match[2] ?? "", port };
}

export function formatHostPort(address: HostPort): string {
  return address.host.includes(":")
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}

const LISTENER_NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** One entry of Kafka's `listeners` and `advertised.listeners`. */
export interface NamedHostPort extends HostPort {
  readonly name: string;
}

/**
 * Reads "NAME://host:port,…". No host means every interface. Throws an error that says which part is
 * wrong.
 */
export function parseListeners(text: string): NamedHostPort[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const at = part.indexOf("://");
      const name = part.slice(0, Math.max(0, at));
      const address = part.slice(at + 3);
      const parsed = parseHostPort(address.startsWith(":") ? `0.0.0.0${address}` : address);
      if (!LISTENER_NAME.test(name) || parsed === undefined) {
        throw new Error(`"${part}" is not a listener; write <name>://<host>:<port>`);
      }
      return { name, ...parsed };
    });
}

/** Listeners with what is advertised for them. Throws an error for one that is not listened to. */
export function kafkaListeners(
  bound: readonly NamedHostPort[],
  advertised: readonly NamedHostPort[],
): KafkaListenerConfig[] {
  for (const { name } of advertised) {
    if (bound.some((listener) => listener.name === name)) continue;
    const names = bound.map((listener) => listener.name).join(", ");
    throw new Error(`there is no listener ${name} to advertise; there is ${names}`);
  }
  return bound.map((listener) => {
    const match = advertised.find(({ name }) => name === listener.name);
    return {
      ...listener,
      advertised: match === undefined ? undefined : { host: match.host, port: match.port },
    };
  });
}

/** Reads "1@host:port,2@host:port". Throws an error that says which part is wrong. */
export function parseVoters(text: string): Voter[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const match = /^(\d+)@(.+)$/.exec(part);
      const address = match?.[2] ?? "";
      if (match === null || parseHostPort(address) === undefined) {
        throw new Error(`"${part}" is not a voter; write <node id>@<host>:<port>`);
      }
      return { id: Number(match[1]), address };
    });
}
