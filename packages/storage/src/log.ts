/**
 * The log of one partition replica: appends at its end, reads anywhere, cuts at both ends.
 *
 * `append` is the hot path and never waits: bytes go into memory and into the next group commit.
 * Everything that moves files runs one at a time in a queue of its own, beside the appends. What
 * counts as durable is only what the observer was told.
 */
import { assert, INT32_MAX } from "@strandline/model";
import type { Timer } from "@strandline/platform";
import { baseOffset, batchBytes, lastOffset, leaderEpoch, producerId } from "@strandline/record";
import type { LeaderEpochs, ProducerStates } from "@strandline/replication";
import { checkpointLog } from "./checkpoint.js";
import type { Damage } from "./damage.js";
import { noteBatch } from "./index-files.js";
import { LogContents } from "./log-contents.js";
import { deleteBefore, dropOldest, restartLog, truncateLog } from "./log-cut.js";
import {
  CHECKPOINT_MS,
  type LogConfig,
  type LogObserver,
  type LogOptions,
  type LogPorts,
  type LogRecovery,
  SEGMENT_IDLE_MS,
} from "./log-options.js";
import { findTimestamp, readableEnd, readLog, type TimestampAnswer } from "./log-read.js";
import { repairLog } from "./log-repair.js";
import { asError, LogWriter } from "./log-writer.js";
import { producerBatch } from "./producer-replay.js";
import { recoverLog } from "./recovery.js";
import { removeLog } from "./remove-log.js";
import { deletableSegments } from "./retention.js";
import { SerialQueue } from "./serial-queue.js";

export class Log {
  readonly #contents: LogContents;
  readonly #observer: LogObserver;
  /** Checkpoints, cuts, retention and repair, one at a time. */
  readonly #upkeep = new SerialQueue();
  #checkpointTimer: Timer | undefined;
  #idleTimer: Timer | undefined;
  #closing: Promise<void> | undefined;
  /** The note that the log has failed, on its way to the store. */
  #failing: Promise<void> | undefined;

  private constructor(contents: LogContents, observer: LogObserver) {
    this.#contents = contents;
    this.#observer = observer;
  }

  /** Opens or creates the log and recovers it: what a crash tore is cut, damage is reported. */
  static async open(ports: LogPorts, options: LogOptions): Promise<Log> {
    const found = await recoverLog(ports, options);
    const active = found.segments[found.segments.length - 1];
    assert(active !== undefined, "a log has an active segment");
    const writer = new LogWriter(
      ports.fileSystem,
      {
        directory: options.directory,
        endOffset: active.nextOffset,
        isSynced: options.config.isSynced,
      },
      {
        // The writer has nothing to tell before the log exists: nothing was appended.
        onDurable: (endOffset) => log.#onDurable(endOffset),
        onFailed: (error) => log.#onFailed(error),
      },
    );
    const contents = new LogContents(ports, options, found, writer);
    const log = new Log(contents, options.observer);
    if (found.isChanged || found.unsealed.length > 0) {
      await checkpointLog(contents, { isFinal: true });
    }
    return log;
  }

  /** Removes a closed log with all it remembers. */
  static async remove(ports: LogPorts, directory: string, key: string): Promise<void> {
    await removeLog(ports, directory, key);
  }

  /** First offset that can be read. */
  get logStartOffset(): number {
    return this.#contents.logStartOffset;
  }

  /** The next offset to be appended; what is below may not be durable yet. */
  get logEndOffset(): number {
    return this.#contents.logEndOffset;
  }

  get durableEndOffset(): number {
    return this.#contents.writer.durableEndOffset;
  }

  /** Leader epoch of the last record, as far as epochs are known; -1 for none. */
  get lastEpoch(): number {
    return this.#contents.epochs.latest;
  }

  get epochs(): LeaderEpochs {
    return this.#contents.epochs;
  }

  /** Another object after a truncation: ask each time. */
  get producers(): ProducerStates {
    return this.#contents.producers;
  }

  /** The last one that was noted; at open, the one that was stored. */
  get highWatermark(): number {
    return this.#contents.highWatermark;
  }

