/** The reference of settings, `docs/configuration.md`, made of the same tables that nodes read. */
import {
  BROKER_CONFIGS,
  type BrokerConfigSpec,
  GROUP_CONFIGS,
  KEPT_CONFIGS,
} from "@strandline/metadata";
import { KAFKA_PREFIX } from "./environment.js";
import { KAFKA_KEYS } from "./kafka-settings.js";
import { NODE_SETTINGS } from "./node-settings.js";
import { flagOf, type Setting, variableOf } from "./setting.js";
import { WITHOUT_EFFECT } from "./without-effect.js";

const INTRODUCTION = `# Configuration

This page is made from the tables that the nodes read: \`npm run docs\` writes it.

A setting comes from one of four places. What stands further down wins:

| Place | For example |
|---|---|
| default | |
| file: \`--config <file>\` or \`STRANDLINE_CONFIG\` | \`log.retention.ms=86400000\` |
| environment | \`KAFKA_LOG_RETENTION_MS=86400000\`, \`STRANDLINE_LOG_RETENTION_MS=86400000\` |
| flags | \`--set log.retention.ms=86400000\`, \`-X log.retention.ms=86400000\`, \`--node-id 1\` |

The file is \`key=value\` lines (a \`server.properties\` works), or, by the ending of its name, YAML or JSON with the
same keys, nested or with dots. A variable is the key in capitals after its prefix: a dot becomes \`_\`, an underscore
\`__\`, a hyphen \`___\`. \`KAFKA_\` is read for Kafka's names only, and \`CLUSTER_ID\` for \`cluster.id\`.

A key that does not exist is refused, with its place and the nearest key that does, in the file, after \`--set\` and
under \`STRANDLINE_\`. Under \`KAFKA_\` it is left alone, because scripts and applications use that prefix for much
else (\`KAFKA_OPTS\`, \`KAFKA_HEAP_OPTS\`); what looks like a misspelt setting is warned of. Everything that is wrong is
said at once, and nothing starts. \`strandline broker config\` prints every value with its source,
\`strandline broker config --broker <host:port>\` those of a running broker, and \`strandline doctor\` looks at where a
node will listen and what it will tell clients.
`;

const SHARED = `## Settings of the cluster

Defaults of topics, and what must be the same on all brokers. They can be changed while brokers run, for all of them
at once (\`kafka-configs --entity-type brokers --entity-default\`), and such a value counts before one that is written
for a broker. A topic's own setting counts before both.

They can also be changed for one broker alone (\`--entity-name <id>\`), and such a value counts, on that broker, before
that of all brokers: a broker whose disk is full can keep less. One that deletes or compacts otherwise than its peers
holds other records than they do, and readers see those of the broker that leads. What all brokers must do alike is
refused for one: ${neverOfOne()}.

What is set while brokers run is kept in the metadata of the cluster, and survives restarts.

Brokers whose operators wrote different values use one all the same: each registered broker, also one that is down,
has a vote, for its value or for having none. The value of most is in force; in a tie, the one that was before. A
broker that is outvoted logs a warning. So a rolling restart with a new value brings it in once, when most brokers
have it.
`;

const OWN = `## Settings of a broker

Each broker uses its own value, from its start to its end: a change while it runs is refused.
`;

const IDLE = `## Taken, without effect

Files written for Kafka have these. They are taken, with a warning, so that such a file works as it is.
`;

const KEPT = `## Kept, without effect

Kafka lets these change while brokers run, and tools set them. They are checked, kept and shown where somebody set
them, and nothing reads them. What would protect or slow down something (throttles, limits of connections, keys) is
refused instead.
`;

const GROUPS = `Of a group (\`kafka-configs --entity-type groups\`), likewise: groups speak the classic protocol, in which the members
bring these times themselves. Settings of share groups and of streams groups are refused.
`;

/** The whole page. The same tables give the same bytes. */
export function configurationPage(): string {
  const own = BROKER_CONFIGS.filter((spec) => KAFKA_KEYS.has(spec.name));
  const sections = [
    INTRODUCTION,
    "## Settings of a node\n",
    table(["Key", "Flag", "Also", "Default", "Means"], NODE_SETTINGS.map(nodeRow)),
    "`listeners` and `controller.listener.names` of a file written for Kafka are understood: the port of the\n" +
      "listener that is for controllers becomes the peer port. Only advertised, a listener is bound on every\n" +
      "interface at the port that is advertised. `listener.security.protocol.map` may say PLAINTEXT and nothing\n" +
      "else: there is no encryption and no authentication yet, and what asks for it is refused.\n",
    SHARED,
    brokerTable(own.filter((spec) => spec.scope === "cluster")),
    OWN,
    brokerTable(own.filter((spec) => spec.scope === "node")),
    IDLE,
    table(
      ["Key", "Why"],
      WITHOUT_EFFECT.map(({ key, reason }) => [code(key), reason]),
    ),
    KEPT,
    table(
      ["Key", "Type", "Default in Kafka", "Set for", "Why it has no effect"],
      KEPT_CONFIGS.map(({ name, type, defaultValue, update, why }) => {
        return [code(name), type, code(defaultValue), SET_FOR[update], why];
      }),
    ),
    GROUPS,
    table(
      ["Key", "Type", "Default in Kafka", "Allowed"],
      GROUP_CONFIGS.map(({ name, type, defaultValue, min = 0, max }) => {
        return [code(name), type, code(defaultValue), `${min} to ${max}`];
      }),
    ),
  ];
  return sections.join("\n");
}

const SET_FOR = { one: "one broker", "all-or-one": "all brokers, or one" } as const;

function neverOfOne(): string {
  const names = BROKER_CONFIGS.filter(({ update }) => update === "all").map(({ name }) =>
    code(name),
  );
  return names.join(", ");
}

function nodeRow(setting: Setting): string[] {
  const { key, kafkaNames = [], aliases = [] } = setting;
  const variables = kafkaNames.map((name) => variableOf(name, KAFKA_PREFIX));
  return [
    code(key),
    code(
      `${flagOf(setting)}${setting.placeholder === undefined ? "" : ` <${setting.placeholder}>`}`,
    ),
    [...aliases, ...variables].map(code).join(" "),
    setting.isRequired === true ? "required" : code(setting.default ?? ""),
    prose(setting.description) +
      (setting.choices === undefined ? "" : ` (${setting.choices.join(", ")})`),
  ];
}

function brokerTable(specs: readonly BrokerConfigSpec[]): string {
  return table(
    ["Key", "Type", "Default", "Allowed", "Means"],
    specs.map((spec) => [
      [spec.name, ...spec.synonyms.map((synonym) => synonym.name)].map(code).join(" "),
      spec.type,
      code(spec.defaultValue),
      allowed(spec),
      prose(spec.documentation),
    ]),
  );
}

function allowed(spec: BrokerConfigSpec): string {
  if (spec.values !== undefined) return spec.values.map(code).join(", ");
  if (spec.type === "boolean") return "`true`, `false`";
  if (spec.type === "string" || spec.type === "list") return "";
  const min = spec.name === "min.insync.replicas" ? 2 : (spec.min ?? 0);
  return spec.max === undefined ? `from ${min}` : `${min} to ${spec.max}`;
}

/** Angle brackets stand for what is to be filled in; Markdown would take them for HTML. */
function prose(text: string): string {
  return text.replaceAll("<", "\\<");
}

function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return `${[line(heads), `|${"---|".repeat(heads.length)}`, ...rows.map(line)].join("\n")}\n`;
}
