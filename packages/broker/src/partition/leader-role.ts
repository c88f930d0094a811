/**
 * A leadership of this broker over one partition: orders appends, pushes them to the followers and
 * answers producers when the high watermark has passed their batch.
 *
 * Push before sync: a batch goes to the followers as it is appended, while this broker's own sync
 * still runs. That is safe because the leader counts itself only once synced, and because a
 * restarted broker never goes on in an old leadership.
 */
import { effectiveInSyncMin, type Partition as PartitionImage } from "@strandline/metadata";
import {
  BATCH_BYTES_LIMIT,
  type BrokerEpoch,
  BrokerError,
  type ErrorCode,
  type NodeId,
} from "@strandline/model";
import {
  type CompressionName,
  compressionOf,
  crc,
  producedRecordsProblem,
  readBatchHeader,
  recompressedBatch,
  stampBatch,
  stampLogAppendTime,
} from "@strandline/record";
import { CommitWaiters, Leader, type LeaderEffect } from "@strandline/replication";
import type { LeaderFeed } from "./leader-feed.js";
import type { Partition } from "./partition.js";
import type { Acks, OnProduced, ProduceTicket } from "./produce-ticket.js";
import type { TopicSettings } from "./topic-settings.js";

export interface AppendOptions {
  readonly acks: Acks;
  readonly timeoutMs: number;
  /** From this broker itself: what a topic's settings say of clients' batches does not hold. */
  readonly isInternal?: boolean;
  /**
   * The client may encode a batch anew before it sends it again, with other times: its sequence
   * alone tells that it is the same.
   */
  readonly mayBeReencoded?: boolean;
}

/** What the records of one batch may unpack to where they have to be looked at. */
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024;

export class LeaderRole {
  readonly epoch: number;
  readonly core: Leader;
  /** Where this leadership began: below it, what is committed may not be known yet. */
  readonly startOffset: number;
  readonly #partition: Partition;
  readonly #committed = new CommitWaiters<ProduceTicket>();
  readonly #written = new CommitWaiters<ProduceTicket>();
  readonly #feeds = new Map<NodeId, LeaderFeed>();
  #settings: TopicSettings;
  #pendingBytes = 0;
  #isPumping = false;

  constructor(
    partition: Partition,
    options: { image: PartitionImage; settings: TopicSettings; replicaLagMsMax: number },
  ) {
    const { image } = options;
    this.#partition = partition;
    this.#settings = options.settings;
    this.epoch = image.leaderEpoch;
    this.startOffset = partition.log.logEndOffset;
    this.core = new Leader({
      self: partition.owner.nodeId,
      epoch: image.leaderEpoch,
      partitionEpoch: image.partitionEpoch,
      replicas: image.replicas,
      isr: image.isr,
      logEndOffset: partition.log.logEndOffset,
      durableEndOffset: partition.log.durableEndOffset,
      highWatermark: partition.highWatermark,
      inSyncReplicasMin: effectiveInSyncMin(options.settings.inSyncReplicasMin, image),
      replicaLagMsMax: options.replicaLagMsMax,
      nowMs: partition.ports.clock.monotonicMs(),
      eligible: partition.owner.eligible(),
    });
  }

  /** Everything this leadership found in the log is committed again: answers are not stale. */
  get knowsItsHighWatermark(): boolean {
    return this.#partition.highWatermark >= this.startOffset;
  }

