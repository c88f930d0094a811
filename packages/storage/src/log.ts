/**
 * The log of one partition replica: appends at its end, reads anywhere, cuts at both ends.
 *
 * `append` is the hot path and never waits: bytes go into memory and into the next group commit.
 * Everything that moves files runs one at a time in a queue of its own, beside the appends. What
 * counts as durable is only what the observer was told.
 */
import { assert } from "@strandline/model";
import type { Lease } from "@strandline/platform";
import type { LeaderEpochs, ProducerStates } from "@strandline/replication";
import { checkpointLog } from "./checkpoint.js";
import { CompactionPace } from "./compaction-pace.js";
import type { Damage } from "./damage.js";
import { appendToLog } from "./log-append.js";
import {
  type CompactionReport,
  type CompactionRequest,
  compactionPlan,
  compactLog,
} from "./log-compaction.js";
import { LogContents } from "./log-contents.js";
import { deleteBefore, restartLog, retainLog, rollIfOld, truncateLog } from "./log-cut.js";
import {
  CHECKPOINT_MS,
  type LogConfig,
  type LogObserver,
  type LogOptions,
  type LogPorts,
  type LogRecovery,
} from "./log-options.js";
import {
  findMaxTimestamp,
  findTimestamp,
  readableEnd,
  readLog,
  type TimestampAnswer,
} from "./log-read.js";
import { allowGaps, repairLog } from "./log-repair.js";
import { LogTimers } from "./log-timers.js";
import { LogWriter } from "./log-writer.js";
import { recoverLog } from "./recovery.js";
import { removeLog } from "./remove-log.js";
import { SerialQueue } from "./serial-queue.js";

export class Log {
  readonly #contents: LogContents;
  readonly #observer: LogObserver;
  /** Checkpoints, cuts, retention and repair, one at a time. */
  readonly #upkeep = new SerialQueue();
  readonly #timers: LogTimers;
  #compaction: { readonly round: Promise<unknown>; readonly pace: CompactionPace } | undefined;
  #closing: Promise<void> | undefined;