  get sizeBytes(): number {
    return this.#contents.sizeBytes;
  }

  get segmentCount(): number {
    return this.#contents.segments.length;
  }

  /** Bytes appended and not yet durable. Whoever appends must keep them bounded. */
  get pendingBytes(): number {
    return this.#contents.writer.pendingBytes;
  }

  get isFailed(): boolean {
    return this.#contents.writer.failure !== undefined;
  }

  get recovery(): LogRecovery {
    const { cutBytes, recoveredFrom, damages } = this.#contents;
    const { first } = damages;
    const damaged =
      first === undefined ? undefined : { fromOffset: first.fromOffset, toOffset: first.toOffset };
    return { cutBytes, recoveredFrom, damaged };
  }

  /**
   * Appends whole batches that are checked, stamped, and continue the log. Never waits; the
   * observer is told when they are durable. Takes ownership of the bytes, which must not change.
   * Refuses with KAFKA_STORAGE_ERROR once the log has failed or is closed.
   */
  append(batches: Uint8Array): void {
    const log = this.#contents;
    log.requireUsable();
    assert(!log.isCutting, "nothing is appended while the end of the log moves");
    assert(batches.length > 0, "an append has a batch");
    const nowMs = log.ports.clock.wallMs();
    let start = 0;
    let at = 0;
    while (at < batches.length) {
      const sizeBytes = batchBytes(batches, at);
      const last = lastOffset(batches, at);
      assert(baseOffset(batches, at) >= log.logEndOffset, "an append continues the log");
      assert(at + sizeBytes <= batches.length && sizeBytes > 0, "an append has whole batches");
      if (this.#mustRoll(sizeBytes, last, nowMs)) {
        this.#enqueue(batches, start, at);
        start = at;
        this.#roll();
      }
      this.#note(batches, at, nowMs);
      at += sizeBytes;
    }
    this.#enqueue(batches, start, at);
    log.bytesSinceSnapshot += batches.length;
    log.recent.evict(log.config.tailBytesMax, log.writer.durableEndOffset);
    this.#scheduleCheckpoint(CHECKPOINT_MS);
  }

