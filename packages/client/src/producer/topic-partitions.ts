/** The partitions of one topic as a producer sees them, and the choice among them. */
import type { Random } from "@strandline/platform";
import { partitionForKey, type RecordInput } from "@strandline/record";
import type { TopicView } from "../cluster/cluster-metadata.js";
import type { PartitionQueue } from "./partition-queue.js";
import type { PendingBatch } from "./pending-batch.js";

interface Sticky {
  readonly queue: PartitionQueue;
  readonly batch: PendingBatch | undefined;
}

export class TopicPartitions {
  readonly #random: Random;
  readonly #newQueue: (partition: number) => PartitionQueue;
  readonly #queues: (PartitionQueue | undefined)[] = [];
  /** Gathers the records without key, until its batch is full or sent. */
  #sticky: Sticky | undefined;
  #left: PartitionQueue | undefined;

  constructor(random: Random, newQueue: (partition: number) => PartitionQueue) {
    this.#random = random;
    this.#newQueue = newQueue;
  }

  /** Queues that were ever used. */
  queues(): readonly PartitionQueue[] {
    return this.#queues.filter((queue) => queue !== undefined);
  }

  queue(partition: number): PartitionQueue {
    let queue = this.#queues[partition];
    if (queue === undefined) {
      queue = this.#newQueue(partition);
      this.#queues[partition] = queue;
    }
    return queue;
  }

  /**
   * The queue for a record that names no partition: by its key as Kafka's Java client does, or the
   * one that gathers records without key just now.
   */
  choose(topic: TopicView, input: RecordInput, bytesMax: number): PartitionQueue {
    if (input.key !== null) return this.queue(partitionForKey(input.key, topic.partitions.length));
    const sticky = this.#sticky;
    if (sticky !== undefined && sticky.batch === sticky.queue.openBatch) {
      if (sticky.queue.hasRoomFor(bytesMax)) return sticky.queue;
      this.#left = sticky.queue;
    }
    return this.queue(this.#another(topic, sticky?.queue.partition));
  }

  /** The queue whose open batch the last choice left because it is full, once. */
  takeLeft(): PartitionQueue | undefined {
    const left = this.#left;
    this.#left = undefined;
    return left;
  }

  /** A record without key went into `batch`: the next ones follow it there. */
  stickTo(queue: PartitionQueue, batch: PendingBatch): void {
    if (this.#sticky?.batch !== batch) this.#sticky = { queue, batch };
  }

  /** At random among the partitions with a leader, and not the same again if there is a choice. */
  #another(topic: TopicView, previous: number | undefined): number {
    const withLeader = topic.partitions.filter((partition) => partition.leaderId >= 0);
    const all = withLeader.length > 0 ? withLeader : topic.partitions;
    const others = all.filter((partition) => partition.partition !== previous);
    const among = others.length > 0 ? others : all;
    return among[this.#random.below(among.length)]?.partition ?? 0;
  }
}
