/**
 * Where a node listens and what it tells of that, from its settings: the ports, or, as files written
 * for Kafka have it, lists of listeners.
 */
import { isWildcard } from "@strandline/metadata";
import {
  formatHostPort,
  type HostPort,
  kafkaListeners,
  type NamedHostPort,
  type NodeConfig,
  parseHostPort,
  parseListeners,
} from "@strandline/server";
import { CommandError, EXIT } from "../exit-codes.js";
import { KAFKA_LISTENER, OFF } from "./node-settings.js";
import { DEFAULT_SOURCE, type ResolvedSettings } from "./resolve-settings.js";

type Values = ResolvedSettings["values"];

export type NodeListeners = Pick<
  NodeConfig,
  "grpc" | "peer" | "kafka" | "http" | "advertisedGrpc" | "advertisedPeer"
>;

/** Throws CommandError for a list that cannot be read, or that contradicts another. */
export function listenersOf(
  values: Values,
  node: { readonly id: number; readonly voters: NodeConfig["voters"] },
): NodeListeners {
  const value = (key: string): string | undefined => values.get(key)?.value;
  const host = value("host") ?? "";
  const http = value("http.port");
  const advertised = namedOf(values, "advertised.listeners");
  const named = namedOf(values, "listeners") ?? impliedBy(values, advertised);
  const forNodes = membersOf(value("controller.listener.names"));
  const isForNodes = ({ name }: NamedHostPort): boolean => forNodes.includes(name);
  const port = value("kafka.port");
  const single = { name: KAFKA_LISTENER, host: value("kafka.host") ?? host, port: Number(port) };
  const bound = named?.filter((each) => !isForNodes(each)) ?? (port === OFF ? [] : [single]);
  const peer = peerOf(values, named?.find(isForNodes));
  const grpc = { host, port: Number(value("grpc.port")) };
  const ownVoter = node.voters.find((voter) => voter.id === node.id)?.address;
  const advertisedPeer = value("advertised.peer") ?? knownAs(peer, ownVoter);
  return {
    grpc,
    peer,
    kafka: sayingWhere(values, "advertised.listeners", () =>
      kafkaListeners(
        bound,
        (advertised ?? []).filter((each) => !isForNodes(each)),
      ),
    ),
    http: http === undefined || http === OFF ? undefined : { host, port: Number(http) },
    advertisedGrpc: value("advertised.grpc") ?? besides(grpc, advertisedPeer),
    advertisedPeer,
  };
}

/**
 * Listeners of which only what is advertised is written: each is bound everywhere at the same port,
 * as the official image does it. What the port's own listener advertises says nothing of its port.
 */
function impliedBy(
  values: Values,
  advertised: readonly NamedHostPort[] | undefined,
): readonly NamedHostPort[] | undefined {
  if (advertised === undefined) return undefined;
  if (advertised.every(({ name }) => name === KAFKA_LISTENER)) return undefined;
  const host = values.get("kafka.host")?.value ?? "0.0.0.0";
  return advertised.map(({ name, port }) => ({ name, host, port }));
}

/** `peer.port`; unless that is written, the listener that Kafka's settings give to controllers. */
function peerOf(values: Values, listener: NamedHostPort | undefined): HostPort {
  const port = values.get("peer.port");
  if (listener !== undefined && (port === undefined || port.source === DEFAULT_SOURCE)) {
    return { host: listener.host, port: listener.port };
  }
  return { host: values.get("host")?.value ?? "", port: Number(port?.value) };
}

/** A node that is bound to every address is found where the list of voters has it. */
function knownAs(bound: HostPort, voter: string | undefined): string | undefined {
  return isWildcard(bound.host) ? voter : undefined;
}

/** Bound to every address: clients find it at the host where nodes do. */
function besides(grpc: HostPort, advertisedPeer: string | undefined): string | undefined {
  if (!isWildcard(grpc.host) || advertisedPeer === undefined) return undefined;
  const peer = parseHostPort(advertisedPeer);
  return peer === undefined ? undefined : formatHostPort({ host: peer.host, port: grpc.port });
}

function namedOf(values: Values, key: string): readonly NamedHostPort[] | undefined {
  const text = values.get(key)?.value;
  if (text === undefined || text === "") return undefined;
  return sayingWhere(values, key, () => parseListeners(text));
}

function membersOf(text: string | undefined): string[] {
  return (text ?? "").split(",").map((member) => member.trim());
}

function sayingWhere<Result>(values: Values, key: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const source = values.get(key)?.source;
    throw new CommandError(EXIT.usage, `${source}: ${(error as Error).message}`, { cause: error });
  }
}
