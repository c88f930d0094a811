/**
 * This broker's part in a leadership of another: takes batches from the leader in order, makes
 * them durable, acknowledges, and cuts what the leader does not have.
 */
import type { NodeId } from "@strandline/model";
import {
  BATCH_HEADER_BYTES,
  baseOffset,
  batchBytes,
  batchProblem,
  lastOffset,
} from "@strandline/record";
import { Follower, type FollowerEffect, type FollowerEvent } from "@strandline/replication";
import type { FollowerLink, Partition } from "./partition.js";

/** Batches offered by the leader, checked and ready for the log. */
export interface OfferedAppend {
  readonly session: number;
  readonly leaderEpoch: number;
  readonly baseOffset: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly batches: Uint8Array;
}

export class FollowerRole {
  readonly leader: NodeId;
  readonly epoch: number;
  readonly #partition: Partition;
  readonly #core: Follower;
  readonly #link: FollowerLink;
  #offered: Uint8Array | undefined;
  #isStopped = false;

  constructor(partition: Partition, options: { leader: NodeId; epoch: number }) {
    const { log } = partition;
    this.leader = options.leader;
    this.epoch = options.epoch;
    this.#partition = partition;
    this.#link = partition.owner.link(options.leader);
    this.#core = new Follower({
      leader: options.leader,
      epoch: options.epoch as never,
      logEndOffset: log.logEndOffset as never,
      lastEpoch: log.lastEpoch as never,
      durableEndOffset: log.durableEndOffset as never,
      highWatermark: partition.highWatermark as never,
      logStartOffset: log.logStartOffset as never,
    });
  }

  start(): void {
    this.#link.attach(this.#partition);
    if (this.#link.isConnected) this.#step({ kind: "connected" });
  }

  stop(): void {
    this.#isStopped = true;
    this.#link.detach(this.#partition);
  }

  connected(): void {
    this.#step({ kind: "connected" });
  }

  disconnected(): void {
    this.#step({ kind: "disconnected" });
  }

  synced(durableEndOffset: number): void {
    this.#step({ kind: "synced", durableEndOffset: durableEndOffset as never });
  }

  tick(): void {
    this.#step({ kind: "ticked", nowMs: this.#partition.ports.clock.monotonicMs() });
  }

  /** True while it needs no ticks. */
  get isQuiet(): boolean {
    return this.#core.isQuiet;
  }

  /** The leader offers batches, or only newer watermarks. */
  append(offered: OfferedAppend): void {
    const { batches } = offered;
    const endOffset = this.#checkedEnd(offered);
    if (endOffset === undefined) {
      // Mostly damaged on its way, or on the leader's disk: not a byte of it is taken.
      this.#step({
        kind: "refused",
        session: offered.session,
        leaderEpoch: offered.leaderEpoch as never,
        code: "CORRUPT_MESSAGE",
        logStartOffset: offered.logStartOffset as never,
      });
      return;
    }
    this.#offered = batches.length > 0 ? batches : undefined;
    this.#step({
      kind: "append",
      session: offered.session,
      leaderEpoch: offered.leaderEpoch as never,
      baseOffset: offered.baseOffset as never,
      endOffset: endOffset as never,
      highWatermark: offered.highWatermark as never,
      logStartOffset: offered.logStartOffset as never,
    });
    this.#offered = undefined;
  }

  diverged(message: {
    session: number;
    leaderEpoch: number;
    epoch: number;
    endOffset: number;
  }): void {
    this.#step({
      kind: "diverged",
      session: message.session,
      leaderEpoch: message.leaderEpoch as never,
      epoch: message.epoch as never,
      endOffset: message.endOffset as never,
    });
  }

  refused(message: {
    session: number;
    leaderEpoch: number;
    code: string;
    logStartOffset: number;
  }): void {
    this.#step({
      kind: "refused",
      session: message.session,
      leaderEpoch: message.leaderEpoch as never,
      code: message.code as never,
      logStartOffset: message.logStartOffset as never,
    });
  }

  /** Where the offered batches end; undefined when one of them cannot be taken. */
  #checkedEnd(offered: OfferedAppend): number | undefined {
    const { batches } = offered;
    const { log } = this.#partition;
    let expected = offered.baseOffset;
    let at = 0;
    while (at < batches.length) {
      const problem = batchProblem(batches, at, batches.length, this.#partition.ports.crc32c);
      const base = problem === undefined ? baseOffset(batches, at) : -1;
      // Offsets may skip forward (compaction leaves holes), never back.
      if (problem !== undefined || base < expected) {
        this.#partition.ports.logger.error(
          {
            partition: this.#partition.key,
            leader: this.leader,
            expected,
            found: base,
            problem: problem?.message ?? "the base offset goes back",
          },
          "refused batches of the leader",
        );
        return undefined;
      }
      if (base > expected && !log.hasGaps) {
        // Asked for again in a while. By then the log knows that a gap is none of its damages.
        void this.#partition.transition(this.epoch, async () => await log.allowGaps());
        return undefined;
      }
      expected = lastOffset(batches, at) + 1;
      at += batchBytes(batches, at);
    }
    return expected;
  }

  #step(event: FollowerEvent): void {
    if (this.#isStopped) return;
    for (const effect of this.#core.step(event)) this.#perform(effect);
  }

  #perform(effect: FollowerEffect): void {
    if (this.#isStopped) return;
    const partition = this.#partition;
    const { log } = partition;
    switch (effect.kind) {
      case "follow":
        this.#link.follow(partition, {
          leaderEpoch: this.epoch,
          session: effect.session,
          logEndOffset: effect.logEndOffset,
          lastEpoch: effect.lastEpoch,
        });
        return;
      case "acknowledge":
        this.#link.acknowledge(partition, {
          leaderEpoch: this.epoch,
          session: effect.session,
          durableEndOffset: effect.durableEndOffset,
        });
        return;
      case "append":
        if (this.#offered !== undefined && this.#offered.length >= BATCH_HEADER_BYTES) {
          log.append(this.#offered);
          this.#step({
            kind: "appended",
            logEndOffset: log.logEndOffset as never,
            lastEpoch: log.lastEpoch as never,
          });
        }
        return;
      case "truncate":
        this.#truncate(async () => await log.truncateTo(effect.toOffset));
        return;
      case "truncate-by-epoch": {
        const own = log.epochs.endOffsetOf(effect.epoch, log.logEndOffset as never);
        const to = Math.min(effect.endOffset, own.epoch < 0 ? log.logStartOffset : own.endOffset);
        this.#truncate(async () => await log.truncateTo(Math.max(to, log.logStartOffset)));
        return;
      }
      case "restart-at":
        this.#truncate(async () => await log.restartAt(effect.offset));
        return;
      case "advance-high-watermark":
        partition.advanceHighWatermark(effect.highWatermark);
        return;
      case "advance-log-start":
        void partition.transition(this.epoch, async () => {
          if (effect.logStartOffset <= log.logEndOffset) {
            await log.deleteRecordsBefore(effect.logStartOffset);
          }
        });
        return;
      case "wait":
        partition.wake();
        this.tick();
        // The partition's own ticks would do, but are far apart.
        partition.ports.timers.after(effect.ms, () => this.tick());
    }
  }

  #truncate(cut: () => Promise<void>): void {
    const { log } = this.#partition;
    void this.#partition.transition(this.epoch, async () => {
      const before = log.logEndOffset;
      await cut();
      this.#partition.logCut();
      this.#partition.ports.logger.info(
        {
          partition: this.#partition.key,
          leaderEpoch: this.epoch,
          from: before,
          to: log.logEndOffset,
        },
        "cut the log to the leader's",
      );
      this.#step({
        kind: "truncated",
        logEndOffset: log.logEndOffset as never,
        lastEpoch: log.lastEpoch as never,
      });
    });
  }
}
