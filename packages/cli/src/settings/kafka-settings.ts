/**
 * Kafka's settings of a broker, as settings of a node: for the file, the environment and `--set`.
 * Apart from the node's own because they need the table of the metadata, which the help text of a
 * command need not wait for.
 */
import { BROKER_CONFIGS, type BrokerConfigSpec, writtenProblem } from "@strandline/metadata";
import { NODE_SETTINGS } from "./node-settings.js";
import type { Setting } from "./setting.js";

/** Kafka's settings that are not the node's own under another name. */
const KAFKA_SETTINGS: readonly Setting[] = BROKER_CONFIGS.filter(
  (spec) => !NODE_SETTINGS.some((setting) => setting.kafkaNames?.includes(spec.name) === true),
).map(settingOf);

/** Read where a file written for Kafka is understood; no settings of a broker here. */
const LISTENER_SETTINGS: readonly Setting[] = [
  {
    key: "controller.listener.names",
    kafkaNames: ["controller.listener.names"],
    description: "Which of the listeners is for other nodes: its port is the peer port.",
    placeholder: "list",
    hasFlag: false,
  },
  {
    key: "listener.security.protocol.map",
    kafkaNames: ["listener.security.protocol.map"],
    description: "The protection of each listener: <name>:PLAINTEXT, as there is no other yet.",
    placeholder: "list",
    hasFlag: false,
  },
];

/** Every setting there is. */
export const BROKER_SETTINGS: readonly Setting[] = [
  ...NODE_SETTINGS,
  ...LISTENER_SETTINGS,
  ...KAFKA_SETTINGS,
];

/** The keys of Kafka's own settings: what a broker is told of as it stands. */
export const KAFKA_KEYS: ReadonlySet<string> = new Set(KAFKA_SETTINGS.map(({ key }) => key));

function settingOf(spec: BrokerConfigSpec): Setting {
  return {
    key: spec.name,
    synonyms: spec.synonyms,
    kafkaNames: [spec.name, ...spec.synonyms.map((synonym) => synonym.name)],
    description: spec.documentation,
    placeholder: spec.type,
    // What a default of none means, the node decides: its roles, its listeners.
    ...(isDecidedLater(spec) ? {} : { default: spec.defaultValue }),
    hasFlag: false,
    check: (value) => writtenProblem(spec, value),
  };
}

function isDecidedLater(spec: BrokerConfigSpec): boolean {
  return spec.defaultValue === "" || spec.name === "process.roles";
}
