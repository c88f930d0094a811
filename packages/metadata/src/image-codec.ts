/**
 * The image as a JSON snapshot. Maps become arrays in their own order, so that a decoded image
 * iterates exactly as the encoded one did.
 */
import type { ClusterId, NodeId, TopicId } from "@strandline/model";
import {
  isReassigned,
  type MetadataImage,
  type NodeRegistration,
  type Partition,
  type Topic,
} from "./image.js";
import { JsonObject, type JsonValue, listOf, textOf } from "./json.js";
import { MetadataError } from "./metadata-error.js";
import { partitionProblem } from "./partition-rules.js";
import { decodeNode } from "./record-codec.js";

/**
 * The image as plain JSON; shares its arrays, so it must not be changed. Version 2 has partitions
 * that are reassigned. A program that does not know them must not take them for others, and one
 * that need not know them can read the rest.
 */
export function encodeImage(image: MetadataImage): JsonValue {
  const isReassigning = [...image.topics.values()].some((topic) =>
    topic.partitions.some(isReassigned),
  );
  return {
    version: isReassigning ? 2 : 1,
    clusterId: image.clusterId ?? null,
    offset: image.offset,
    nextProducerId: image.nextProducerId,
    nodes: [...image.nodes.values()].map((node) => ({
      ...node,
      kafkaListeners: node.kafkaListeners.map((listener) => ({ ...listener })),
    })),
    topics: [...image.topics.values()].map((topic) => ({
      id: topic.id,
      name: topic.name,
      partitions: topic.partitions.map(encodePartition),
    })),
    configs: [...image.configs].map(([resource, settings]) => ({
      resource,
      settings: [...settings],
    })),
  };
}

function encodePartition(partition: Partition): JsonValue {
  if (isReassigned(partition)) return { ...partition };
  const { adding: _adding, removing: _removing, ...rest } = partition;
  return rest;
}

/** Reads a snapshot. Throws {@link MetadataError} when it is malformed or breaks a rule. */
export function decodeImage(value: unknown): MetadataImage {
  const json = new JsonObject(value, "image");
  json.integer("version", { min: 1, max: 2 });
  const count = { min: 0, max: Number.MAX_SAFE_INTEGER };
  const topics = byKey(json.list("topics", decodeTopic), (topic) => topic.id, "topics");
  return {
    clusterId: json.has("clusterId") ? (json.uuid("clusterId") as ClusterId) : undefined,
    offset: json.integer("offset", count),
    nodes: byKey<NodeId, NodeRegistration>(
      json.list("nodes", (node, path) => decodeNode(new JsonObject(node, path))),
      (node) => node.id,
      "nodes",
    ),
    topics,
    topicIds: namesOf(topics),
    configs: decodeConfigs(json),
    nextProducerId: json.integer("nextProducerId", count),
  };
}

function decodeTopic(value: unknown, path: string): Topic {
  const json = new JsonObject(value, path);
  return {
    id: json.topicId("id"),
    name: json.text("name"),
    partitions: json.list("partitions", decodePartition),
  };
}

function decodePartition(value: unknown, path: string): Partition {
  const json = new JsonObject(value, path);
  const partition: Partition = {
    replicas: json.nodeIds("replicas"),
    adding: json.has("adding") ? json.nodeIds("adding") : [],
    removing: json.has("removing") ? json.nodeIds("removing") : [],
    isr: json.nodeIds("isr"),
    elr: json.nodeIds("elr"),
    leader: json.leader("leader"),
    leaderEpoch: json.leaderEpoch("leaderEpoch"),
    partitionEpoch: json.partitionEpoch("partitionEpoch"),
  };
  const problem = partitionProblem(partition);
  if (problem !== undefined) throw new MetadataError(`${path} breaks a rule: ${problem}`);
  return partition;
}

function decodeConfigs(json: JsonObject): MetadataImage["configs"] {
  const configs = json.list("configs", decodeSettings);
  const resources = byKey(configs, ([resource]) => resource, "configs");
  return new Map([...resources].map(([resource, [, settings]]) => [resource, settings]));
}

function decodeSettings(value: unknown, path: string): [string, ReadonlyMap<string, string>] {
  const json = new JsonObject(value, path);
  const settings = json.list("settings", (pair, at) => {
    const texts = listOf(pair, at, (text, where) => textOf(text, where));
    const [name, setting] = texts;
    if (texts.length !== 2 || name === undefined || setting === undefined) {
      throw new MetadataError(`${at} is not a name and a value`);
    }
    return [name, setting] as const;
  });
  return [json.text("resource"), new Map(settings)];
}

function byKey<Key, Item>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
  what: string,
): ReadonlyMap<Key, Item> {
  const map = new Map(items.map((item) => [keyOf(item), item]));
  if (map.size !== items.length) throw new MetadataError(`image.${what} holds one of them twice`);
  return map;
}

function namesOf(topics: ReadonlyMap<TopicId, Topic>): ReadonlyMap<string, TopicId> {
  const names = new Map([...topics.values()].map((topic) => [topic.name, topic.id]));
  if (names.size !== topics.size) throw new MetadataError("image.topics holds a name twice");
  return names;
}
