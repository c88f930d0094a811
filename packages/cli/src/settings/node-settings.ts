/**
 * What makes a node this node: who it is, where it is, where it keeps its data. From a setting's
 * key follow its flag and its environment variable: `node.id`, `--node-id`, `STRANDLINE_NODE_ID`.
 * Everything else a node can be told are Kafka's settings: `kafka-settings.ts`.
 */
import type { Setting } from "./setting.js";

/** For `node.id`: the number at the end of the host name, as a StatefulSet gives it to its pods. */
export const ORDINAL = "ordinal";
/** For `http.port` and `kafka.port`: no listener. */
export const OFF = "off";
/** Name of the listener that `kafka.port` makes: the one that Kafka's own settings have. */
export const KAFKA_LISTENER = "PLAINTEXT";

const PORT_MAX = 65_535;
const NODE_ID_MAX = 2 ** 31 - 1;

export const NODE_SETTINGS: readonly Setting[] = [
  {
    key: "node.id",
    aliases: ["broker.id"],
    kafkaNames: ["node.id", "broker.id"],
    description: `id of this node, unique in the cluster; "${ORDINAL}": the number at the end of the host name`,
    placeholder: "id",
    isRequired: true,
    check: (value) =>
      value === ORDINAL || isInteger(value, NODE_ID_MAX)
        ? undefined
        : `node.id must be an integer from 0 to ${NODE_ID_MAX}, or "${ORDINAL}", not "${value}"`,
  },
  {
    key: "voters",
    aliases: ["controller.quorum.voters"],
    kafkaNames: ["controller.quorum.voters"],
    description: "all controllers: <id>@<host>:<peer port>, comma-separated",
    placeholder: "list",
    isRequired: true,
  },
  {
    key: "data.dir",
    aliases: ["log.dirs", "log.dir"],
    kafkaNames: ["log.dirs", "log.dir"],
    description: "where this node keeps its data",
    placeholder: "path",
    isRequired: true,
    check: (value) =>
      value.includes(",") ? `data.dir must be one directory, not several: "${value}"` : undefined,
  },
  {
    key: "host",
    description: "interface to listen on",
    placeholder: "host",
    default: "127.0.0.1",
  },
  { key: "grpc.port", description: "port for clients", default: "50051", ...port("grpc.port") },
  {
    key: "kafka.port",
    description: `port for clients of the Kafka protocol; "${OFF}": none`,
    placeholder: "port",
    default: "9092",
    check: portOrOff("kafka.port"),
  },
  {
    key: "kafka.host",
    description: "interface for clients of the Kafka protocol, if not that of the others",
    placeholder: "host",
  },
  {
    key: "listeners",
    kafkaNames: ["listeners"],
    description: "several Kafka listeners, in place of the port: <name>://<host>:<port>, …",
    placeholder: "list",
  },
  {
    key: "advertised.listeners",
    kafkaNames: ["advertised.listeners"],
    description: `what Kafka clients are told, if it does not follow from how they came in; the port's listener is ${KAFKA_LISTENER}`,
    placeholder: "list",
  },
  { key: "peer.port", description: "port for other nodes", default: "51051", ...port("peer.port") },
  {
    key: "http.port",
    description: `port for /livez and /readyz; "${OFF}": none`,
    placeholder: "port",
    default: "8080",
    check: portOrOff("http.port"),
  },
  {
    key: "advertised.grpc",
    description: "what clients are told, if not what is bound",
    placeholder: "host:port",
  },
  {
    key: "advertised.peer",
    description: "what other nodes are told, if not what is bound",
    placeholder: "host:port",
  },
  { key: "cluster.id", description: "refuse to join any other cluster", placeholder: "id" },
  {
    key: "rack",
    aliases: ["broker.rack"],
    kafkaNames: ["broker.rack"],
    description: "replicas are spread over racks",
    placeholder: "name",
  },
  { key: "controller.only", description: "keep no partitions", ...toggle() },
  {
    key: "replace.directory",
    description: "this empty directory takes the place of this node's lost one",
    ...toggle(),
  },
  {
    key: "log.level",
    description: "how much to log",
    placeholder: "level",
    default: "info",
    choices: ["debug", "info", "warn", "error", "silent"],
  },
];

function portOrOff(key: string): (value: string) => string | undefined {
  return (value) =>
    value === OFF || isInteger(value, PORT_MAX)
      ? undefined
      : `${key} must be an integer from 0 to ${PORT_MAX}, or "${OFF}", not "${value}"`;
}

function port(key: string): Pick<Setting, "placeholder" | "check"> {
  return {
    placeholder: "port",
    check: (value) =>
      isInteger(value, PORT_MAX)
        ? undefined
        : `${key} must be an integer from 0 to ${PORT_MAX}, not "${value}"`,
  };
}

function toggle(): Pick<Setting, "choices"> {
  return { choices: ["true", "false"] };
}

function isInteger(text: string, max: number): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= max;
}
