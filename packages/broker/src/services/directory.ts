/** Finds topics, partitions and leaders in the newest metadata image. */
import type { MetadataImage, Partition as PartitionImage, Topic } from "@strandline/metadata";
import { BrokerError, type NodeId } from "@strandline/model";
import type { Partition } from "../partition/partition.js";
import type { Partitions } from "../partition/partitions.js";

export class Directory {
  readonly nodeId: NodeId;
  readonly #image: () => MetadataImage;
  readonly #partitions: Partitions;

  constructor(nodeId: NodeId, image: () => MetadataImage, partitions: Partitions) {
    this.nodeId = nodeId;
    this.#image = image;
    this.#partitions = partitions;
  }

  get image(): MetadataImage {
    return this.#image();
  }

  /** Throws UNKNOWN_TOPIC_OR_PARTITION. */
  topic(name: string): Topic {
    const image = this.#image();
    const id = image.topicIds.get(name);
    const topic = id === undefined ? undefined : image.topics.get(id);
    if (topic === undefined) {
      throw new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", `topic "${name}" does not exist`);
    }
    return topic;
  }

  /** Throws UNKNOWN_TOPIC_OR_PARTITION. */
  partition(name: string, partition: number): { topic: Topic; state: PartitionImage } {
    const topic = this.topic(name);
    const state = topic.partitions[partition];
    if (state === undefined) {
      throw new BrokerError(
        "UNKNOWN_TOPIC_OR_PARTITION",
        `topic "${name}" has partitions 0 to ${topic.partitions.length - 1}, not ${partition}`,
      );
    }
    return { topic, state };
  }

  /** This broker's replica, led here by the metadata. Throws the refusal; nothing is passed on. */
  led(topic: Topic, partition: number): Partition {
    const state = topic.partitions[partition];
    if (state === undefined) {
      throw new BrokerError(
        "UNKNOWN_TOPIC_OR_PARTITION",
        `topic "${topic.name}" has partitions 0 to ${topic.partitions.length - 1}, not ${partition}`,
      );
    }
    const replica =
      state.leader === this.nodeId ? this.#partitions.get(topic.id, partition) : undefined;
    if (replica === undefined) {
      throw new BrokerError(
        "NOT_LEADER_OR_FOLLOWER",
        `this broker does not lead ${topic.name}-${partition}`,
      );
    }
    return replica;
  }

  /**
   * Who answers for a partition: this broker's replica, or another broker to pass the request on
   * to. A request that was passed on already is refused instead. Throws the refusal.
   */
  leader(
    name: string,
    partition: number,
    isForwarded: boolean,
  ): { kind: "local"; replica: Partition } | { kind: "remote"; leaderId: NodeId; address: string } {
    const { topic, state } = this.partition(name, partition);
    if (state.leader === -1) {
      throw new BrokerError("LEADER_NOT_AVAILABLE", `${name}-${partition} has no leader now`);
    }
    if (state.leader === this.nodeId) {
      const replica = this.#partitions.get(topic.id, partition);
      if (replica === undefined) {
        throw new BrokerError("NOT_LEADER_OR_FOLLOWER", `${name}-${partition} is being opened`);
      }
      return { kind: "local", replica };
    }
    if (isForwarded) {
      throw new BrokerError(
        "NOT_LEADER_OR_FOLLOWER",
        `broker ${state.leader} leads ${name}-${partition}`,
      );
    }
    const address = this.#image().nodes.get(state.leader)?.peerAddress;
    if (address === undefined) {
      throw new BrokerError("BROKER_NOT_AVAILABLE", `broker ${state.leader} is not known`);
    }
    return { kind: "remote", leaderId: state.leader, address };
  }
}
