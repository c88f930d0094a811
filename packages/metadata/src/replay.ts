/**
 * Makes the next image of records. The only code that changes metadata, on controllers and brokers
 * alike; it decides nothing. A record that the image cannot take throws {@link MetadataError}: the
 * log is damaged or the program is wrong, and whoever catches it may only stop.
 *
 * Copies on write: one call copies each map at most once, and the partition array of a topic once,
 * however many of its partitions change.
 */
import type { LeaderEpoch, NodeId, PartitionEpoch, TopicId } from "@strandline/model";
import { unreachable } from "@strandline/model";
import { deltaOf, type MetadataDelta } from "./delta.js";
import {
  type MetadataImage,
  type NodeRegistration,
  type Partition,
  type Topic,
  topicResource,
} from "./image.js";
import { MetadataError } from "./metadata-error.js";
import { partitionProblem } from "./partition-rules.js";
import type {
  MetadataRecord,
  NodeStateRecord,
  PartitionChangedRecord,
  PartitionCreatedRecord,
  PartitionReassignedRecord,
} from "./records.js";

/** Replays the records of one transaction. `endOffset` is the metadata offset after it. */
export function replay(
  image: MetadataImage,
  records: readonly MetadataRecord[],
  endOffset: number,
): { readonly image: MetadataImage; readonly delta: MetadataDelta } {
  if (!Number.isSafeInteger(endOffset) || endOffset < image.offset) {
    throw new MetadataError(`metadata goes back from offset ${image.offset} to ${endOffset}`);
  }
  const draft = new Draft(image);
  for (const record of records) draft.apply(record);
  const next = draft.finish(endOffset);
  return { image: next, delta: deltaOf(image, next, draft.changed) };
}

interface TopicDraft {
  readonly id: TopicId;
  readonly name: string;
  readonly partitions: Partition[];
}

class Draft {
  readonly changed = {
    topics: new Set<TopicId>(),
    nodes: new Set<NodeId>(),
    configs: new Set<string>(),
  };
  readonly #base: MetadataImage;
  #clusterId: MetadataImage["clusterId"];
  #nextProducerId: number;
  #nodes: Map<NodeId, NodeRegistration> | undefined;
  #topics: Map<TopicId, Topic> | undefined;
  #topicIds: Map<string, TopicId> | undefined;
  #configs: Map<string, ReadonlyMap<string, string>> | undefined;
  /** Topics whose partition array is this draft's own. */
  readonly #own = new Map<TopicId, TopicDraft>();

  constructor(base: MetadataImage) {
    this.#base = base;
    this.#clusterId = base.clusterId;
    this.#nextProducerId = base.nextProducerId;
  }

  apply(record: MetadataRecord): void {
    switch (record.type) {
      case "cluster":
        this.#clusterId = record.clusterId;
        return;
      case "node-registered":
        this.#setNode(record.node);
        return;
      case "node-fenced":
      case "node-unfenced":
      case "node-stopping":
      case "node-removed":
        this.#changeNode(record);
        return;
      case "topic-created":
        this.#createTopic(record.topicId, record.name);
        return;
      case "topic-deleted":
        this.#deleteTopic(record.topicId);
        return;
      case "partition-created":
        this.#createPartition(record);
        return;
      case "partition-changed":
      case "partition-reassigned":
        this.#changePartition(record);
        return;
      case "config-set":
        this.#setConfig(record.resource, record.name, record.value);
        return;
      case "config-removed":
        this.#setConfig(record.resource, record.name, undefined);
        return;
      case "producer-ids-allocated":
        if (record.nextProducerId < this.#nextProducerId) {
          throw new MetadataError("producer ids are handed out again");
        }
        this.#nextProducerId = record.nextProducerId;
        return;
      default:
        unreachable(record);
    }
  }

  finish(endOffset: number): MetadataImage {
    const base = this.#base;
    return {
      clusterId: this.#clusterId,
      offset: endOffset,
      nodes: this.#nodes ?? base.nodes,
      topics: this.#topics ?? base.topics,
      topicIds: this.#topicIds ?? base.topicIds,
      configs: this.#configs ?? base.configs,
      nextProducerId: this.#nextProducerId,
    };
  }

  #setNode(node: NodeRegistration): void {
    const before = (this.#nodes ?? this.#base.nodes).get(node.id);
    if (before !== undefined && node.brokerEpoch < before.brokerEpoch) {
      throw new MetadataError(`the broker epoch of node ${node.id} goes back`);
    }
    this.#nodes ??= new Map(this.#base.nodes);
    this.#nodes.set(node.id, node);
    this.changed.nodes.add(node.id);
  }

