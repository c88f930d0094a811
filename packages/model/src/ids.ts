/**
 * Identifiers and positions, branded so that one cannot stand in for another.
 *
 * Offsets are half-open everywhere: `[from, to)`. "End" is exclusive, "last" is inclusive. The
 * high watermark is exclusive: everything below it is committed.
 */
import { assert } from "./assert.js";

declare const brand: unique symbol;
type Branded<Value, Name extends string> = Value & { readonly [brand]: Name };

/** Position of one record in a partition log. Starts at 0, never reused. */
export type Offset = Branded<number, "Offset">;
/** Number of one partition leadership; -1 means none is known. */
export type LeaderEpoch = Branded<number, "LeaderEpoch">;
/** Number of one change of a partition's state (leader, ISR); compare-and-set token. */
export type PartitionEpoch = Branded<number, "PartitionEpoch">;
/** A node: controller, broker or both. 0 to 2^31 - 1. */
export type NodeId = Branded<number, "NodeId">;
/** Number of one incarnation of a broker process: the metadata offset of its registration. */
export type BrokerEpoch = Branded<number, "BrokerEpoch">;
/** Identity of a topic: 22 characters of URL-safe base64 (16 random bytes). Survives no delete. */
export type TopicId = Branded<string, "TopicId">;
/** Identity of a cluster, minted by its first controller leader: 22 characters as a topic id. */
export type ClusterId = Branded<string, "ClusterId">;
/** Identity of a data directory, minted when it is first used: 22 characters as a topic id. */
export type DirectoryId = Branded<string, "DirectoryId">;
/** Identity of an idempotent producer, handed out by the controller in blocks; -1 means none. */
export type ProducerId = Branded<number, "ProducerId">;

/** Admits a number from outside. Above 2^53 - 1 a number stops counting by one. */
export function offset(value: number): Offset {
  assert(Number.isSafeInteger(value) && value >= 0, "offset is a non-negative safe integer");
  return value as Offset;
}

export function leaderEpoch(value: number): LeaderEpoch {
  assert(Number.isInteger(value) && value >= -1 && value <= INT32_MAX, "leader epoch is an int32");
  return value as LeaderEpoch;
}

export function partitionEpoch(value: number): PartitionEpoch {
  assert(
    Number.isInteger(value) && value >= 0 && value <= INT32_MAX,
    "partition epoch is an int32",
  );
  return value as PartitionEpoch;
}

export function nodeId(value: number): NodeId {
  assert(isNodeId(value), "node id is an integer from 0 to 2^31 - 1");
  return value as NodeId;
}

export function isNodeId(value: number): value is NodeId {
  return Number.isInteger(value) && value >= 0 && value <= INT32_MAX;
}

export function brokerEpoch(value: number): BrokerEpoch {
  assert(Number.isSafeInteger(value) && value >= -1, "broker epoch is a safe integer");
  return value as BrokerEpoch;
}

export function producerId(value: number): ProducerId {
  assert(Number.isSafeInteger(value) && value >= -1, "producer id is a safe integer");
  return value as ProducerId;
}

/** True for the 22-character text form that topic, cluster and directory ids share. */
export function isUuidText(text: string): boolean {
  return /^[A-Za-z0-9_-]{22}$/.test(text);
}

export function topicId(text: string): TopicId {
  assert(isUuidText(text), "topic id is 22 characters of URL-safe base64");
  return text as TopicId;
}

export function clusterId(text: string): ClusterId {
  assert(isUuidText(text), "cluster id is 22 characters of URL-safe base64");
  return text as ClusterId;
}

export function directoryId(text: string): DirectoryId {
  assert(isUuidText(text), "directory id is 22 characters of URL-safe base64");
  return text as DirectoryId;
}

const BASE64_URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Sixteen random bytes in the text form of an id. */
export function uuidText(bytes: Uint8Array): string {
  assert(bytes.length === 16, "a uuid is 16 bytes");
  let text = "";
  for (let at = 0; at < 16; at += 3) {
    const a = bytes[at] ?? 0;
    const b = bytes[at + 1] ?? 0;
    const c = bytes[at + 2] ?? 0;
    text += BASE64_URL[a >> 2];
    text += BASE64_URL[((a & 3) << 4) | (b >> 4)];
    if (at + 1 < 16) text += BASE64_URL[((b & 15) << 2) | (c >> 6)];
    if (at + 2 < 16) text += BASE64_URL[c & 63];
  }
  return text;
}

/** One partition of one topic, by identity. */
export interface TopicPartition {
  readonly topicId: TopicId;
  readonly partition: number;
}

/** Map key of a topic partition, and the name of its directory. */
export function topicPartitionKey(topic: TopicId, partition: number): string {
  return `${topic}-${partition}`;
}

export const INT32_MAX = 2_147_483_647;