  /** Bytes of requests not yet answered. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** True while it needs no ticks: nobody waits, and everybody has everything. */
  get isQuiet(): boolean {
    if (this.#committed.size > 0 || this.#written.size > 0 || !this.core.isQuiet) return false;
    for (const feed of this.#feeds.values()) if (!feed.isQuiet) return false;
    return true;
  }

  start(): void {
    this.#wake();
    // A partition whose only in-sync replica is this one commits what it finds at once.
    this.#perform(
      this.core.step({ kind: "synced", durableEndOffset: this.#partition.log.durableEndOffset }),
    );
  }

  append(batch: Uint8Array, options: AppendOptions, onProduced: OnProduced): void {
    const { log, ports } = this.#partition;
    let header = readBatchHeader(batch, 0);
    const isRecompressed = options.isInternal !== true && this.#isOtherwise(header.compression);
    if (options.isInternal !== true) {
      this.#checkLimits(header.sizeBytes, header.maxTimestampMs);
      if (this.#settings.isCompacted || isRecompressed) this.#requireRecords(batch);
    } else if (header.sizeBytes > BATCH_BYTES_LIMIT) {
      throw new BrokerError("MESSAGE_TOO_LARGE", "what one step decided does not fit a batch");
    }
    if (options.acks === "all" && this.core.isUnderMinIsr) {
      throw new BrokerError(
        "NOT_ENOUGH_REPLICAS",
        `${this.core.isr.length} replicas are in sync, ${this.#settings.inSyncReplicasMin} are needed`,
      );
    }
    const deadlineMs = ports.clock.monotonicMs() + options.timeoutMs;
    if (header.producerId >= 0) {
      const isComparable = !this.#settings.isLogAppendTime && options.mayBeReencoded !== true;
      const verdict = log.producers.check({
        producerId: header.producerId,
        producerEpoch: header.producerEpoch,
        baseSequence: header.baseSequence,
        lastSequence: header.lastSequence,
        // What this broker changes changes the checksum: a retry then differs from its first.
        crc: isComparable && !isRecompressed ? crc(batch, 0) : undefined,
      });
      if (verdict.kind === "refused") {
        throw new BrokerError(verdict.refusal.code, verdict.refusal.message);
      }
      if (verdict.kind === "duplicate") {
        // The first attempt may not be committed yet: the answer waits as it did.
        this.#acknowledge(options.acks, {
          endOffset: verdict.lastOffset + 1,
          sizeBytes: 0,
          deadlineMs,
          onProduced,
          appended: {
            baseOffset: verdict.baseOffset,
            logAppendTimeMs: this.#settings.isLogAppendTime ? verdict.timestampMs : -1,
            logStartOffset: log.logStartOffset,
          },
        });
        return;
      }
    }
    if (isRecompressed) {
      batch = this.#recompressed(batch);
      header = readBatchHeader(batch, 0);
      this.#checkLimits(header.sizeBytes, header.maxTimestampMs);
    }
    this.#wake();
    const base = log.logEndOffset;
    let logAppendTimeMs = -1;
    if (this.#settings.isLogAppendTime) {
      logAppendTimeMs = ports.clock.wallMs();
      stampLogAppendTime(batch, 0, logAppendTimeMs, ports.crc32c);
    }
    stampBatch(batch, 0, base, this.epoch);
    log.append(batch);
    this.#acknowledge(options.acks, {
      endOffset: log.logEndOffset,
      sizeBytes: header.sizeBytes,
      deadlineMs,
      onProduced,
      appended: { baseOffset: base, logAppendTimeMs, logStartOffset: log.logStartOffset },
    });
    this.#perform(this.core.step({ kind: "appended", logEndOffset: log.logEndOffset as never }));
    this.#pumpSoon();
  }

  isReplica(replica: NodeId): boolean {
    return this.#partition.image?.replicas.includes(replica) ?? false;
  }

  addFeed(feed: LeaderFeed): void {
    this.#wake();
    this.#feeds.get(feed.replica)?.supersede();
    this.#feeds.set(feed.replica, feed);
  }

  removeFeed(feed: LeaderFeed): void {
    if (this.#feeds.get(feed.replica) === feed) this.#feeds.delete(feed.replica);
  }

  acknowledged(replica: NodeId, brokerEpoch: BrokerEpoch, durableEndOffset: number): void {
    this.#wake();
    this.#perform(
      this.core.step({
        kind: "acknowledged",
        replica,
        brokerEpoch,
        durableEndOffset: durableEndOffset as never,
        nowMs: this.#partition.ports.clock.monotonicMs(),
      }),
    );
  }

  synced(durableEndOffset: number): void {
    this.#wake();
    this.#release(this.#written.release(durableEndOffset as never));
    this.#perform(this.core.step({ kind: "synced", durableEndOffset: durableEndOffset as never }));
  }

  partitionChanged(image: PartitionImage, settings: TopicSettings): void {
    this.#settings = settings;
    this.#wake();
    const isNext = image.partitionEpoch <= this.core.partitionEpoch + 1;
    this.#perform(
      this.core.step({
        kind: "partition-changed",
        partitionEpoch: image.partitionEpoch,
        isr: image.isr,
        replicas: image.replicas,
        inSyncReplicasMin: effectiveInSyncMin(settings.inSyncReplicasMin, image),
        nowMs: this.#partition.ports.clock.monotonicMs(),
      }),
    );
    // Whoever may have been no replica meanwhile has to ask again: the core has forgotten it.
    for (const feed of [...this.#feeds.values()]) {
      const { replica } = feed;
      if (image.replicas.includes(replica) && (isNext || image.isr.includes(replica))) continue;
      feed.refuse(new BrokerError("REPLICA_NOT_AVAILABLE", "the replicas have changed"));
    }
  }

