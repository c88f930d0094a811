/**
 * The settings of a broker, under the names Kafka gives them: what its operator may write, who may
 * change it while brokers run, and what people read about it. Those that are defaults of topics
 * come from the table of topics; the rest is here.
 *
 * A setting of the *cluster* decides something that all replicas must agree on: it has one value
 * everywhere, whatever each operator wrote. A setting of a *node* concerns one process, and each
 * process uses its own.
 */
import { TOPIC_PARTITIONS_MAX } from "@strandline/model";
import { type ConfigSpec, configProblem } from "./config-spec.js";
import { CLUSTER_CONFIGS } from "./topic-configs.js";

/** Another name of a setting; its value counts `factor` times. */
export interface ConfigSynonym {
  readonly name: string;
  readonly factor: number;
}

export interface BrokerConfigSpec extends ConfigSpec {
  readonly scope: "cluster" | "node";
  /** What it may be changed for while brokers run: all of them at once, also one of them alone. */
  readonly update: "read-only" | "all" | "all-or-one";
  /** Its value is shown to nobody. */
  readonly isSensitive: boolean;
  /** In the order in which they count; the name itself counts before them. */
  readonly synonyms: readonly ConfigSynonym[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Kafka's older names, in larger units. */
const SYNONYMS: Readonly<Record<string, readonly ConfigSynonym[]>> = {
  "log.retention.ms": [
    { name: "log.retention.minutes", factor: MINUTE_MS },
    { name: "log.retention.hours", factor: HOUR_MS },
  ],
  "log.roll.ms": [{ name: "log.roll.hours", factor: HOUR_MS }],
  "node.id": [{ name: "broker.id", factor: 1 }],
  "log.dirs": [{ name: "log.dir", factor: 1 }],
};

type NodeConfig = Pick<
  BrokerConfigSpec,
  "name" | "type" | "defaultValue" | "documentation" | "min" | "max" | "values" | "reason"
>;

const NODE_CONFIGS: readonly NodeConfig[] = [
  {
    name: "advertised.listeners",
    type: "list",
    defaultValue: "",
    documentation:
      "Addresses that clients are told, one per listener: <name>://<host>:<port>, " +
      "comma-separated. Unless set, a client is told the address it connected to.",
  },
  {
    name: "auto.create.topics.enable",
    type: "boolean",
    defaultValue: "true",
    documentation:
      "A Kafka client that asks for the metadata of a topic that does not exist creates it, when " +
      "it says that it may.",
  },
  {
    name: "broker.rack",
    type: "string",
    defaultValue: "",
    documentation: "Where this broker stands. The replicas of a partition are spread over racks.",
  },
  {
    name: "connections.max.idle.ms",
    type: "long",
    defaultValue: "600000",
    min: 1_000,
    documentation: "A Kafka connection without a request for this long is closed. Milliseconds.",
  },
  {
    name: "controller.quorum.voters",
    type: "list",
    defaultValue: "",
    documentation: "All controllers of the cluster: <node id>@<host>:<port>, comma-separated.",
  },
  {
    name: "delete.topic.enable",
    type: "boolean",
    defaultValue: "true",
    documentation: "false: this broker refuses to have topics deleted.",
  },
  {
    name: "fetch.max.bytes",
    type: "int",
    defaultValue: "57671680",
    min: 1_024,
    documentation: "Largest answer to one fetch of a Kafka client, whatever it asks for. Bytes.",
  },
  {
    name: "group.initial.rebalance.delay.ms",
    type: "int",
    defaultValue: "3000",
    documentation:
      "How long the first rebalance of an empty group waits for more members. Milliseconds.",
  },
  {
    name: "group.max.session.timeout.ms",
    type: "int",
    defaultValue: "1800000",
    min: 1,
    documentation: "Longest session timeout a member of a group may ask for. Milliseconds.",
  },
  {
    name: "group.max.size",
    type: "int",
    defaultValue: "2147483647",
    min: 1,
    documentation: "Most members of one group; who would be one more is refused.",
  },
  {
    name: "group.min.session.timeout.ms",
    type: "int",
    defaultValue: "6000",
    min: 1,
    documentation: "Shortest session timeout a member of a group may ask for. Milliseconds.",
  },
  {
    name: "listeners",
    type: "list",
    defaultValue: "",
    documentation: "Where Kafka clients are listened for: <name>://<host>:<port>, comma-separated.",
  },
  {
    name: "log.dirs",
    type: "list",
    defaultValue: "",
    documentation: "Where this node keeps its data: one directory.",
  },
  {
    name: "log.cleaner.backoff.ms",
    type: "long",
    defaultValue: "15000",
    min: 1,
    documentation:
      "How often a broker looks for compacted logs that are worth a pass. Milliseconds.",
  },
  {
    name: "log.retention.check.interval.ms",
    type: "long",
    defaultValue: "300000",
    min: 1,
    documentation: "How often a broker looks for segments that retention removes. Milliseconds.",
  },
  {
    name: "node.id",
    type: "int",
    defaultValue: "-1",
    min: -1,
    documentation: "Number of this node, unique in the cluster.",
  },
  {
    name: "offset.metadata.max.bytes",
    type: "int",
    defaultValue: "4096",
    documentation: "Longest text a client may store with a committed offset. Bytes.",
  },
  {
    name: "offsets.retention.check.interval.ms",
    type: "long",
    defaultValue: "600000",
    min: 1,
    documentation: "How often a coordinator looks for committed offsets to drop. Milliseconds.",
  },
  {
    name: "offsets.retention.minutes",
    type: "int",
    defaultValue: "10080",
    min: 1,
    documentation: "How long the committed offsets of a group without members are kept. Minutes.",
  },
  {
    name: "offsets.topic.num.partitions",
    type: "int",
    defaultValue: "50",
    min: 1,
    max: TOPIC_PARTITIONS_MAX,
    documentation:
      "Partitions of the topic of committed offsets. Counts when that topic is created, by the " +
      "first use of a group, and not after it.",
  },
  {
    name: "offsets.topic.replication.factor",
    type: "short",
    defaultValue: "3",
    min: 1,
    documentation:
      "Replicas of the topic of committed offsets when it is created; with fewer brokers, as " +
      "many as there are.",
  },
  {
    name: "offsets.topic.segment.bytes",
    type: "int",
    defaultValue: "104857600",
    min: 1_024,
    documentation: "Segment size of the topic of committed offsets when it is created. Bytes.",
  },
  {
    name: "process.roles",
    type: "list",
    defaultValue: "broker,controller",
    values: ["broker", "controller"],
    documentation:
      "broker: keeps partitions. controller: has a vote. A node among the voters is a controller.",
  },
  {
    name: "producer.id.expiration.ms",
    type: "int",
    defaultValue: "86400000",
    min: 1,
    documentation: "Idempotent producers are forgotten after this long without a record. Ms.",
  },
  {
    name: "replica.lag.time.max.ms",
    type: "long",
    defaultValue: "10000",
    min: 1,
    documentation:
      "A follower that did not reach the leader's log end for this long leaves the in-sync " +
      "replicas. Milliseconds.",
  },
  {
    name: "socket.request.max.bytes",
    type: "int",
    defaultValue: "104857600",
    min: 1_024,
    documentation: "Largest request of a Kafka client; a longer one closes its connection. Bytes.",
  },
  {
    name: "unclean.leader.election.enable",
    type: "boolean",
    defaultValue: "false",
    values: ["false"],
    reason: "an election that may lose records is never automatic; an operator asks for it by name",
    documentation: "Always false: elections that may lose records happen only by name.",
  },
];

/**
 * What is decided once for the whole cluster: how topics are made, and how many replicas a commit
 * needs. If the brokers of a partition differed in that, a new leader would take for committed what
 * the one before it did not.
 */
const NEVER_OF_ONE: ReadonlySet<string> = new Set([
  "default.replication.factor",
  "min.insync.replicas",
  "num.partitions",
]);

function specOf(config: ConfigSpec, scope: BrokerConfigSpec["scope"]): BrokerConfigSpec {
  const changeable = NEVER_OF_ONE.has(config.name) ? "all" : "all-or-one";
  return {
    ...config,
    scope,
    update: scope === "cluster" ? changeable : "read-only",
    isSensitive: false,
    synonyms: SYNONYMS[config.name] ?? [],
  };
}

/** Every setting of a broker, by name. */
export const BROKER_CONFIGS: readonly BrokerConfigSpec[] = [
  ...CLUSTER_CONFIGS.map((config) => specOf(config, "cluster")),
  ...NODE_CONFIGS.map((config) => specOf(config, "node")),
].sort((a, b) => (a.name < b.name ? -1 : 1));

/**
 * Returns why an operator may not write `value` for the setting, or undefined. Some values are legal
 * while brokers run, for whoever allows them by name, but not as a line in a file.
 */
export function writtenProblem(spec: ConfigSpec, value: string): string | undefined {
  if (spec.name === "min.insync.replicas" && value === "1") {
    // With this default the loss of one disk could take what several replicas acknowledged.
    return (
      'min.insync.replicas must be 2 or more, not "1", as a default of topics: a topic with one ' +
      "replica needs one anyway, and one with several gets 1 only from who allows it by name"
    );
  }
  return configProblem(spec, value);
}

const BY_NAME = new Map(BROKER_CONFIGS.map((spec) => [spec.name, spec]));

export function brokerConfigSpec(name: string): BrokerConfigSpec | undefined {
  return BY_NAME.get(name);
}