  #changeNode(record: NodeStateRecord): void {
    const node = (this.#nodes ?? this.#base.nodes).get(record.nodeId);
    if (node?.brokerEpoch !== record.brokerEpoch) {
      throw new MetadataError(`${record.type}: node ${record.nodeId} has another registration`);
    }
    if (record.type === "node-fenced") this.#setNode({ ...node, isFenced: true });
    if (record.type === "node-unfenced") this.#setNode({ ...node, isFenced: false });
    if (record.type === "node-stopping") this.#setNode({ ...node, isStopping: true });
    if (record.type === "node-removed") {
      this.#nodes ??= new Map(this.#base.nodes);
      this.#nodes.delete(node.id);
      this.changed.nodes.add(node.id);
    }
  }

  #createTopic(id: TopicId, name: string): void {
    this.#topicIds ??= new Map(this.#base.topicIds);
    this.#topics ??= new Map(this.#base.topics);
    if (this.#topics.has(id) || this.#topicIds.has(name)) {
      throw new MetadataError(`topic ${name} (${id}) is created twice`);
    }
    const topic: TopicDraft = { id, name, partitions: [] };
    this.#topicIds.set(name, id);
    this.#topics.set(id, topic);
    this.#own.set(id, topic);
    this.changed.topics.add(id);
  }

  #deleteTopic(id: TopicId): void {
    this.#topicIds ??= new Map(this.#base.topicIds);
    this.#topics ??= new Map(this.#base.topics);
    const topic = this.#topics.get(id);
    if (topic === undefined) throw new MetadataError(`topic ${id} is deleted but does not exist`);
    this.#topics.delete(id);
    this.#topicIds.delete(topic.name);
    this.#own.delete(id);
    this.changed.topics.add(id);
    const resource = topicResource(topic.name);
    if (!(this.#configs ?? this.#base.configs).has(resource)) return;
    this.#configs ??= new Map(this.#base.configs);
    this.#configs.delete(resource);
    this.changed.configs.add(resource);
  }

  #createPartition(record: PartitionCreatedRecord): void {
    const { partitions } = this.#ownTopic(record.topicId);
    if (record.partition !== partitions.length) {
      throw new MetadataError(`partition ${record.partition} of ${record.topicId} leaves a gap`);
    }
    const partition: Partition = {
      replicas: record.replicas,
      adding: [],
      removing: [],
      isr: record.isr,
      elr: [],
      leader: record.leader,
      leaderEpoch: 0 as LeaderEpoch,
      partitionEpoch: 0 as PartitionEpoch,
    };
    checkPartition(record, partition);
    partitions.push(partition);
  }

  #changePartition(record: PartitionChangedRecord | PartitionReassignedRecord): void {
    const { partitions } = this.#ownTopic(record.topicId);
    const before = partitions[record.partition];
    if (before === undefined) {
      throw new MetadataError(`partition ${record.partition} of ${record.topicId} does not exist`);
    }
    const isNewLeader = record.leader !== before.leader;
    const leaderEpoch = before.leaderEpoch + (isNewLeader ? 1 : 0);
    if (record.partitionEpoch !== before.partitionEpoch + 1 || record.leaderEpoch !== leaderEpoch) {
      throw new MetadataError(`the epochs of ${record.topicId}-${record.partition} do not follow`);
    }
    const { replicas, adding, removing } = record.type === "partition-reassigned" ? record : before;
    const after: Partition = {
      replicas,
      adding,
      removing,
      isr: record.isr,
      elr: record.elr,
      leader: record.leader,
      leaderEpoch: record.leaderEpoch,
      partitionEpoch: record.partitionEpoch,
    };
    checkPartition(record, after);
    partitions[record.partition] = after;
  }

  #setConfig(resource: string, name: string, value: string | undefined): void {
    this.#configs ??= new Map(this.#base.configs);
    const settings = new Map(this.#configs.get(resource));
    if (value === undefined) settings.delete(name);
    else settings.set(name, value);
    if (settings.size === 0) this.#configs.delete(resource);
    else this.#configs.set(resource, settings);
    this.changed.configs.add(resource);
  }

  #ownTopic(id: TopicId): TopicDraft {
    const own = this.#own.get(id);
    if (own !== undefined) return own;
    this.#topics ??= new Map(this.#base.topics);
    const topic = this.#topics.get(id);
    if (topic === undefined) throw new MetadataError(`topic ${id} does not exist`);
    const copy: TopicDraft = { id, name: topic.name, partitions: [...topic.partitions] };
    this.#topics.set(id, copy);
    this.#own.set(id, copy);
    this.changed.topics.add(id);
    return copy;
  }
}

function checkPartition(
  at: { readonly topicId: TopicId; readonly partition: number },
  partition: Partition,
): void {
  const problem = partitionProblem(partition);
  if (problem !== undefined) {
    throw new MetadataError(`${at.topicId}-${at.partition} breaks a rule: ${problem}`);
  }
}
