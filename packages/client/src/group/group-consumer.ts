/**
 * A member of a consumer group: reads what the group assigns to it, and tells the group how far it
 * has come. The broker does the rest: it joins, keeps the session, reads and assigns.
 *
 * A record counts as done when the next one is asked for. So every record is handed out at least
 * once, whatever happens; after a failure those that were not committed come again.
 */
import type { BrokerError } from "@strandline/model";
import {
  errorFromProto,
  type GroupAssigned,
  type GroupConsumeResponse,
  type GroupRevoked,
} from "@strandline/rpc";
import type { ClusterConnection } from "../cluster/cluster-connection.js";
import { AssignedPartition } from "../consumer/assigned-partition.js";
import { BatchReader } from "../consumer/batch-reader.js";
import { partitionKey } from "../consumer/consume-connection.js";
import type { ConsumerWaitOptions } from "../consumer/consumer-options.js";
import type {
  ConsumerBatch,
  ConsumerRecord,
  TopicPartitionName,
} from "../consumer/consumer-record.js";
import { Iterations } from "../consumer/iterations.js";
import { deferred } from "../deferred.js";
import { asError, ClientError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import { resolvedWithin } from "../waits.js";
import { BatchInHand } from "./batch-in-hand.js";
import {
  GroupConnection,
  type GroupConnectionOptions,
  type GroupConnectionOwner,
} from "./group-connection.js";
import type { GroupOffset } from "./group-types.js";
import { MemberCommits } from "./member-commits.js";

/** How long `close` waits for the broker to take the last commit. */
const CLOSE_MS_MAX = 5_000;

export class GroupConsumer implements AsyncIterable<ConsumerRecord>, GroupConnectionOwner {
  readonly #ports: ClientPorts;
  readonly #options: GroupConnectionOptions;
  readonly #onClosed: () => void;
  readonly #connection: GroupConnection;
  readonly #reader: BatchReader;
  readonly #partitions = new Map<string, AssignedPartition>();
  readonly #commits: MemberCommits;
  readonly #inHand: BatchInHand;
  readonly #iterations = new Iterations(() => this.#isOver());
  readonly #ended = deferred<void>();
  #memberId = "";
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
    this.#commits = new MemberCommits(ports, options.group, {
      send: (correlationId, offsets) => this.#connection.commit(correlationId, offsets),
      onFailed: (error) => this.#fail(error),
    });
    this.#inHand = new BatchInHand(this.#commits.done);
    this.#connection = new GroupConnection(ports, options, {
      cluster: parts.cluster,
      owner: this,
    });
    this.#connection.start();
    this.#commits.start();
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
    return this.#iterations.begin(() => this.#takeRecord(), options.signal);
  }

  /** As `records`, one stored batch at a time, which is done when the next one is asked for. */
  batches(options: ConsumerWaitOptions = {}): AsyncIterableIterator<ConsumerBatch> {
    return this.#iterations.begin(() => this.#takeBatch(), options.signal);
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
    if (offsets === undefined) this.#inHand.finish();
    await this.#commits.commit(
      offsets?.map((each) => ({ ...each, metadata: each.metadata ?? "" })),
    );
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
      this.#commits.answered(committed);
    } else if (records !== undefined) {
      const partition = this.#partitions.get(partitionKey(records.topic, records.partition));
      if (partition === undefined) {
        this.#taken(records.batches.length);
        return;
      }
      if (records.error !== undefined) partition.error = errorFromProto(records.error);
      else if (partition.add(records) === 0) this.#taken(records.batches.length);
      this.#iterations.wake();
    }
  }

  onLost(error: Error): void {
    const { groupId } = this.#options.group;
    this.#ports.logger.warn({ groupId, error: error.message }, "lost the stream of a group member");
    this.#commits.lost(error);
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
      await this.#inHand.untilFreeOf(partitions);
      await this.#tellRevoked(partitions, false);
      if (this.#commits.isAutomatic) await this.#commits.tryCommit(partitions);
    }
    this.#drop(partitions);
    if (isLost) await this.#tellRevoked(partitions, true);
    else this.#connection.send({ release: { revocationId } });
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
      this.#commits.done.forget(place);
    }
    if (this.#inHand.isOf(partitions)) this.#inHand.putDown();
  }

  #isOver(): boolean {
    if (this.#closing !== undefined) return true;
    if (this.#error !== undefined) throw this.#error;
    return false;
  }

  #takeRecord(): ConsumerRecord | undefined {
    const inHand = this.#inHand;
    inHand.finish();
    const { place } = inHand;
    const isRevoked = place !== undefined && this.#isRevoked(place);
    const next = isRevoked ? undefined : inHand.next();
    if (next !== undefined) return next;
    this.#takeUp();
    return inHand.next();
  }

  #takeBatch(): ConsumerBatch | undefined {
    this.#inHand.finish();
    this.#takeUp();
    return this.#inHand.whole();
  }

  #takeUp(): void {
    this.#inHand.putDown();
    const batch = this.#nextBatch();
    if (batch !== undefined) this.#inHand.takeUp(batch);
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

  async #close(): Promise<void> {
    this.#commits.stop();
    this.#iterations.wake();
    this.#inHand.putDown();
    const limit = { timeoutMs: CLOSE_MS_MAX, signal: undefined };
    if (this.#commits.isAutomatic && this.#error === undefined) {
      await resolvedWithin(this.#commits.tryCommit(), this.#ports.timers, limit);
    }
    this.#connection.end();
    await resolvedWithin(this.#ended.promise, this.#ports.timers, limit);
    this.#connection.close();
    this.#onClosed();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#iterations.wake();
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) {
      throw new ClientError("CLIENT_CLOSED", "the consumer is closed");
    }
  }
}
