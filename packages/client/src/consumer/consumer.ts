/**
 * Reads the records of the partitions it is assigned, in order per partition, each once: it goes on
 * at the next offset whatever happens to leaders and connections in between.
 */
import type { BrokerError } from "@strandline/model";
import type { ClusterConnection } from "../cluster/cluster-connection.js";
import type { StartAt } from "../cluster/offset-finder.js";
import { asError, ClientError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import { anySignal } from "../waits.js";
import type { AssignedPartition } from "./assigned-partition.js";
import { partitionKey } from "./consume-connection.js";
import type { ConsumerWaitOptions } from "./consumer-options.js";
import type {
  ConsumerBatch,
  ConsumerRecord,
  PartitionAssignment,
  TopicPartitionName,
} from "./consumer-record.js";
import { Fetcher, type FetcherOptions } from "./fetcher.js";
import { Iterations } from "./iterations.js";
import { resolveAssignment } from "./resolve-assignment.js";

/** A batch of which some records were handed out one by one. */
interface Current {
  readonly batch: ConsumerBatch;
  readonly partition: AssignedPartition;
  index: number;
}

export class Consumer implements AsyncIterable<ConsumerRecord> {
  readonly #ports: ClientPorts;
  readonly #options: FetcherOptions;
  readonly #cluster: ClusterConnection;
  readonly #onClosed: () => void;
  readonly #fetcher: Fetcher;
  readonly #closing = new AbortController();
  readonly #iterations = new Iterations(() => this.#closing.signal.aborted || this.#isAtEnd());
  #partitions: ReadonlyMap<string, AssignedPartition> = new Map();
  #assignments = 0;
  #current: Current | undefined;

  constructor(
    ports: ClientPorts,
    options: FetcherOptions,
    parts: { readonly cluster: ClusterConnection; readonly onClosed: () => void },
  ) {
    this.#ports = ports;
    this.#options = options;
    this.#cluster = parts.cluster;
    this.#onClosed = parts.onClosed;
    this.#fetcher = new Fetcher(ports, options, {
      cluster: parts.cluster,
      callbacks: {
        onChange: () => this.#iterations.wake(),
        onOutOfRange: (partition, error) => this.#outOfRange(partition, error),
      },
    });
  }

  /** Bytes read ahead and not handed out. */
  get bufferedBytes(): number {
    return this.#fetcher.bufferedBytes;
  }

  /** What is assigned now. */
  assignment(): readonly TopicPartitionName[] {
    return [...this.#partitions.values()].map(({ topic, partition }) => ({ topic, partition }));
  }

  /**
   * Replaces what is read. Starts such as "latest" are found out before it resolves, and so mean
   * this moment whenever reading begins. When it rejects, what was read before is still read:
   * `UNKNOWN_TOPIC_OR_PARTITION`, `UNAVAILABLE`, `ABORTED`, `INVALID_ARGUMENT`.
   */
  async assign(
    assignments: readonly PartitionAssignment[],
    options: ConsumerWaitOptions = {},
  ): Promise<void> {
    this.#refuseClosed();
    const turn = ++this.#assignments;
    const { stopAtEnd } = this.#options.consumer;
    const either = anySignal([options.signal, this.#closing.signal]);
    try {
      const wait = { stopAtEnd, signal: either.signal };
      const partitions = await resolveAssignment(this.#cluster, assignments, wait);
      this.#refuseClosed();
      // A later call has spoken meanwhile.
      if (turn !== this.#assignments) return;
      for (const partition of this.#partitions.values()) this.#fetcher.remove(partition);
      this.#current = undefined;
      this.#partitions = partitions;
      for (const partition of partitions.values()) this.#fetcher.add(partition);
      this.#iterations.wake();
    } catch (error) {
      this.#refuseClosed();
      throw error;
    } finally {
      either.release();
    }
  }

  /** Offset of the record that comes next from this partition. */
  position(topic: string, partition: number): number {
    return this.#position(this.#partition(topic, partition));
  }

  /** First offset of a partition that is not committed yet, as last heard; -1 before that. */
  highWatermark(topic: string, partition: number): number {
    return this.#partition(topic, partition).highWatermark;
  }

  /** Goes on at another place. Records of the partition from elsewhere do not come any more. */
  async seek(
    topic: string,
    partition: number,
    start: StartAt,
    options: ConsumerWaitOptions = {},
  ): Promise<void> {
    this.#refuseClosed();
    const assigned = this.#partition(topic, partition);
    if (typeof start === "object" && "offset" in start) {
      requireOffset(start.offset);
      this.#moveTo(assigned, start.offset);
      return;
    }
    const either = anySignal([options.signal, this.#closing.signal]);
    try {
      const questions = [{ partition, position: start }];
      const wait = { signal: either.signal };
      const [offset] = await this.#cluster.offsets.startOffsets(topic, questions, wait);
      this.#refuseClosed();
      if (this.#isAssigned(assigned) && offset !== undefined) this.#moveTo(assigned, offset);
    } catch (error) {
      this.#refuseClosed();
      throw error;
    } finally {
      either.release();
    }
  }

  /** Hands out nothing from these partitions until they are resumed; all when none is named. */
  pause(partitions: readonly TopicPartitionName[] = this.assignment()): void {
    for (const { topic, partition } of partitions) {
      const assigned = this.#partition(topic, partition);
      if (assigned.isPaused) continue;
      const position = this.#position(assigned);
      if (this.#current?.partition === assigned) {
        this.#current = undefined;
        this.#fetcher.restart(assigned, position);
      }
      assigned.isPaused = true;
      this.#fetcher.changed(assigned);
    }
  }

  /** Goes on where `pause` stopped; all partitions when none is named. */
  resume(partitions: readonly TopicPartitionName[] = this.assignment()): void {
    for (const { topic, partition } of partitions) {
      const assigned = this.#partition(topic, partition);
      assigned.isPaused = false;
      this.#fetcher.changed(assigned);
    }
  }

  /** The partitions that are paused. */
  paused(): readonly TopicPartitionName[] {
    const paused = [...this.#partitions.values()].filter((each) => each.isPaused);
    return paused.map(({ topic, partition }) => ({ topic, partition }));
  }

  /**
   * Records one by one. Ends when the consumer is closed, or with `stopAtEnd` when all is read.
   * Throws the refusal of a partition (`OFFSET_OUT_OF_RANGE`, `CORRUPT_MESSAGE` …), `UNAVAILABLE`,
   * and `ABORTED` once the signal fires; whoever iterates again goes on where it stopped.
   */
  records(options: ConsumerWaitOptions = {}): AsyncIterableIterator<ConsumerRecord> {
    return this.#iterations.begin(() => this.#takeRecord(), options.signal);
  }

  /** As `records`, one stored batch at a time. */
  batches(options: ConsumerWaitOptions = {}): AsyncIterableIterator<ConsumerBatch> {
    return this.#iterations.begin(() => this.#takeBatch(), options.signal);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord> {
    return this.records();
  }

  /** Ends iterations, and lets go of streams and timers. Idempotent. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#fetcher.close();
    this.#current = undefined;
    this.#iterations.wake();
    this.#onClosed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #takeRecord(): ConsumerRecord | undefined {
    for (;;) {
      const current = this.#current;
      if (current !== undefined) {
        const record = current.batch.records[current.index];
        current.index++;
        if (current.index >= current.batch.records.length) this.#current = undefined;
        if (record !== undefined) return record;
      }
      const batch = this.#fetcher.take();
      if (batch === undefined) return undefined;
      const partition = this.#partition(batch.topic, batch.partition);
      this.#current = { batch, partition, index: 0 };
    }
  }

  #takeBatch(): ConsumerBatch | undefined {
    const current = this.#current;
    if (current === undefined) return this.#fetcher.take();
    this.#current = undefined;
    const { batch, index } = current;
    return { ...batch, records: batch.records.slice(index) };
  }

  #isAtEnd(): boolean {
    if (!this.#options.consumer.stopAtEnd || this.#current !== undefined) return false;
    for (const partition of this.#partitions.values()) if (!partition.isDone) return false;
    return true;
  }

  #position(partition: AssignedPartition): number {
    const current = this.#current;
    if (current?.partition !== partition) return partition.position;
    return current.batch.records[current.index]?.offset ?? partition.position;
  }

  #partition(topic: string, partition: number): AssignedPartition {
    const assigned = this.#partitions.get(partitionKey(topic, partition));
    if (assigned !== undefined) return assigned;
    throw new ClientError("INVALID_ARGUMENT", `${topic}-${partition} is not assigned`);
  }

  #isAssigned(partition: AssignedPartition): boolean {
    return this.#partitions.get(partitionKey(partition.topic, partition.partition)) === partition;
  }

  #moveTo(partition: AssignedPartition, offset: number): void {
    if (this.#current?.partition === partition) this.#current = undefined;
    partition.isMoving = false;
    this.#fetcher.restart(partition, offset);
    this.#iterations.wake();
  }

  #outOfRange(partition: AssignedPartition, error: BrokerError): void {
    const { resetTo } = this.#options.consumer;
    if (resetTo === undefined) {
      this.#fetcher.fail(partition, error);
      return;
    }
    const { topic } = partition;
    this.#ports.logger.warn({ topic, partition: partition.partition, resetTo }, error.message);
    partition.isMoving = true;
    const askedFor = partition.fetchOffset;
    const stillNeeded = (): boolean =>
      this.#isAssigned(partition) && partition.isMoving && partition.fetchOffset === askedFor;
    this.#cluster.offsets
      .startOffsets(topic, [{ partition: partition.partition, position: resetTo }], {
        signal: this.#closing.signal,
      })
      .then(([offset = 0]) => {
        if (!stillNeeded()) return;
        partition.isMoving = false;
        this.#fetcher.jump(partition, offset);
      })
      .catch((reason: unknown) => {
        if (this.#closing.signal.aborted || !stillNeeded()) return;
        partition.isMoving = false;
        this.#fetcher.fail(partition, asError(reason));
      });
  }

  #refuseClosed(): void {
    if (this.#closing.signal.aborted) {
      throw new ClientError("CLIENT_CLOSED", "the consumer is closed");
    }
  }
}

/** Throws unless `offset` can be one. */
export function requireOffset(offset: number): void {
  if (Number.isSafeInteger(offset) && offset >= 0) return;
  throw new ClientError("INVALID_ARGUMENT", `${offset} is no offset`);
}
