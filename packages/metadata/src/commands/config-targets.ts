/** What a change of settings is for, and which settings that has. */
import { isNodeId, type NodeId } from "@strandline/model";
import { BROKER_CONFIGS, brokerConfigSpec } from "../broker-configs.js";
import { clusterConfigValue, topicConfigValue } from "../config-resolution.js";
import type { ConfigSpec } from "../config-spec.js";
import { type Refused, refuse } from "../decision.js";
import { absentGroupKind, groupConfigSpec } from "../group-configs.js";
import {
  brokerResource,
  groupResource,
  type MetadataImage,
  type Topic,
  topicByName,
  topicResource,
} from "../image.js";
import { keptConfig } from "../kept-configs.js";
import { clusterConfigSpec, topicConfigSpec } from "../topic-configs.js";
import { unknownSetting } from "./config-changes.js";

export interface ConfigResource {
  readonly type: "topic" | "broker" | "group";
  /** Topic name, broker id, or group id; empty for a broker: all of them. */
  readonly name: string;
}

export interface ConfigTarget {
  /** Key in `MetadataImage.configs`. */
  readonly key: string;
  /** Undefined for anything else than a topic. */
  readonly topic: Topic | undefined;
  /** One broker alone. */
  readonly broker: NodeId | undefined;
  /** Code of the refusal of a bad value: of Kafka's brokers it is another than of its topics. */
  readonly valueCode: "INVALID_CONFIG" | "INVALID_REQUEST";
  /** Of what may be changed; undefined for anything else. */
  specOf(name: string): ConfigSpec | undefined;
  /** Why a setting is none that may be changed. */
  unchangeable(name: string): Refused;
  /** The value that counts before the change, where the setting may be changed. */
  presentValue(spec: ConfigSpec): string;
}

/** Finds what a command is for. Refuses what does not exist. */
export function configTarget(
  image: MetadataImage,
  { type, name }: ConfigResource,
): ConfigTarget | Refused {
  switch (type) {
    case "topic":
      return topicTarget(image, name);
    case "broker":
      return name === "" ? brokerTarget(image, undefined) : oneBrokerTarget(image, name);
    case "group":
      if (name === "") return refuse("INVALID_REQUEST", "a group has a name");
      return groupTarget(image, name);
  }
}

function topicTarget(image: MetadataImage, name: string): ConfigTarget | Refused {
  const topic = topicByName(image, name);
  if (topic === undefined) return refuse("UNKNOWN_TOPIC_OR_PARTITION", `no topic ${name}`);
  return {
    key: topicResource(topic.name),
    topic,
    broker: undefined,
    valueCode: "INVALID_CONFIG",
    specOf: topicConfigSpec,
    unchangeable: unknownSetting,
    presentValue: (spec) => topicConfigValue(image, topic.name, spec.name),
  };
}

function oneBrokerTarget(image: MetadataImage, name: string): ConfigTarget | Refused {
  const id = /^\d{1,10}$/.test(name) ? Number(name) : -1;
  if (isNodeId(id) && image.nodes.has(id)) return brokerTarget(image, id);
  return refuse("INVALID_REQUEST", `no broker ${name}`);
}

function brokerTarget(image: MetadataImage, broker: NodeId | undefined): ConfigTarget {
  const whose = broker === undefined ? "all" : "one";
  return {
    key: brokerResource(broker ?? ""),
    topic: undefined,
    broker,
    valueCode: "INVALID_REQUEST",
    specOf: (name) => {
      const spec = brokerConfigSpec(name) ?? keptConfig(name);
      return spec?.update === whose || spec?.update === "all-or-one" ? spec : undefined;
    },
    unchangeable: (name) => unchangeableBroker(name),
    presentValue: (spec) =>
      clusterConfigSpec(spec.name) === undefined
        ? (image.configs.get(brokerResource(broker ?? ""))?.get(spec.name) ?? spec.defaultValue)
        : clusterConfigValue(image, spec.name, broker),
  };
}

/** Of a broker: what only its start can set, what only all have, or what there is not. */
function unchangeableBroker(name: string): Refused {
  const spec = brokerConfigSpec(name);
  if (spec?.name === "min.insync.replicas") {
    // With this code also by Kafka, where eligible replicas (ELR) are counted.
    return refuse("INVALID_CONFIG", "min.insync.replicas is one for all brokers; name none");
  }
  if (spec?.update === "all") {
    return refuse("INVALID_REQUEST", `${name} is one for all brokers; name none of them`);
  }
  if (spec !== undefined) {
    return refuse("INVALID_REQUEST", `${name} is set at the start of a broker, not while it runs`);
  }
  if (keptConfig(name) !== undefined) {
    return refuse("INVALID_REQUEST", `${name} is set for one broker; name it by its number`);
  }
  const meant = BROKER_CONFIGS.find((each) => each.synonyms.some((other) => other.name === name));
  if (meant === undefined) return unknownSetting(name);
  return refuse("INVALID_REQUEST", `${name} is read at a start only; set ${meant.name}`);
}

function groupTarget(image: MetadataImage, groupId: string): ConfigTarget {
  const key = groupResource(groupId);
  return {
    key,
    topic: undefined,
    broker: undefined,
    valueCode: "INVALID_CONFIG",
    specOf: groupConfigSpec,
    unchangeable: (name) => {
      const kind = absentGroupKind(name);
      if (kind === undefined) return refuse("INVALID_CONFIG", `groups have no setting "${name}"`);
      return refuse("INVALID_CONFIG", `${name} is for ${kind} groups, which there are not`);
    },
    presentValue: (spec) => image.configs.get(key)?.get(spec.name) ?? spec.defaultValue,
  };
}