  private constructor(contents: LogContents, observer: LogObserver) {
    this.#contents = contents;
    this.#observer = observer;
    this.#timers = new LogTimers(contents, async () => await this.#checkpoint(true));
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
    if (found.isChanged) await checkpointLog(contents, { isFinal: true });
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
    const isDue = appendToLog(this.#contents, batches);
    this.#timers.checkpointSoon(isDue ? 0 : CHECKPOINT_MS);
  }

  /**
   * Whole batches from the one that holds `fromOffset`, all below `endOffset`, from memory; at
   * least one if there is any, whatever `bytesMax`. Undefined when memory does not reach back to
   * `fromOffset`: then `read` does. The bytes are shared and must not be changed; with `lease` they
   * stay as they are until it is released, without one for good.
   */
  tail(
    fromOffset: number,
    bytesMax: number,
    endOffset: number,
    lease?: Lease,
  ): Uint8Array[] | undefined {
    const end = Math.min(endOffset, readableEnd(this.#contents));
    if (fromOffset < this.#contents.logStartOffset) return undefined;
    return this.#contents.recent.read(fromOffset, bytesMax, end, lease);
  }

  /**
   * As `tail`, from memory or from the files. Refuses with OFFSET_OUT_OF_RANGE outside of the log,
   * and with KAFKA_STORAGE_ERROR where records are damaged.
   */
  async read(
    fromOffset: number,
    bytesMax: number,
    endOffset: number,
    lease?: Lease,
  ): Promise<Uint8Array[]> {
    const request = { fromOffset, bytesMax, endOffset, lease };
    const found = await readLog(this.#contents, request, (damage) => this.#onDamaged(damage));
    this.#timers.restLater();
    return found;
  }

  /** The first record below `endOffset` whose timestamp is `timestampMs` or later. */
  async offsetForTimestamp(
    timestampMs: number,
    endOffset: number,
  ): Promise<TimestampAnswer | undefined> {
    const onDamaged = (damage: Damage): void => this.#onDamaged(damage);
    const found = await findTimestamp(this.#contents, timestampMs, endOffset, onDamaged);
    this.#timers.restLater();
    return found;
  }

  /** The first of the records below `endOffset` with the largest timestamp. */
  async offsetOfMaxTimestamp(endOffset: number): Promise<TimestampAnswer | undefined> {
    const onDamaged = (damage: Damage): void => this.#onDamaged(damage);
    const found = await findMaxTimestamp(this.#contents, endOffset, onDamaged);
    this.#timers.restLater();
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

  /** Records below `offset` are gone for good then. Refuses an `offset` past the log's end. */
  async deleteRecordsBefore(offset: number): Promise<void> {
    await this.#upkeep.run(async () => await deleteBefore(this.#contents, offset));
  }

  /** Remembers the high watermark; it is stored with the next checkpoint. */
  noteHighWatermark(highWatermark: number): void {
    const log = this.#contents;
    if (log.highWatermark === highWatermark || log.isClosed || this.isFailed) return;
    log.highWatermark = highWatermark;
    this.#timers.checkpointSoon(CHECKPOINT_MS);
  }

  /** Rolls and deletes what is due by age and size. Returns how many segments were deleted. */
  async applyRetention(highWatermark: number): Promise<number> {
    return await this.#upkeep.run(async () => {
      const count = await retainLog(this.#contents, highWatermark);
      if (this.#contents.unsealed.length > 0) this.#timers.checkpointSoon(0);
      return count;
    });
  }

  /**
   * How much a round of compaction has to do, below `endOffset`; undefined when none is due.
   * Synchronous and cheap: it looks at what is remembered of the segments.
   */
  compactionNeed(endOffset: number): { dirtyRatio: number; isOverdue: boolean } | undefined {
    if (this.#compaction !== undefined) return undefined;
    return compactionPlan(this.#contents, endOffset);
  }

  /**
   * Runs one round of compaction if one is due, beside everything else; undefined when there was
   * none, or when it came to no end. Until it resolves, others are refused in the same way.
   */
  async compact(request: CompactionRequest): Promise<CompactionReport | undefined> {
    if (this.#compaction !== undefined || this.#contents.isClosed) return undefined;
    const pace = new CompactionPace(this.#contents.ports);
    const round = this.#compact(request, pace);
    this.#compaction = { round: round.catch(() => undefined), pace };
    try {
      return await round;
    } finally {
      this.#compaction = undefined;
    }
  }

  /** Whether what is appended from now on is likely to be read soon, by other than those near its end. */
  expectReaders(isExpected: boolean): void {
    this.#contents.writer.expectReaders(isExpected);
  }

  /** Whether offsets may be left out between this log's batches, as compaction does. */
  get hasGaps(): boolean {
    return this.#contents.hasGaps;
  }

  /** Lets appends leave out offsets, durably and for good. */
  async allowGaps(): Promise<void> {
    await this.#upkeep.run(async () => await allowGaps(this.#contents));
  }

  reconfigure(config: LogConfig): void {
    const log = this.#contents;
    log.config = config;
    log.writer.setSynced(config.isSynced);
    log.recent.evict(config.tailBytesMax, log.writer.durableEndOffset);
  }

  /**
   * Replaces the start of `recovery.damaged` by the same batches of another replica, durably. The
   * range may be given in parts. Refuses with CORRUPT_MESSAGE what does not fit there. `coveredTo`:
   * up to there the other replica has nothing more, because it is compacted.
   */
  async replaceRange(batches: Uint8Array, coveredTo?: number): Promise<void> {
    await this.#upkeep.run(async () => await repairLog(this.#contents, batches, coveredTo));
  }

  /** Makes everything appended so far durable, and recovery begin behind it. */
  async checkpoint(): Promise<void> {
    await this.#checkpoint(false);
  }

  /**
   * Makes everything durable and lets go of all files; the next open needs no scan. Idempotent.
   * Rejects when something could not be made durable, and lets go of all files even so.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #compact(
    request: CompactionRequest,
    pace: CompactionPace,
  ): Promise<CompactionReport | undefined> {
    await this.#upkeep.run(async () => {
      if (this.#contents.isClosed || this.#contents.config.compaction === undefined) return;
      rollIfOld(this.#contents);
      if (this.#contents.unsealed.length > 0) this.#timers.checkpointSoon(0);
    });
    return await compactLog(this.#contents, request, {
      runAlone: async (task) => await this.#upkeep.run(task),
      pace,
      onSuspect: async (offset) => {
        // Finds the damage and tells the observer, or gives what is there because it is good.
        await this.read(offset, 1, this.logEndOffset).catch(() => undefined);
      },
    });
  }

  async #checkpoint(isRoutine: boolean): Promise<void> {
    await this.#upkeep.run(async () => {
      this.#contents.requireUsable();
      await checkpointLog(this.#contents, { isFinal: false, isRoutine });
    });
  }

  async #close(): Promise<void> {
    const log = this.#contents;
    log.isClosed = true;
    this.#timers.close();
    // It ends at its next step. Its file must not meet the next one who opens this directory.
    this.#compaction?.pace.hurry();
    await this.#compaction?.round;
    await this.#upkeep.run(async () => {
      try {
        await checkpointLog(log, { isFinal: true });
      } finally {
        await log.writer.idle();
        log.writer.releaseFile();
        log.recent.reset(log.logEndOffset);
        await Promise.all(log.segments.map(async (segment) => await segment.file.retire()));
        await log.removals.close();
      }
    });
  }

  #onDurable(endOffset: number): void {
    const log = this.#contents;
    log.recent.evict(log.config.tailBytesMax, endOffset);
    this.#observer.onDurable(endOffset);
  }

  #onFailed(error: Error): void {
    const log = this.#contents;
    log.ports.logger.error({ directory: log.directory, error: error.message }, "a log has failed");
    this.#observer.onFailed(error);
  }

  #onDamaged(damage: Damage): void {
    const { fromOffset, toOffset } = damage;
    const { directory } = this.#contents;
    this.#contents.ports.logger.error({ directory, fromOffset, toOffset }, "records are damaged");
    this.#observer.onDamaged?.({ fromOffset, toOffset });
  }
}
