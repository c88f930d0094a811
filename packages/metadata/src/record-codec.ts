/** Metadata records as JSON. Decoding trusts nothing: the bytes come from a disk or a peer. */
import type { ClusterId } from "@strandline/model";
import type { NodeRegistration } from "./image.js";
import { JsonObject, type JsonValue, listOf, textOf } from "./json.js";
import { decodeKafkaListeners } from "./kafka-listeners.js";
import { MetadataError } from "./metadata-error.js";
import type { MetadataRecord, NodeStateRecord, NodeTurn } from "./records.js";

/** Records as JSON: one transaction. They are plain data already. */
export function encodeRecords(records: readonly MetadataRecord[]): JsonValue {
  return records as unknown as JsonValue;
}

/** Reads the records of one transaction. Throws {@link MetadataError} on anything malformed. */
export function decodeRecords(json: unknown): MetadataRecord[] {
  return [...listOf(json, "records", decodeRecord)];
}

type Decoder<Type extends MetadataRecord["type"]> = (
  json: JsonObject,
) => Extract<MetadataRecord, { readonly type: Type }>;

const DECODERS: { readonly [Type in MetadataRecord["type"]]: Decoder<Type> } = {
  cluster: (json) => ({
    type: "cluster",
    version: 1,
    clusterId: json.uuid("clusterId") as ClusterId,
  }),
  "node-registered": (json) => ({
    type: "node-registered",
    version: 1,
    node: decodeNode(json.object("node")),
  }),
  "node-fenced": (json) => nodeState("node-fenced", json),
  "node-unfenced": (json) => nodeState("node-unfenced", json),
  "node-stopping": (json) => nodeState("node-stopping", json),
  "node-removed": (json) => nodeState("node-removed", json),
  "topic-created": (json) => ({
    type: "topic-created",
    version: 1,
    topicId: json.topicId("topicId"),
    name: json.text("name"),
  }),
  "topic-deleted": (json) => ({
    type: "topic-deleted",
    version: 1,
    topicId: json.topicId("topicId"),
  }),
  "partition-created": (json) => ({
    type: "partition-created",
    version: 1,
    topicId: json.topicId("topicId"),
    partition: json.partition("partition"),
    replicas: json.nodeIds("replicas"),
    isr: json.nodeIds("isr"),
    leader: json.leader("leader"),
  }),
  "partition-changed": (json) => ({
    type: "partition-changed",
    version: 1,
    topicId: json.topicId("topicId"),
    partition: json.partition("partition"),
    isr: json.nodeIds("isr"),
    elr: json.nodeIds("elr"),
    leader: json.leader("leader"),
    leaderEpoch: json.leaderEpoch("leaderEpoch"),
    partitionEpoch: json.partitionEpoch("partitionEpoch"),
    ...(json.has("isUnclean") && json.boolean("isUnclean") ? { isUnclean: true as const } : {}),
  }),
  "partition-reassigned": (json) => ({
    type: "partition-reassigned",
    version: 1,
    topicId: json.topicId("topicId"),
    partition: json.partition("partition"),
    replicas: json.nodeIds("replicas"),
    adding: json.nodeIds("adding"),
    removing: json.nodeIds("removing"),
    isr: json.nodeIds("isr"),
    elr: json.nodeIds("elr"),
    leader: json.leader("leader"),
    leaderEpoch: json.leaderEpoch("leaderEpoch"),
    partitionEpoch: json.partitionEpoch("partitionEpoch"),
  }),
  "config-set": (json) => ({
    type: "config-set",
    version: 1,
    resource: json.text("resource"),
    name: json.text("name"),
    value: json.text("value"),
  }),
  "config-removed": (json) => ({
    type: "config-removed",
    version: 1,
    resource: json.text("resource"),
    name: json.text("name"),
  }),
  "producer-ids-allocated": (json) => ({
    type: "producer-ids-allocated",
    version: 1,
    brokerId: json.nodeId("brokerId"),
    brokerEpoch: json.brokerEpoch("brokerEpoch"),
    nextProducerId: json.integer("nextProducerId", { min: 0, max: Number.MAX_SAFE_INTEGER }),
  }),
};

function decodeRecord(value: unknown, path: string): MetadataRecord {
  const json = new JsonObject(value, path);
  const type = json.text("type");
  if (!isRecordType(type)) throw new MetadataError(`${path} is of unknown type "${type}"`);
  // A newer version may mean something else: reading it as version 1 would fork the image.
  json.integer("version", { min: 1, max: 1 });
  return DECODERS[type](json);
}

function isRecordType(type: string): type is MetadataRecord["type"] {
  return Object.hasOwn(DECODERS, type);
}

function nodeState<Type extends NodeStateRecord["type"]>(
  type: Type,
  json: JsonObject,
): NodeTurn<Type> {
  return {
    type,
    version: 1,
    nodeId: json.nodeId("nodeId"),
    brokerEpoch: json.brokerEpoch("brokerEpoch"),
  };
}

/** A node's registration, as records and image snapshots hold it. */
export function decodeNode(json: JsonObject): NodeRegistration {
  return {
    id: json.nodeId("id"),
    directoryId: json.directoryId("directoryId"),
    incarnationId: json.text("incarnationId"),
    formerIncarnations: json.list("formerIncarnations", (text, path) => textOf(text, path)),
    brokerEpoch: json.brokerEpoch("brokerEpoch"),
    address: json.text("address"),
    peerAddress: json.text("peerAddress"),
    kafkaListeners: decodeKafkaListeners(json),
    rack: json.text("rack"),
    version: json.text("version"),
    isFenced: json.boolean("isFenced"),
    isStopping: json.boolean("isStopping"),
    cleanShutdown: json.boolean("cleanShutdown"),
  };
}
