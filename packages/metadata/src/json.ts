/**
 * Reads JSON that came from a disk or a wire, field by field. Whatever is missing or of the wrong
 * kind throws {@link MetadataError} with the path to it; own properties only, so that no name can
 * reach a prototype.
 */
import {
  type BrokerEpoch,
  type DirectoryId,
  INT32_MAX,
  isNodeId,
  isUuidText,
  type LeaderEpoch,
  type NodeId,
  type PartitionEpoch,
  type TopicId,
} from "@strandline/model";
import { MetadataError } from "./metadata-error.js";

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Longest text accepted where a field has no bound of its own. Characters. */
const TEXT_LENGTH_MAX = 4096;

/** A JSON object and where it was found. */
export class JsonObject {
  readonly path: string;
  readonly #fields: object;

  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new MetadataError(`${path} is not an object`);
    }
    this.path = path;
    this.#fields = value;
  }

  /** The raw value of a field; undefined when it is missing. */
  value(name: string): unknown {
    if (!Object.hasOwn(this.#fields, name)) return undefined;
    return (this.#fields as Readonly<Record<string, unknown>>)[name];
  }

  /** True when the field is there and not null. */
  has(name: string): boolean {
    const value = this.value(name);
    return value !== undefined && value !== null;
  }

  text(name: string, lengthMax: number = TEXT_LENGTH_MAX): string {
    return textOf(this.value(name), this.#at(name), lengthMax);
  }

  boolean(name: string): boolean {
    const value = this.value(name);
    if (typeof value !== "boolean") throw new MetadataError(`${this.#at(name)} is not a boolean`);
    return value;
  }

  integer(name: string, range: { readonly min: number; readonly max: number }): number {
    return integerOf(this.value(name), this.#at(name), range);
  }

  /** The items of an array, each read by `item`. */
  list<Item>(name: string, item: (value: unknown, path: string) => Item): readonly Item[] {
    return listOf(this.value(name), this.#at(name), item);
  }

  object(name: string): JsonObject {
    return new JsonObject(this.value(name), this.#at(name));
  }

  /** An object of texts, such as configuration by name. */
  texts(name: string): Readonly<Record<string, string>> {
    const path = this.#at(name);
    const value = this.value(name);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new MetadataError(`${path} is not an object`);
    }
    // `fromEntries` defines properties: a key named "__proto__" stays a key.
    return Object.fromEntries(
      Object.entries(value).map(([key, text]) => [key, textOf(text, path, TEXT_LENGTH_MAX)]),
    );
  }

  nodeId(name: string): NodeId {
    return nodeIdOf(this.value(name), this.#at(name));
  }

  /** A node, or -1 for nobody. */
  leader(name: string): NodeId | -1 {
    return this.value(name) === -1 ? -1 : this.nodeId(name);
  }

  nodeIds(name: string): readonly NodeId[] {
    return this.list(name, nodeIdOf);
  }

  brokerEpoch(name: string): BrokerEpoch {
    return this.integer(name, { min: -1, max: Number.MAX_SAFE_INTEGER }) as BrokerEpoch;
  }

  leaderEpoch(name: string): LeaderEpoch {
    return this.integer(name, { min: -1, max: INT32_MAX }) as LeaderEpoch;
  }

  partitionEpoch(name: string): PartitionEpoch {
    return this.integer(name, { min: 0, max: INT32_MAX }) as PartitionEpoch;
  }

  /** Number of a partition within its topic. */
  partition(name: string): number {
    return this.integer(name, { min: 0, max: INT32_MAX });
  }

  topicId(name: string): TopicId {
    return this.uuid(name) as TopicId;
  }

  directoryId(name: string): DirectoryId {
    return this.uuid(name) as DirectoryId;
  }

  /** The 22-character text of an id. */
  uuid(name: string): string {
    const text = this.text(name);
    if (!isUuidText(text)) throw new MetadataError(`${this.#at(name)} is not an id`);
    return text;
  }

  #at(name: string): string {
    return `${this.path}.${name}`;
  }
}

export function textOf(value: unknown, path: string, lengthMax: number = TEXT_LENGTH_MAX): string {
  if (typeof value !== "string") throw new MetadataError(`${path} is not a text`);
  if (value.length > lengthMax) {
    throw new MetadataError(`${path} has ${value.length} characters; at most ${lengthMax} may be`);
  }
  return value;
}

export function integerOf(
  value: unknown,
  path: string,
  range: { readonly min: number; readonly max: number },
): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new MetadataError(`${path} is not an integer`);
  }
  if (value < range.min || value > range.max) {
    throw new MetadataError(`${path} is ${value}, outside ${range.min} to ${range.max}`);
  }
  // JSON can spell minus zero, which `Object.is` and Map keys on other machines tell apart.
  return value + 0;
}

export function listOf<Item>(
  value: unknown,
  path: string,
  item: (value: unknown, path: string) => Item,
): readonly Item[] {
  if (!Array.isArray(value)) throw new MetadataError(`${path} is not an array`);
  return value.map((each: unknown, at) => item(each, `${path}[${at}]`));
}

export function nodeIdOf(value: unknown, path: string): NodeId {
  if (typeof value !== "number" || !isNodeId(value)) {
    throw new MetadataError(`${path} is not a node id`);
  }
  return value;
}
