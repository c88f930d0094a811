/** What changed between two images: what a broker acts on. */
import type { NodeId, TopicId } from "@strandline/model";
import type { MetadataImage, NodeRegistration, Partition, Topic } from "./image.js";
import { sameKafkaListeners } from "./kafka-listeners.js";

export interface MetadataDelta {
  /** Created (no `before`), changed, deleted (no `after`); those of whole topics included. */
  readonly partitions: readonly PartitionDelta[];
  /** Created (no `before`) and deleted (no `after`) topics; not those whose partitions changed. */
  readonly topics: readonly TopicDelta[];
  readonly nodes: readonly NodeDelta[];
  /** Keys of `MetadataImage.configs` whose settings changed. */
  readonly configs: readonly string[];
}

export interface PartitionDelta {
  readonly topicId: TopicId;
  readonly partition: number;
  readonly before: Partition | undefined;
  readonly after: Partition | undefined;
}

export interface TopicDelta {
  readonly topicId: TopicId;
  readonly name: string;
  readonly before: Topic | undefined;
  readonly after: Topic | undefined;
}

export interface NodeDelta {
  readonly id: NodeId;
  readonly before: NodeRegistration | undefined;
  readonly after: NodeRegistration | undefined;
}

/** What may differ between two images; undefined where anything may. */
export interface ChangedKeys {
  readonly topics: Iterable<TopicId>;
  readonly nodes: Iterable<NodeId>;
  readonly configs: Iterable<string>;
}

/** Compares two images whole: for a snapshot that takes an image's place. */
export function diffImages(before: MetadataImage, after: MetadataImage): MetadataDelta {
  return deltaOf(before, after, {
    topics: new Set([...before.topics.keys(), ...after.topics.keys()]),
    nodes: new Set([...before.nodes.keys(), ...after.nodes.keys()]),
    configs: new Set([...before.configs.keys(), ...after.configs.keys()]),
  });
}

/** Compares two images where they may differ. What is the same object is not looked into. */
export function deltaOf(
  before: MetadataImage,
  after: MetadataImage,
  keys: ChangedKeys,
): MetadataDelta {
  const partitions: PartitionDelta[] = [];
  const topics: TopicDelta[] = [];
  for (const id of keys.topics) {
    const was = before.topics.get(id);
    const is = after.topics.get(id);
    if (was === is) continue;
    if (was === undefined || is === undefined) {
      topics.push({ topicId: id, name: (is ?? was)?.name ?? "", before: was, after: is });
    }
    comparePartitions(id, was, is, partitions);
  }
  const nodes: NodeDelta[] = [];
  for (const id of keys.nodes) {
    const was = before.nodes.get(id);
    const is = after.nodes.get(id);
    if (!sameNode(was, is)) nodes.push({ id, before: was, after: is });
  }
  const configs: string[] = [];
  for (const key of keys.configs) {
    if (!sameSettings(before.configs.get(key), after.configs.get(key))) configs.push(key);
  }
  return { partitions, topics, nodes, configs };
}

function comparePartitions(
  topicId: TopicId,
  was: Topic | undefined,
  is: Topic | undefined,
  deltas: PartitionDelta[],
): void {
  const count = Math.max(was?.partitions.length ?? 0, is?.partitions.length ?? 0);
  for (let partition = 0; partition < count; partition += 1) {
    const before = was?.partitions[partition];
    const after = is?.partitions[partition];
    if (!samePartition(before, after)) deltas.push({ topicId, partition, before, after });
  }
}

function samePartition(a: Partition | undefined, b: Partition | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return (
    a.partitionEpoch === b.partitionEpoch &&
    a.leaderEpoch === b.leaderEpoch &&
    a.leader === b.leader &&
    sameIds(a.replicas, b.replicas) &&
    sameIds(a.adding, b.adding) &&
    sameIds(a.removing, b.removing) &&
    sameIds(a.isr, b.isr) &&
    sameIds(a.elr, b.elr)
  );
}

export function sameIds(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}

function sameNode(a: NodeRegistration | undefined, b: NodeRegistration | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  const names = Object.keys(a) as (keyof NodeRegistration)[];
  // The former processes change only with the present one.
  return names.every((name) => {
    if (name === "kafkaListeners") return sameKafkaListeners(a[name], b[name]);
    return name === "formerIncarnations" || a[name] === b[name];
  });
}

type Settings = ReadonlyMap<string, string> | undefined;

function sameSettings(a: Settings, b: Settings): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.size !== b.size) return false;
  for (const [name, value] of a) if (b.get(name) !== value) return false;
  return true;
}
