/**
 * Kafka's settings of a broker, as settings of a node: for the file, the environment and `--set`.
 * Apart from the node's own because they need the table of the metadata, which the help text of a
 * command need not wait for.
 */
import { BROKER_CONFIGS, type BrokerConfigSpec, configProblem } from "@strandline/metadata";
import { NODE_SETTINGS } from "./node-settings.js";
import type { Setting } from "./setting.js";

/** Kafka's settings that are not the node's own under another name. */
const KAFKA_SETTINGS: readonly Setting[] = BROKER_CONFIGS.filter(
  (spec) => !NODE_SETTINGS.some((setting) => setting.kafkaNames?.includes(spec.name) === true),
).map(settingOf);

/** Read where a file written for Kafka is understood; no setting of a broker here. */
const CONTROLLER_LISTENERS: Setting = {
  key: "controller.listener.names",
  kafkaNames: ["controller.listener.names"],
  description: "Which of the listeners is for other nodes: its port is the peer port.",
  placeholder: "list",
  hasFlag: false,
};

/** Every setting there is. */
export const BROKER_SETTINGS: readonly Setting[] = [
  ...NODE_SETTINGS,
  CONTROLLER_LISTENERS,
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
    check: (value) => configProblem(spec, value) ?? FURTHER_RULES[spec.name]?.(value),
  };
}

function isDecidedLater(spec: BrokerConfigSpec): boolean {
  return spec.defaultValue === "" || spec.name === "process.roles";
}

/** What is legal for a setting while brokers run, but not as what an operator writes once. */
const FURTHER_RULES: Readonly<Record<string, (value: string) => string | undefined>> = {
  // With this default the loss of one disk could take what several replicas acknowledged. A topic
  // may have that, when whoever makes it says so; a line in a file says it for topics to come.
  "min.insync.replicas": (value) =>
    value === "1"
      ? 'min.insync.replicas must be 2 or more, not "1", as a default of topics: a topic with one ' +
        "replica needs one anyway, and one with several gets 1 only from who allows it by name"
      : undefined,
};
