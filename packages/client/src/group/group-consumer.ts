/**
 * A member of a consumer group: reads what the group assigns to it, and tells the group how far it
 * has come. The broker does the rest: it joins, keeps the session, reads and assigns.
 *
 * A record counts as done when the next one is asked for. So every record is handed out at least
 * once, whatever happens; after a failure those that were not committed come again.
 */
import { BrokerError } from "@strandline/model";
import {
  errorFromProto,
  type GroupAssigned,
  type GroupCommitted,
  type GroupConsumeResponse,
  type GroupRevoked,
} from "@strandline/rpc";
import type { ClusterConnection } from "../cluster/cluster-connection.js";
import { AssignedPartition } from "../consumer/assigned-partition.js";
import { BatchReader } from "../consumer/batch-reader.js";
import { partitionKey } from "../consumer/consume-connection.js";
import type { ConsumerWaitOptions } from "../consumer/consumer.js";
import type {
  ConsumerBatch,
  ConsumerRecord,
  TopicPartitionName,
} from "../consumer/consumer-record.js";
import { RecordIterator } from "../consumer/record-iterator.js";
import { DeadlineTimer } from "../deadline-timer.js";
import { type Deferred, deferred } from "../deferred.js";
import { abortedError, asError, ClientError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import { resolvedWithin } from "../waits.js";
import { DoneOffsets } from "./done-offsets.js";
import {
  GroupConnection,
  type GroupConnectionOptions,
  type GroupConnectionOwner,
} from "./group-connection.js";
import type { GroupOffset } from "./group-types.js";

/** How long `close` waits for the broker to take the last commit. */
const CLOSE_MS_MAX = 5_000;

/** What was handed out last, and is not done yet. */
interface Current {
  readonly batch: ConsumerBatch;
  /** Records of the batch that were handed out; all of them when it was handed out whole. */
  index: number;
}

export class GroupConsumer implements AsyncIterable<ConsumerRecord>, GroupConnectionOwner {
  readonly #ports: ClientPorts;
  readonly #options: GroupConnectionOptions;
  readonly #onClosed: () => void;
  readonly #connection: GroupConnection;
  readonly #reader: BatchReader;
  readonly #autoCommit: DeadlineTimer;
  readonly #partitions = new Map<string, AssignedPartition>();
  readonly #done = new DoneOffsets();
  readonly #commits = new Map<number, Deferred<GroupCommitted>>();
  readonly #ended = deferred<void>();
  #correlationId = 0;
  #memberId = "";
  #current: Current | undefined;
  /** Resolves when what was handed out last is done. */
  #isDone: Deferred<void> | undefined;
  #change: Deferred<void> | undefined;
  #error: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    ports: ClientPorts,
    options: GroupConnectionOptions,
    parts: { readonly cluster: ClusterConnection; readonly onClosed: () => void },
  ) {
    this.#ports = ports;
    this.#options = options;
    this.#onClosed = parts.onClosed;
    this.#reader = new BatchReader(ports, options.group.consumer);
    this.#autoCommit = new DeadlineTimer(ports, () => this.#commitSoon());
    this.#connection = new GroupConnection(ports, options, {
      cluster: parts.cluster,
      owner: this,
    });
    this.#connection.start();
    this.#armAutoCommit();
  }

  /** As the group knows this member; empty before it has joined. */
  get memberId(): string {
    return this.#memberId;
  }

  /** What is assigned now. */
  assignment(): readonly TopicPartitionName[] {
    return [...this.#partitions.values()].map(({ topic, partition }) => ({ topic, partition }));
  }

  /**
   * Records one by one, those of a partition in order. Ends when the consumer is closed. Throws
   * what the group refuses (`FENCED_INSTANCE_ID`, `GROUP_MAX_SIZE_REACHED` …), a partition's
   * `CORRUPT_MESSAGE`, and `ABORTED` once the signal fires.
   */
  records(options: ConsumerWaitOptions = {}): AsyncIterableIterator<ConsumerRecord> {
    const take = (): ConsumerRecord | undefined => this.#takeRecord();
    return new RecordIterator({ ...this.#iteration(options.signal), take }, options.signal);
  }

  /** As `records`, one stored batch at a time, which is done when the next one is asked for. */
  batches(options: ConsumerWaitOptions = {}): AsyncIterableIterator<ConsumerBatch> {
    const take = (): ConsumerBatch | undefined => this.#takeBatch();
    return new RecordIterator({ ...this.#iteration(options.signal), take }, options.signal);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord> {
    return this.records();
  }

  /**
   * Tells the group that everything handed out so far is done, or how far it has come. Throws the
   * refusal of a partition that is not this member's any more (`ILLEGAL_GENERATION`), and
   * `UNAVAILABLE` when the broker is gone.
   */
  async commit(offsets?: readonly GroupOffset[]): Promise<void> {
    this.#refuseClosed();
    if (offsets === undefined) this.#finishCurrent();
    const chosen = offsets?.map((each) => ({ ...each, metadata: each.metadata ?? "" }));
    await this.#commit(chosen ?? this.#done.uncommitted());
  }

  /** Commits what is done, unless that is left to `commit`, and leaves the group. Idempotent. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  onMessage({ assigned, revoked, records, committed }: GroupConsumeResponse): void {
    if (assigned !== undefined) {
      this.#assigned(assigned);
    } else if (revoked !== undefined) {
      this.#revoked(revoked).catch((error: unknown) => this.#fail(asError(error)));
    } else if (committed !== undefined) {
      this.#commits.get(committed.correlationId)?.resolve(committed);
      this.#commits.delete(committed.correlationId);
    } else if (records !== undefined) {
      const partition = this.#partitions.get(partitionKey(records.topic, records.partition));
      if (partition === undefined) {
        this.#taken(records.batches.length);
        return;
      }
      if (records.error !== undefined) partition.error = errorFromProto(records.error);
      else if (partition.add(records) === 0) this.#taken(records.batches.length);
      this.#changed();
    }
  }

  onLost(error: Error): void {
    const { groupId } = this.#options.group;
    this.#ports.logger.warn({ groupId, error: error.message }, "lost the stream of a group member");
    for (const { reject } of this.#commits.values()) {
      reject(new ClientError("UNAVAILABLE", "the stream broke: nobody knows", { cause: error }));
    }
    this.#commits.clear();
    const lost = this.assignment();
    this.#drop(lost);
    if (lost.length > 0) this.#tellRevoked(lost, true).catch((reason) => this.#fail(reason));
  }

  onRefused(error: BrokerError): void {
    this.onLost(error);
    this.#fail(error);
  }

  onEnded(): void {
    this.#ended.resolve();
  }

  #assigned({ memberId, partitions }: GroupAssigned): void {
    this.#memberId = memberId;
    const fresh = partitions.map(({ topic, partition, offset = 0 }) => {
      this.#partitions.set(
        partitionKey(topic, partition),
        new AssignedPartition(topic, partition, offset),
      );
      return { topic, partition };
    });
    if (fresh.length > 0) this.#options.group.onAssigned(fresh);
  }

  /** Hands out no more of them; is done with what it handed out; commits; and lets them go. */
  async #revoked({ revocationId, partitions, isLost }: GroupRevoked): Promise<void> {
    for (const place of partitions) this.#forgetUnread(place);
    if (!isLost) {
      await this.#untilDone(partitions);
      await this.#tellRevoked(partitions, false);
      if (this.#options.group.autoCommitMs > 0) await this.#tryCommit(partitions);
    }
    this.#drop(partitions);
    if (isLost) await this.#tellRevoked(partitions, true);
    else this.#connection.send({ release: { revocationId } });
  }

  /** Resolves once nothing of these partitions is being worked on. */
  async #untilDone(partitions: readonly TopicPartitionName[]): Promise<void> {
    while (this.#isWorkingOn(partitions)) {
      this.#isDone ??= deferred();
      await this.#isDone.promise;
    }
  }

  #isWorkingOn(partitions: readonly TopicPartitionName[]): boolean {
    const batch = this.#current?.batch;
    return partitions.some((place) => {
      return place.topic === batch?.topic && place.partition === batch.partition;
    });
  }

  async #tellRevoked(partitions: readonly TopicPartitionName[], isLost: boolean): Promise<void> {
    await this.#options.group.onRevoked(
      partitions.map(({ topic, partition }) => ({ topic, partition })),
      isLost,
    );
  }

  /** Forgets what was read ahead, and the rest of a batch that is handed out one by one. */
  #forgetUnread({ topic, partition }: TopicPartitionName): void {
    const assigned = this.#partitions.get(partitionKey(topic, partition));
    if (assigned === undefined) return;
    this.#taken(assigned.forget());
    assigned.isPaused = true;
  }

  #drop(partitions: readonly TopicPartitionName[]): void {
    for (const place of partitions) {
      this.#forgetUnread(place);
      this.#partitions.delete(partitionKey(place.topic, place.partition));
      this.#done.forget(place);
    }
    if (this.#isWorkingOn(partitions)) this.#noCurrent();
  }

  #iteration(signal: AbortSignal | undefined): {
    readonly isOver: () => boolean;
    readonly changed: () => Promise<void>;
    readonly wake: () => void;
  } {
    return {
      isOver: () => {
        if (signal?.aborted === true) throw abortedError(signal);
        if (this.#closing !== undefined) return true;
        if (this.#error !== undefined) throw this.#error;
        return false;
      },
      changed: () => {
        this.#change ??= deferred();
        return this.#change.promise;
      },
      wake: () => this.#changed(),
    };
  }

  #takeRecord(): ConsumerRecord | undefined {
    const current = this.#current;
    if (current !== undefined) {
      const { batch, index } = current;
      const last = batch.records[index - 1];
      if (last !== undefined) this.#done.done(batch, last.offset + 1);
      const next = this.#isRevoked(batch) ? undefined : batch.records[index];
      if (next !== undefined) {
        current.index += 1;
        return next;
      }
      if (index >= batch.records.length) this.#done.done(batch, batch.nextOffset);
      this.#noCurrent();
    }
    const batch = this.#nextBatch();
    if (batch === undefined) return undefined;
    this.#current = { batch, index: 1 };
    return batch.records[0];
  }

  #takeBatch(): ConsumerBatch | undefined {
    this.#finishCurrent();
    this.#noCurrent();
    const batch = this.#nextBatch();
    if (batch !== undefined) this.#current = { batch, index: batch.records.length };
    return batch;
  }

  /** Counts what was handed out as done. */
  #finishCurrent(): void {
    if (this.#current === undefined) return;
    const { batch, index } = this.#current;
    const isWhole = index >= batch.records.length;
    const last = batch.records[index - 1];
    if (isWhole) this.#done.done(batch, batch.nextOffset);
    else if (last !== undefined) this.#done.done(batch, last.offset + 1);
  }

  #noCurrent(): void {
    this.#current = undefined;
    this.#isDone?.resolve();
    this.#isDone = undefined;
  }

  #isRevoked({ topic, partition }: TopicPartitionName): boolean {
    return this.#partitions.get(partitionKey(topic, partition))?.isPaused !== false;
  }

  /** From the partition that has waited longest. */
  #nextBatch(): ConsumerBatch | undefined {
    for (const [key, partition] of this.#partitions) {
      if (partition.error !== undefined) {
        const { error } = partition;
        partition.error = undefined;
        throw error;
      }
      if (!partition.hasChunks || partition.isPaused) continue;
      const { batch, freedBytes } = this.#reader.read(partition);
      this.#taken(freedBytes);
      if (batch === undefined) continue;
      this.#partitions.delete(key);
      this.#partitions.set(key, partition);
      return batch;
    }
    return undefined;
  }

  #taken(bytes: number): void {
    if (bytes > 0) this.#connection.send({ taken: { bytes } });
  }

  #armAutoCommit(): void {
    const { autoCommitMs } = this.#options.group;
    if (autoCommitMs > 0) this.#autoCommit.arm(this.#ports.clock.monotonicMs() + autoCommitMs);
  }

  #commitSoon(): void {
    this.#tryCommit()
      .catch((error: unknown) => this.#fail(asError(error)))
      .finally(() => this.#armAutoCommit());
  }

  /** What is not committed now is committed later, or handed out again. */
  async #tryCommit(partitions?: readonly TopicPartitionName[]): Promise<void> {
    try {
      await this.#commit(this.#done.uncommitted(partitions));
    } catch (error) {
      if (!(error instanceof BrokerError) && !(error instanceof ClientError)) throw error;
      const { groupId } = this.#options.group;
      this.#ports.logger.warn({ groupId, error: error.message }, "not committed");
    }
  }

  async #commit(offsets: readonly (GroupOffset & { metadata: string })[]): Promise<void> {
    if (offsets.length === 0) return;
    const correlationId = ++this.#correlationId;
    const answer = deferred<GroupCommitted>();
    if (!this.#connection.commit(correlationId, offsets)) {
      throw new ClientError("UNAVAILABLE", "the member has no broker now");
    }
    this.#commits.set(correlationId, answer);
    const { error, refusals } = await answer.promise;
    if (error !== undefined) throw errorFromProto(error);
    const refused = refusals.find((refusal) => refusal.error !== undefined)?.error;
    if (refused !== undefined) throw errorFromProto(refused);
    this.#done.committed(offsets);
  }

  async #close(): Promise<void> {
    this.#autoCommit.close();
    this.#changed();
    this.#noCurrent();
    const limit = { timeoutMs: CLOSE_MS_MAX, signal: undefined };
    if (this.#options.group.autoCommitMs > 0 && this.#error === undefined) {
      await resolvedWithin(this.#tryCommit(), this.#ports.timers, limit);
    }
    this.#connection.end();
    await resolvedWithin(this.#ended.promise, this.#ports.timers, limit);
    this.#connection.close();
    this.#onClosed();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#changed();
  }

  #changed(): void {
    this.#change?.resolve();
    this.#change = undefined;
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) {
      throw new ClientError("CLIENT_CLOSED", "the consumer is closed");
    }
  }
}