  eligibleChanged(): void {
    this.#wake();
    this.#perform(
      this.core.step({
        kind: "eligible-changed",
        eligible: this.#partition.owner.eligible(),
        nowMs: this.#partition.ports.clock.monotonicMs(),
      }),
    );
  }

  /** The controller's answer to a proposal of this leadership. */
  isrAnswered(
    answer:
      | { kind: "committed"; isr: readonly NodeId[]; partitionEpoch: number }
      | { kind: "refused"; code: ErrorCode },
  ): void {
    this.#wake();
    this.#perform(
      this.core.step({
        kind: "isr-answered",
        answer: answer as never,
        nowMs: this.#partition.ports.clock.monotonicMs(),
      }),
    );
  }

  tick(): void {
    const nowMs = this.#partition.ports.clock.monotonicMs();
    this.#perform(this.core.step({ kind: "ticked", nowMs }));
    for (const waiters of [this.#committed, this.#written]) {
      for (const ticket of waiters.removeWhere((waiting) => waiting.deadlineMs <= nowMs)) {
        this.#pendingBytes -= ticket.sizeBytes;
        // The batch is in the log; whether it is committed is not known. A retry finds out.
        ticket.onProduced(
          new BrokerError("REQUEST_TIMED_OUT", "the replicas did not acknowledge in time"),
          undefined,
        );
      }
    }
    for (const feed of this.#feeds.values()) feed.tick(nowMs);
  }

  stop(code: ErrorCode, reason: string): void {
    for (const feed of [...this.#feeds.values()]) feed.stop();
    this.#feeds.clear();
    for (const waiters of [this.#committed, this.#written]) {
      for (const ticket of waiters.drain())
        ticket.onProduced(new BrokerError(code, reason), undefined);
    }
    this.#pendingBytes = 0;
  }

  /** Batches that came in one piece from the network go on as one message, and become one sync. */
  #pumpSoon(): void {
    if (this.#isPumping || this.#feeds.size === 0) return;
    this.#isPumping = true;
    void Promise.resolve().then(() => {
      this.#isPumping = false;
      for (const feed of this.#feeds.values()) feed.pump();
    });
  }

  /** Before anything happens to a leadership that was quiet: the tick that makes up for the rest. */
  #wake(): void {
    if (!this.#partition.wake()) return;
    const nowMs = this.#partition.ports.clock.monotonicMs();
    this.#perform(this.core.step({ kind: "ticked", nowMs }));
  }

  #checkLimits(sizeBytes: number, maxTimestampMs: number): void {
    const { batchBytesMax, timestampAfterMsMax, isLogAppendTime } = this.#settings;
    if (sizeBytes > batchBytesMax) {
      throw new BrokerError(
        "MESSAGE_TOO_LARGE",
        `the batch has ${sizeBytes} bytes, max.message.bytes of the topic is ${batchBytesMax}`,
      );
    }
    if (sizeBytes > this.#settings.log.segmentBytesMax) {
      throw new BrokerError("RECORD_LIST_TOO_LARGE", "the batch is larger than a segment may be");
    }
    if (!isLogAppendTime) {
      const aheadMs = maxTimestampMs - this.#partition.ports.clock.wallMs();
      if (aheadMs > timestampAfterMsMax) {
        throw new BrokerError(
          "INVALID_TIMESTAMP",
          `a record is ${Math.round(aheadMs / 1000)} s in the future; the topic allows ${Math.round(timestampAfterMsMax / 1000)} s`,
        );
      }
    }
  }

  /** A client's batch has to be packed with something else before it is stored. */
  #isOtherwise(compression: CompressionName): boolean {
    const wanted = this.#settings.compression;
    return wanted !== undefined && wanted !== compression;
  }

  #recompressed(batch: Uint8Array): Uint8Array {
    const { compressors, crc32c } = this.#partition.ports;
    return recompressedBatch(batch, this.#settings.compression ?? "none", {
      ...compressionOf(compressors),
      outputBytesMax: UNPACKED_BYTES_MAX,
      crc32c,
    });
  }

  /** In a compacted topic, what has no key would be lost to the first compaction that meets it. */
  #requireRecords(batch: Uint8Array): void {
    const { decompress } = compressionOf(this.#partition.ports.compressors);
    const problem = producedRecordsProblem(batch, {
      decompress,
      outputBytesMax: UNPACKED_BYTES_MAX,
      needsKeys: this.#settings.isCompacted,
    });
    if (problem === undefined) return;
    throw new BrokerError(problem.code, problem.message, { records: problem.records });
  }

  #acknowledge(acks: Acks, ticket: ProduceTicket): void {
    if (acks === "none") {
      ticket.onProduced(undefined, ticket.appended);
      return;
    }
    if (acks === "all") {
      if (ticket.endOffset <= this.#partition.highWatermark) {
        ticket.onProduced(undefined, ticket.appended);
        return;
      }
      this.#pendingBytes += ticket.sizeBytes;
      this.#committed.add(ticket.endOffset as never, ticket);
      return;
    }
    if (ticket.endOffset <= this.#partition.log.durableEndOffset) {
      ticket.onProduced(undefined, ticket.appended);
      return;
    }
    this.#pendingBytes += ticket.sizeBytes;
    this.#written.add(ticket.endOffset as never, ticket);
  }

  #release(tickets: readonly ProduceTicket[]): void {
    for (const ticket of tickets) {
      this.#pendingBytes -= ticket.sizeBytes;
      ticket.onProduced(undefined, ticket.appended);
    }
  }

  #perform(effects: readonly LeaderEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "advance-high-watermark") {
        this.#partition.advanceHighWatermark(effect.highWatermark);
        this.#release(this.#committed.release(effect.highWatermark));
      } else {
        this.#partition.owner.proposeIsr(this.#partition, {
          leaderEpoch: this.epoch,
          partitionEpoch: effect.partitionEpoch,
          isr: effect.isr,
        });
      }
    }
  }
}
