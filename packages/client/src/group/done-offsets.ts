/** How far a member has come: what was done, and what of it the group knows. */
import type { GroupOffset } from "@strandline/rpc";
import { partitionKey } from "../consumer/consume-connection.js";
import type { TopicPartitionName } from "../consumer/consumer-record.js";

interface Place extends TopicPartitionName {
  /** The next record that is not done. */
  done: number;
  /** As told to the group. */
  committed: number;
}

export class DoneOffsets {
  readonly #places = new Map<string, Place>();

  /** Everything before `offset` is done. */
  done({ topic, partition }: TopicPartitionName, offset: number): void {
    const key = partitionKey(topic, partition);
    const place = this.#places.get(key);
    if (place === undefined) {
      this.#places.set(key, { topic, partition, done: offset, committed: -1 });
    } else {
      place.done = offset;
    }
  }

  /** What the group does not know yet, of these partitions or of all. */
  uncommitted(partitions?: readonly TopicPartitionName[]): readonly GroupOffset[] {
    const wanted = partitions?.map(({ topic, partition }) => partitionKey(topic, partition));
    return [...this.#places]
      .filter(([key, { done, committed }]) => {
        return done > committed && (wanted?.includes(key) ?? true);
      })
      .map(([, { topic, partition, done }]) => ({ topic, partition, offset: done, metadata: "" }));
  }

  /** The group knows these now. */
  committed(offsets: readonly GroupOffset[]): void {
    for (const { topic, partition, offset } of offsets) {
      const place = this.#places.get(partitionKey(topic, partition));
      if (place !== undefined) place.committed = Math.max(place.committed, offset);
    }
  }

  forget({ topic, partition }: TopicPartitionName): void {
    this.#places.delete(partitionKey(topic, partition));
  }
}
