/** What a node says of itself when its settings are asked for, by Kafka's names. */
import { BrokerSettings } from "@strandline/metadata";
import { formatHostPort, type HostPort, type NodeConfig } from "./node-config.js";

/** What is written for the broker, and who and where the node is. */
export function describedSettings(config: NodeConfig): BrokerSettings {
  const isController = config.voters.some((voter) => voter.id === config.nodeId);
  const roles = [...(config.isBroker ? ["broker"] : []), ...(isController ? ["controller"] : [])];
  const advertised = config.kafka.flatMap((listener) =>
    listener.advertised === undefined ? [] : [urlOf(listener.name, listener.advertised)],
  );
  const own: [string, string][] = [
    ["node.id", String(config.nodeId)],
    ["process.roles", roles.join(",")],
    [
      "controller.quorum.voters",
      config.voters.map(({ id, address }) => `${id}@${address}`).join(","),
    ],
    ["log.dirs", config.dataDirectory],
    ["listeners", config.kafka.map((listener) => urlOf(listener.name, listener)).join(",")],
    ["advertised.listeners", advertised.join(",")],
    ["broker.rack", config.rack],
  ];
  const written = config.broker.settings?.written ?? [];
  return new BrokerSettings(new Map([...written, ...own.filter(([, value]) => value !== "")]));
}

function urlOf(name: string, address: HostPort): string {
  return `${name}://${formatHostPort(address)}`;
}
