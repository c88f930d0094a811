/** The things that have settings in the protocol, and what this cluster has of them. */
import { BrokerError, type NodeId } from "@strandline/model";

const TYPES = new Map([
  [2, "topic"],
  [4, "broker"],
  [8, "broker-logger"],
  [16, "client-metrics"],
  [32, "group"],
] as const);

export type ResourceType = typeof TYPES extends Map<number, infer Type> ? Type : never;

/** Throws INVALID_REQUEST for anything else. */
export function resourceTypeOf(number: number): ResourceType {
  const type = (TYPES as ReadonlyMap<number, ResourceType>).get(number);
  if (type === undefined) {
    throw new BrokerError("INVALID_REQUEST", `no settings belong to resource type ${number}`);
  }
  return type;
}

/** A broker answers for itself alone. Throws INVALID_REQUEST. */
export function requireOwn(name: string, nodeId: NodeId): void {
  if (!/^\d+$/.test(name)) {
    throw new BrokerError("INVALID_REQUEST", `a broker is named by its number, not "${name}"`);
  }
  if (Number(name) !== nodeId) {
    throw new BrokerError("INVALID_REQUEST", `this is broker ${nodeId}; ask broker ${name} itself`);
  }
}

/** Throws INVALID_REQUEST. */
export function requireName(name: string, what: string): void {
  if (name === "") throw new BrokerError("INVALID_REQUEST", `a ${what} has a name`);
}
