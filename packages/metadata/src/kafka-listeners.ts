/**
 * The Kafka listeners of a node, and which address a client is told for each broker. A client asks
 * one broker where all of them are, and must reach every address it is told from where it stands.
 */
import type { NodeRegistration } from "./image.js";
import { JsonObject } from "./json.js";

const PORT_MAX = 65_535;

export interface KafkaListener {
  /** Clients stay on the listeners of the name they came in by. */
  readonly name: string;
  /** What the operator advertises; else what was bound. */
  readonly host: string;
  readonly port: number;
  readonly isAdvertised: boolean;
}

export interface KafkaEndpoint {
  readonly host: string;
  readonly port: number;
}

/** How a client came in. */
export interface KafkaArrival {
  /** Name of the listener. */
  readonly listener: string;
  /** The address that the client connected to, as this broker sees it. */
  readonly local: KafkaEndpoint;
  /** The broker that answers. */
  readonly self: Pick<NodeRegistration, "id" | "peerAddress">;
}

/**
 * What a client is told of `node`; undefined when that has no listener of the client's name.
 *
 * 1. What the operator advertises.
 * 2. The answering broker: the address that the client is connected to. It works, evidently.
 * 3. A listener that is bound to one address: that address.
 * 4. A listener that is bound to every address, of a broker on this machine: where the client came
 *    in, with the other's port. On this machine are those whom their peers know by the same host as
 *    this broker, or by a loopback address.
 * 5. Bound to every address on another machine: the host by which its peers know it.
 */
export function kafkaEndpoint(
  node: Pick<NodeRegistration, "id" | "peerAddress" | "kafkaListeners">,
  arrival: KafkaArrival,
): KafkaEndpoint | undefined {
  const listener = node.kafkaListeners.find(({ name }) => name === arrival.listener);
  if (listener === undefined) return undefined;
  const { port } = listener;
  if (listener.isAdvertised) return { host: listener.host, port };
  if (node.id === arrival.self.id) return arrival.local;
  if (!isWildcard(listener.host)) return { host: listener.host, port };
  const peerHost = hostOf(node.peerAddress);
  const isHere =
    isWildcard(peerHost) || isLoopback(peerHost) || peerHost === hostOf(arrival.self.peerAddress);
  return { host: isHere ? arrival.local.host : peerHost, port };
}

/** Bound to it means bound to every address of the machine. */
export function isWildcard(host: string): boolean {
  return host === "" || host === "0.0.0.0" || host === "::";
}

/** Reaches this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

export function sameKafkaListeners(
  some: readonly KafkaListener[],
  others: readonly KafkaListener[],
): boolean {
  return (
    some.length === others.length &&
    some.every((listener, at) => {
      const other = others[at];
      return (
        listener.name === other?.name &&
        listener.host === other.host &&
        listener.port === other.port &&
        listener.isAdvertised === other.isAdvertised
      );
    })
  );
}

/** Reads the field `kafkaListeners`, which registrations did not always have. */
export function decodeKafkaListeners(json: JsonObject): readonly KafkaListener[] {
  if (!json.has("kafkaListeners")) return [];
  return json.list("kafkaListeners", (value, path) => {
    const listener = new JsonObject(value, path);
    return {
      name: listener.text("name"),
      host: listener.text("host"),
      port: listener.integer("port", { min: 0, max: PORT_MAX }),
      isAdvertised: listener.boolean("isAdvertised"),
    };
  });
}

/** Of "host:port", or "[v6]:port". */
function hostOf(address: string): string {
  const host = address.slice(0, Math.max(0, address.lastIndexOf(":")));
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}