  /**
   * Whole batches from the one that holds `fromOffset`, all below `endOffset`, from memory; at
   * least one if there is any, whatever `bytesMax`. Undefined when memory does not reach back to
   * `fromOffset`: then `read` does. The bytes are shared and must not be changed.
   */
  tail(fromOffset: number, bytesMax: number, endOffset: number): Uint8Array[] | undefined {
    const end = Math.min(endOffset, readableEnd(this.#contents));
    if (fromOffset < this.#contents.logStartOffset) return undefined;
    return this.#contents.recent.read(fromOffset, bytesMax, end);
  }

  /**
   * As `tail`, from memory or from the files. Refuses with OFFSET_OUT_OF_RANGE outside of the log,
   * and with KAFKA_STORAGE_ERROR where records are damaged.
   */
  async read(fromOffset: number, bytesMax: number, endOffset: number): Promise<Uint8Array[]> {
    const request = { fromOffset, bytesMax, endOffset };
    const found = await readLog(this.#contents, request, (damage) => this.#onDamaged(damage));
    this.#scheduleIdle();
    return found;
  }

  /** The first record below `endOffset` whose timestamp is `timestampMs` or later. */
  async offsetForTimestamp(
    timestampMs: number,
    endOffset: number,
  ): Promise<TimestampAnswer | undefined> {
    const onDamaged = (damage: Damage): void => this.#onDamaged(damage);
    const found = await findTimestamp(this.#contents, timestampMs, endOffset, onDamaged);
    this.#scheduleIdle();
    return found;
  }

  /**
   * Removes all batches that end after `offset`, durably. The log then ends there, or before when
   * a batch had `offset` inside. Nothing may be appended until it resolves.
   */
  async truncateTo(offset: number): Promise<void> {
    await this.#upkeep.run(async () => await truncateLog(this.#contents, offset));
  }

  /** Removes everything, durably; the log then starts and ends at `offset`. */
  async restartAt(offset: number): Promise<void> {
    await this.#upkeep.run(async () => await restartLog(this.#contents, offset));
  }

  /** Records below `offset` are gone for good when it resolves. OFFSET_OUT_OF_RANGE past the end. */
  async deleteRecordsBefore(offset: number): Promise<void> {
    await this.#upkeep.run(async () => await deleteBefore(this.#contents, offset));
  }

  /** Remembers the high watermark; it is stored with the next checkpoint. */
  noteHighWatermark(highWatermark: number): void {
    const log = this.#contents;
    if (log.highWatermark === highWatermark || log.isClosed || this.isFailed) return;
    log.highWatermark = highWatermark;
    this.#scheduleCheckpoint(CHECKPOINT_MS);
  }

  /** Rolls and deletes what is due by age and size. Returns how many segments were deleted. */
  async applyRetention(highWatermark: number): Promise<number> {
    return await this.#upkeep.run(async () => await this.#retain(highWatermark));
  }

  reconfigure(config: LogConfig): void {
    const log = this.#contents;
    log.config = config;
    log.writer.setSynced(config.isSynced);
    log.recent.evict(config.tailBytesMax, log.writer.durableEndOffset);
  }

  /**
   * Replaces the start of `recovery.damaged` by the same batches of another replica, durably. The
   * range may be given in parts. Refuses with CORRUPT_MESSAGE what does not fit there.
   */
  async replaceRange(batches: Uint8Array): Promise<void> {
    await this.#upkeep.run(async () => await repairLog(this.#contents, batches));
  }

  /** Makes everything appended so far durable, and recovery begin behind it. */
  async checkpoint(): Promise<void> {
    await this.#upkeep.run(async () => {
      this.#contents.requireUsable();
      await checkpointLog(this.#contents, { isFinal: false });
    });
  }

  /** Makes everything durable and lets go of all files. Idempotent. No scan at the next open. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    const log = this.#contents;
    log.isClosed = true;
    this.#checkpointTimer?.cancel();
    this.#idleTimer?.cancel();
    await this.#upkeep.run(async () => {
      try {
        if (!this.isFailed) await checkpointLog(log, { isFinal: true });
      } finally {
        await log.writer.idle();
        log.writer.releaseFile();
        await Promise.all(log.segments.map(async (segment) => await segment.file.retire()));
        await log.removals.close();
        await this.#failing;
      }
    });
  }

  /** The bookkeeping of one batch that goes to the active segment. */
  #note(batches: Uint8Array, at: number, nowMs: number): void {
    const log = this.#contents;
    const epoch = leaderEpoch(batches, at);
    if (epoch !== log.epochs.latest) log.epochs.assign(epoch, baseOffset(batches, at));
    if (producerId(batches, at) >= 0) log.producers.observe(producerBatch(batches, at));
    const { active } = log;
    if (active.firstAppendMs < 0) active.firstAppendMs = nowMs;
    active.lastAppendMs = nowMs;
    noteBatch(active, batches, at, log.config.indexIntervalBytes);
    log.logEndOffset = active.nextOffset;
  }

  /** Hands what was noted to memory and to the writer. */
  #enqueue(batches: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    const log = this.#contents;
    const chunk = from === 0 && to === batches.length ? batches : batches.subarray(from, to);
    log.recent.push(chunk, baseOffset(chunk, 0), log.logEndOffset);
    log.writer.append(log.active, chunk, log.logEndOffset);
  }

  #mustRoll(sizeBytes: number, last: number, nowMs: number): boolean {
    const { active, config } = this.#contents;
    if (active.sizeBytes === 0) return false;
    const segmentBytesMax = Math.min(config.segmentBytesMax, INT32_MAX);
    return (
      active.sizeBytes + sizeBytes > segmentBytesMax ||
      last - active.baseOffset > INT32_MAX ||
      nowMs - active.firstAppendMs >= config.segmentMs
    );
  }

  /** Begins a new segment; what is remembered of the old one is stored soon. */
  #roll(): void {
    const log = this.#contents;
    const { active } = log;
    active.seal();
    active.usedAtMs = log.ports.clock.monotonicMs();
    log.unsealed = [...log.unsealed, active];
    log.segments = [...log.segments, log.newSegment(log.logEndOffset)];
    this.#checkpointTimer?.cancel();
    this.#checkpointTimer = undefined;
    this.#scheduleCheckpoint(0);
    this.#scheduleIdle();
  }

