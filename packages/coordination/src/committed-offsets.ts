/** How far one group has come, by topic and partition. */
import type { OffsetValue } from "./records/offset-value.js";

export class CommittedOffsets {
  readonly #topics = new Map<string, Map<number, OffsetValue>>();

  get isEmpty(): boolean {
    return this.#topics.size === 0;
  }

  get topics(): readonly string[] {
    return [...this.#topics.keys()];
  }

  get(topic: string, partition: number): OffsetValue | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  /** Partitions of a topic that have an offset, in ascending order. */
  partitionsOf(topic: string): readonly number[] {
    const partitions = this.#topics.get(topic);
    return partitions === undefined ? [] : [...partitions.keys()].sort((a, b) => a - b);
  }

  set(topic: string, partition: number, value: OffsetValue): void {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#topics.set(topic, partitions);
    }
    partitions.set(partition, value);
  }

  /** Returns whether there was one. */
  delete(topic: string, partition: number): boolean {
    const partitions = this.#topics.get(topic);
    const isDeleted = partitions?.delete(partition) ?? false;
    if (partitions?.size === 0) this.#topics.delete(topic);
    return isDeleted;
  }

  *entries(): Generator<{ topic: string; partition: number; value: OffsetValue }> {
    for (const [topic, partitions] of this.#topics) {
      for (const [partition, value] of partitions) yield { topic, partition, value };
    }
  }
}
