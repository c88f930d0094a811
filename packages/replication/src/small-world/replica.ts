/**
 * One replica of the small world: its disk, and, while it runs, its part in a leadership. Where
 * the real log has files and waits, this one has an array; what a crash does to it is the same.
 */
import type { BrokerEpoch, NodeId } from "@strandline/model";
import {
  CommitWaiters,
  type Follower,
  type FollowerEffect,
  type FollowerEvent,
  type Leader,
  type LeaderEffect,
  LeaderEpochs,
  type LeaderEvent,
  type ProducerBatch,
  ProducerStates,
} from "../index.js";

/** Faults that can be planted, to see whether the promises would notice. */
export type Fault = "none" | "truncate-by-high-watermark" | "acknowledge-unsynced" | "keep-epoch";

export interface WorldOptions {
  readonly fault: Fault;
  readonly judgesOutcomeOnly: boolean;
}

export interface Entry {
  readonly epoch: number;
  readonly producerId: number;
  readonly sequence: number;
}

export type ToLeader = Extract<FollowerEffect, { kind: "follow" | "acknowledge" }> & {
  epoch: number;
};
export type ToFollower =
  | (Extract<FollowerEvent, { kind: "append" }> & { readonly entries: readonly Entry[] })
  | Extract<FollowerEvent, { kind: "diverged" | "refused" }>;

/** One connection. A broken one delivers no more to its follower, but maybe yet to its leader. */
export interface Stream {
  readonly follower: Replica;
  readonly leader: Replica;
  readonly brokerEpoch: BrokerEpoch;
  readonly leaderIncarnation: number;
  readonly toLeader: ToLeader[];
  readonly toFollower: ToFollower[];
  feed: { readonly session: number; readonly core: Leader; sentOffset: number } | undefined;
  isBroken: boolean;
}

export interface State {
  readonly leader: NodeId | -1;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr: readonly NodeId[];
  readonly eligible: ReadonlyMap<NodeId, BrokerEpoch>;
}

/** One replica: its disk, and, while it runs, its part in a leadership. */
export class Replica {
  log: Entry[] = [];
  logStartOffset = 0;
  durableEndOffset = 0;
  highWatermark = 0;
  epochs = new LeaderEpochs();
  producers = new ProducerStates();
  isUp = false;
  incarnation = 0;
  brokerEpoch = -1 as BrokerEpoch;
  pausedUntilMs = 0;
  seen: State | undefined;
  news: State[] = [];
  leader: Leader | undefined;
  follower: Follower | undefined;
  following = -1;
  stream: Stream | undefined;
  cut: (() => void) | undefined;
  syncing: number | undefined;
  waiters = new CommitWaiters<() => void>();
  readonly id: NodeId;
  #isAsleep = false;

  constructor(id: NodeId) {
    this.id = id;
  }

  /** As the real shell does it: a quiet leadership is not ticked before something happens to it. */
  lead(leader: Leader, event: LeaderEvent, nowMs: number): readonly LeaderEffect[] {
    const isTick = event.kind === "ticked";
    if (isTick && this.#isAsleep) return [];
    const wake: LeaderEvent = { kind: "ticked", nowMs };
    const before = this.#isAsleep ? leader.step(wake) : [];
    const effects = [...before, ...leader.step(event)];
    this.#isAsleep = isTick && leader.isQuiet;
    return effects;
  }

  get logEndOffset(): number {
    return this.log.length;
  }

  append(entry: Entry): void {
    this.epochs.assign(entry.epoch, this.log.length);
    this.producers.observe({
      ...batchOf(entry),
      baseOffset: this.log.length,
      lastOffset: this.log.length,
      timestampMs: 0,
    });
    this.log.push(entry);
  }

  truncate(offset: number): void {
    this.log.length = offset;
    this.durableEndOffset = Math.min(this.durableEndOffset, offset);
    this.highWatermark = Math.min(this.highWatermark, offset);
    this.epochs.truncateFromEnd(offset);
    this.producers = new ProducerStates();
    const entries = this.log.splice(0);
    this.epochs = new LeaderEpochs();
    for (const entry of entries) this.append(entry);
    this.epochs.truncateFromStart(this.logStartOffset);
  }

  /** The world keeps what retention deletes, so that it can be compared; `from` has it all. */
  restartAt(offset: number, from: readonly Entry[]): void {
    this.log = from.slice(0, offset);
    this.logStartOffset = offset;
    this.truncate(offset);
    this.durableEndOffset = offset;
    this.epochs = new LeaderEpochs();
  }
}

export function batchOf({ producerId, sequence }: Entry): ProducerBatch {
  const crc = producerId * 1_000 + sequence;
  return { producerId, producerEpoch: 0, baseSequence: sequence, lastSequence: sequence, crc };
}

/** Identity of a record, whatever its place in a log. */
export function keyOf({ producerId, sequence }: Omit<Entry, "epoch">): number {
  return producerId * 1_000_000 + sequence;
}

export function isSame(a: Entry, b: Entry): boolean {
  return a.epoch === b.epoch && a.producerId === b.producerId && a.sequence === b.sequence;
}
