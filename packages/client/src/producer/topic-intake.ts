/** One topic of a producer: what is known of it, its partitions, and the records in line for it. */
import type { TopicView } from "../cluster/cluster-metadata.js";
import type { TopicPartitions } from "./topic-partitions.js";
import { WaitingRecords } from "./waiting-records.js";

export class TopicIntake {
  readonly name: string;
  readonly partitions: TopicPartitions;
  readonly waiting = new WaitingRecords();
  /** Undefined until the topic is known, and once it is gone. */
  view: TopicView | undefined;
  /** True while metadata is being asked for on behalf of the records in line. */
  isLoading = false;

  constructor(name: string, partitions: TopicPartitions) {
    this.name = name;
    this.partitions = partitions;
  }

  /** True when a record for it may go into a batch at once. */
  get isReady(): boolean {
    return this.view !== undefined && this.waiting.count === 0;
  }

  /** True when the known topic has no such partition: it may have been added since. */
  lacks(partition: number | undefined): boolean {
    return (
      partition !== undefined && this.view !== undefined && partition >= this.view.partitions.length
    );
  }
}