  async #retain(highWatermark: number): Promise<number> {
    const log = this.#contents;
    log.requireUsable();
    const nowMs = log.ports.clock.wallMs();
    const { retentionMs, retentionBytes, segmentMs } = log.config;
    const { active } = log;
    if (active.sizeBytes > 0 && nowMs - active.firstAppendMs >= segmentMs) this.#roll();
    const limits = {
      nowMs,
      retentionMs,
      retentionBytes,
      highWatermark: Math.min(highWatermark, log.writer.durableEndOffset),
      logStartOffset: log.logStartOffset,
    };
    const count = deletableSegments(log.segments, limits);
    if (count === 0) return 0;
    if (count === log.segments.length) this.#roll();
    const startOffset = Math.max(log.logStartOffset, log.segments[count]?.baseOffset ?? 0);
    await dropOldest(log, count, startOffset);
    return count;
  }

  #onDurable(endOffset: number): void {
    const log = this.#contents;
    log.recent.evict(log.config.tailBytesMax, endOffset);
    this.#observer.onDurable(endOffset);
  }

  #onFailed(error: Error): void {
    const log = this.#contents;
    this.#checkpointTimer?.cancel();
    this.#checkpointTimer = undefined;
    log.ports.logger.error({ directory: log.directory, error: error.message }, "a log has failed");
    this.#failing = this.#noteFailure();
    this.#observer.onFailed(error);
  }

  /** A best effort: the store may be on the disk that has just failed. */
  async #noteFailure(): Promise<void> {
    const log = this.#contents;
    const { isSynced } = log.config;
    const safeOffset = isSynced ? log.writer.durableEndOffset : log.recoveryPoint.offset;
    try {
      const operation = log.checkpoints.putState(log.state(safeOffset));
      await log.checkpoints.write([operation], { sync: true });
    } catch (error) {
      const { directory } = log;
      log.ports.logger.error(
        { directory, error: asError(error).message },
        "could not note that a log has failed",
      );
    }
  }

  #onDamaged(damage: Damage): void {
    const { fromOffset, toOffset } = damage;
    const { directory } = this.#contents;
    this.#contents.ports.logger.error({ directory, fromOffset, toOffset }, "records are damaged");
    this.#observer.onDamaged?.({ fromOffset, toOffset });
  }

  #scheduleCheckpoint(delayMs: number): void {
    const log = this.#contents;
    if (this.#checkpointTimer !== undefined || log.isClosed) return;
    this.#checkpointTimer = log.ports.timers.after(delayMs, () => {
      this.#checkpointTimer = undefined;
      if (log.isClosed || this.isFailed) return;
      this.checkpoint().catch((error: unknown) => {
        if (log.isClosed || this.isFailed) return;
        log.ports.logger.warn(
          { directory: log.directory, error: asError(error).message },
          "could not checkpoint a log; recovery would begin earlier",
        );
        this.#scheduleCheckpoint(CHECKPOINT_MS);
      });
    });
  }

  /** Closes, after a while, the files and indexes of full segments that nobody reads. */
  #scheduleIdle(): void {
    const log = this.#contents;
    if (this.#idleTimer !== undefined || log.isClosed) return;
    const isOpen = (): boolean => log.segments.some((one) => one.isSealed && one.isOpen);
    if (!isOpen()) return;
    this.#idleTimer = log.ports.timers.after(SEGMENT_IDLE_MS, () => {
      this.#idleTimer = undefined;
      const idleSinceMs = log.ports.clock.monotonicMs() - SEGMENT_IDLE_MS;
      for (const segment of log.segments) {
        const isIdle = segment.isSealed && segment.usedAtMs <= idleSinceMs;
        if (isIdle && !log.unsealed.includes(segment)) segment.rest();
      }
      this.#scheduleIdle();
    });
  }
}
