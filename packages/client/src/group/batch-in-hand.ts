/**
 * The batch that a member hands out, and what of it is done: everything that was handed out before
 * the next record, or batch, was asked for.
 */
import type {
  ConsumerBatch,
  ConsumerRecord,
  TopicPartitionName,
} from "../consumer/consumer-record.js";
import { type Deferred, deferred } from "../deferred.js";
import type { DoneOffsets } from "./done-offsets.js";

export class BatchInHand {
  readonly #done: DoneOffsets;
  #batch: ConsumerBatch | undefined;
  /** Records that were handed out. */
  #handedOut = 0;
  /** Resolves when the batch is put down. */
  #isFree: Deferred<void> | undefined;

  constructor(done: DoneOffsets) {
    this.#done = done;
  }

  /** Where it comes from; undefined when there is none. */
  get place(): TopicPartitionName | undefined {
    return this.#batch;
  }

  /** Takes a batch up, to be handed out record by record. */
  takeUp(batch: ConsumerBatch): void {
    this.#batch = batch;
    this.#handedOut = 0;
  }

  /** The next of its records. */
  next(): ConsumerRecord | undefined {
    const record = this.#batch?.records[this.#handedOut];
    if (record !== undefined) this.#handedOut += 1;
    return record;
  }

  /** All of its records. */
  whole(): ConsumerBatch | undefined {
    this.#handedOut = this.#batch?.records.length ?? 0;
    return this.#batch;
  }

  /** Counts what was handed out as done. */
  finish(): void {
    if (this.#batch === undefined) return;
    const { records, nextOffset } = this.#batch;
    const last = records[this.#handedOut - 1];
    if (this.#handedOut >= records.length) this.#done.done(this.#batch, nextOffset);
    else if (last !== undefined) this.#done.done(this.#batch, last.offset + 1);
  }

  /** Hands out no more of it. */
  putDown(): void {
    this.#batch = undefined;
    this.#isFree?.resolve();
    this.#isFree = undefined;
  }

  isOf(partitions: readonly TopicPartitionName[]): boolean {
    const { topic, partition } = this.#batch ?? {};
    return partitions.some((place) => place.topic === topic && place.partition === partition);
  }

  /** Resolves once nothing of these partitions is being worked on. */
  async untilFreeOf(partitions: readonly TopicPartitionName[]): Promise<void> {
    while (this.isOf(partitions)) {
      this.#isFree ??= deferred();
      await this.#isFree.promise;
    }
  }
}
