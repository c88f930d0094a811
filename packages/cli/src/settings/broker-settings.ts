/**
 * The settings of one node, as data. Each has a key for the file, and from the key follow its flag
 * and its environment variable: `node.id`, `--node-id`, `STRANDLINE_NODE_ID`.
 */

export interface Setting {
  readonly key: string;
  /** Names that people know it by from elsewhere; as good as the key. */
  readonly aliases?: readonly string[];
  readonly description: string;
  /** Stands for the value in the help text; undefined for a switch. */
  readonly placeholder?: string;
  readonly default?: string;
  readonly isRequired?: boolean;
  /** The only values there are. */
  readonly choices?: readonly string[];
  /** Says what a value must be, when it is not that. Only the form: the node judges the rest. */
  check?(value: string): string | undefined;
}

/** For `node.id`: the number at the end of the host name, as a StatefulSet gives it to its pods. */
export const ORDINAL = "ordinal";
/** For `http.port` and `kafka.port`: no listener. */
export const OFF = "off";
/** Name of the listener that `kafka.port` makes: the one that Kafka's own settings have. */
export const KAFKA_LISTENER = "PLAINTEXT";

const PORT_MAX = 65_535;
const NODE_ID_MAX = 2 ** 31 - 1;

export const BROKER_SETTINGS: readonly Setting[] = [
  {
    key: "node.id",
    description: `id of this node, unique in the cluster; "${ORDINAL}": the number at the end of the host name`,
    placeholder: "id",
    isRequired: true,
    check: (value) =>
      value === ORDINAL || isInteger(value, NODE_ID_MAX)
        ? undefined
        : `must be an integer from 0 to ${NODE_ID_MAX}, or "${ORDINAL}"`,
  },
  {
    key: "voters",
    aliases: ["controller.quorum.voters"],
    description: "all controllers: <id>@<host>:<peer port>, comma-separated",
    placeholder: "list",
    isRequired: true,
  },
  {
    key: "data.dir",
    aliases: ["log.dir"],
    description: "where this node keeps its data",
    placeholder: "path",
    isRequired: true,
  },
  {
    key: "host",
    description: "interface to listen on",
    placeholder: "host",
    default: "127.0.0.1",
  },
  { key: "grpc.port", description: "port for clients", default: "50051", ...port() },
  {
    key: "kafka.port",
    description: `port for clients of the Kafka protocol; "${OFF}": none`,
    placeholder: "port",
    default: "9092",
    check: portOrOff,
  },
  {
    key: "kafka.host",
    description: "interface for clients of the Kafka protocol, if not that of the others",
    placeholder: "host",
  },
  {
    key: "listeners",
    description: "several Kafka listeners, in place of the port: <name>://<host>:<port>, …",
    placeholder: "list",
  },
  {
    key: "advertised.listeners",
    description: `what Kafka clients are told, if it does not follow from how they came in; the port's listener is ${KAFKA_LISTENER}`,
    placeholder: "list",
  },
  { key: "peer.port", description: "port for other nodes", default: "51051", ...port() },
  {
    key: "http.port",
    description: `port for /livez and /readyz; "${OFF}": none`,
    placeholder: "port",
    default: "8080",
    check: portOrOff,
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
    key: "auto.create.topics.enable",
    description: "a Kafka client that names a topic that does not exist gets one",
    placeholder: "boolean",
    default: "true",
    choices: ["true", "false"],
  },
  {
    key: "log.level",
    description: "how much to log",
    placeholder: "level",
    default: "info",
    choices: ["debug", "info", "warn", "error", "silent"],
  },
];

function portOrOff(value: string): string | undefined {
  return value === OFF || isInteger(value, PORT_MAX)
    ? undefined
    : `must be an integer from 0 to ${PORT_MAX}, or "${OFF}"`;
}

export function flagOf(setting: Setting): string {
  return `--${setting.key.replaceAll(".", "-")}`;
}

/** Environment variable of a key or an alias. */
export function variableOf(name: string): string {
  return `STRANDLINE_${name.replaceAll(".", "_").toUpperCase()}`;
}

export function namesOf(setting: Setting): readonly string[] {
  return [setting.key, ...(setting.aliases ?? [])];
}

function port(): Pick<Setting, "placeholder" | "check"> {
  return {
    placeholder: "port",
    check: (value) =>
      isInteger(value, PORT_MAX) ? undefined : `must be an integer from 0 to ${PORT_MAX}`,
  };
}

function toggle(): Pick<Setting, "choices"> {
  return { choices: ["true", "false"] };
}

function isInteger(text: string, max: number): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= max;
}
