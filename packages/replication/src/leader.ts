/**
 * The leader's half of one partition's replication: who keeps up, and what is committed.
 *
 * Pure and synchronous: events in, effects out. The partition that owns it writes the log, pushes
 * batches, and brings proposals to the controller; README.md gives the order of things.
 *
 * Committed is what every replica has durably that may be in sync in the controller's eyes. The
 * leader counts itself like any other, by what it has synced, not by what it has appended.
 */
import { assert, type BrokerEpoch, type NodeId, unreachable } from "@strandline/model";
import { Isr, type IsrAnswer } from "./isr.js";
import { ReplicaProgress } from "./replica-progress.js";

/** A proposal without an answer is given up after this time. Longer than any caller asks. */
const PROPOSAL_MS_MAX = 10_000;
/** While in doubt what became of a proposal, another is made this often. */
const DOUBT_MS = 500;
/** A leader that was not ticked for longer was suspended, and heard nobody meanwhile. */
const TICK_GAP_MS_MAX = 1_000;

export interface LeaderOptions {
  readonly self: NodeId;
  readonly epoch: number;
  readonly partitionEpoch: number;
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  readonly logEndOffset: number;
  readonly durableEndOffset: number;
  /** As last known here; the new leadership may have to commit again what lies above. */
  readonly highWatermark: number;
  /** Effective: never above the number of replicas. */
  readonly inSyncReplicasMin: number;
  readonly replicaLagMsMax: number;
  readonly nowMs: number;
  /** Brokers that may be in sync (registered, not fenced, not stopping), and their epochs. */
  readonly eligible: ReadonlyMap<NodeId, BrokerEpoch>;
}

/** Times are monotonic milliseconds; end offsets are exclusive. */
export type LeaderEvent =
  | { readonly kind: "appended"; readonly logEndOffset: number }
  | { readonly kind: "synced"; readonly durableEndOffset: number }
  | {
      /** A follower's, within this leader epoch and a session this leader has accepted. */
      readonly kind: "acknowledged";
      readonly replica: NodeId;
      readonly brokerEpoch: BrokerEpoch;
      readonly durableEndOffset: number;
      readonly nowMs: number;
    }
  | { readonly kind: "ticked"; readonly nowMs: number }
  | { readonly kind: "isr-answered"; readonly answer: IsrAnswer; readonly nowMs: number }
  | {
      readonly kind: "partition-changed";
      readonly partitionEpoch: number;
      readonly isr: readonly NodeId[];
      readonly replicas: readonly NodeId[];
      readonly inSyncReplicasMin: number;
      readonly nowMs: number;
    }
  | {
      readonly kind: "eligible-changed";
      readonly eligible: ReadonlyMap<NodeId, BrokerEpoch>;
      readonly nowMs: number;
    };

/** A replica, and the incarnation of it that this leader has judged. */
export interface ProposedMember {
  readonly id: NodeId;
  readonly brokerEpoch: BrokerEpoch;
}

export type LeaderEffect =
  | { readonly kind: "advance-high-watermark"; readonly highWatermark: number }
  | {
      /** To be answered by `isr-answered`, at most once, or not at all. */
      readonly kind: "propose-isr";
      readonly isr: readonly ProposedMember[];
      readonly partitionEpoch: number;
    };

type Acknowledged = Extract<LeaderEvent, { kind: "acknowledged" }>;
type PartitionChanged = Extract<LeaderEvent, { kind: "partition-changed" }>;
type IsrAnswered = Extract<LeaderEvent, { kind: "isr-answered" }>;

const UNKNOWN_EPOCH = -1 as BrokerEpoch;

export class Leader {
  readonly epoch: number;
  readonly #self: NodeId;
  readonly #replicaLagMsMax: number;
  /** What earlier leaders may have committed ends here, however little of it is known here. */
  readonly #startOffset: number;
  readonly #isr: Isr;
  /** Every follower heard of, and every in-sync one. */
  readonly #progress = new Map<NodeId, ReplicaProgress>();
  #replicas: readonly NodeId[];
  #eligible: ReadonlyMap<NodeId, BrokerEpoch>;
  /** Kept when this broker is not eligible any more: while it stops, it may hand over yet. */
  #selfBrokerEpoch: BrokerEpoch = UNKNOWN_EPOCH;
  #inSyncReplicasMin: number;
  #logEndOffset: number;
  #durableEndOffset: number;
  #highWatermark: number;
  #tickedAtMs: number;
  #proposedAtMs: number;
  /** The last proposal changed nothing: no other before the next tick or news of the partition. */
  #isHeldBack = false;

  constructor(options: LeaderOptions) {
    assert(options.durableEndOffset <= options.logEndOffset, "only what is appended is durable");
    this.epoch = options.epoch;
    this.#self = options.self;
    this.#replicaLagMsMax = options.replicaLagMsMax;
    this.#startOffset = options.logEndOffset;
    this.#isr = new Isr(options.isr, options.partitionEpoch);
    this.#replicas = options.replicas;
    this.#eligible = options.eligible;
    this.#inSyncReplicasMin = options.inSyncReplicasMin;
    this.#logEndOffset = options.logEndOffset;
    this.#durableEndOffset = options.durableEndOffset;
    // After an unclean election this log may have been cut below what was committed.
    this.#highWatermark = Math.min(options.highWatermark, options.logEndOffset);
    this.#tickedAtMs = options.nowMs;
    this.#proposedAtMs = options.nowMs;
    this.#observeEligible(options.eligible, options.nowMs);
    this.#observeMembers([], options.nowMs);
  }

  /** Exclusive; never goes back. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** In sync by the controller's last word. */
  get isr(): readonly NodeId[] {
    return this.#isr.committed;
  }

  /** All who may be in sync: what the high watermark is counted over. */
  get maximalIsr(): readonly NodeId[] {
    return this.#isr.maximal;
  }

  get partitionEpoch(): number {
    return this.#isr.partitionEpoch;
  }

  get logEndOffset(): number {
    return this.#logEndOffset;
  }

  /** True while nothing can be committed for want of replicas. */
  get isUnderMinIsr(): boolean {
    return this.#isr.committed.length < this.#inSyncReplicasMin;
  }

  /**
   * True while ticks decide nothing, however many come before another event: everyone is in sync,
   * has everything, and no proposal is open. Whoever leaves them out then gives one right before
   * the next event. It makes up for all: who lacks nothing was caught up until now.
   */
  get isQuiet(): boolean {
    if (this.#highWatermark !== this.#logEndOffset || this.#isHeldBack) return false;
    if (!this.#isr.canPropose || this.#isr.isInDoubt) return false;
    if (!isSameSet(this.#replicas, this.#isr.committed)) return false;
    for (const progress of this.#progress.values()) {
      if (progress.durableEndOffset < this.#logEndOffset) return false;
    }
    return true;
  }

  step(event: LeaderEvent): readonly LeaderEffect[] {
    switch (event.kind) {
      case "appended":
        assert(event.logEndOffset >= this.#logEndOffset, "a leader never cuts its log");
        this.#logEndOffset = event.logEndOffset;
        return [];
      case "synced":
        assert(event.durableEndOffset <= this.#logEndOffset, "only what is appended is synced");
        this.#durableEndOffset = Math.max(this.#durableEndOffset, event.durableEndOffset);
        return this.#commit();
      case "acknowledged":
        return this.#acknowledged(event);
      case "ticked":
        return this.#ticked(event.nowMs);
      case "isr-answered":
        return this.#answered(event);
      case "partition-changed":
        return this.#partitionChanged(event);
      case "eligible-changed":
        this.#observeEligible(event.eligible, event.nowMs);
        return this.#review(event.nowMs, { isTick: false });
      default:
        return unreachable(event);
    }
  }

  #acknowledged(event: Acknowledged): readonly LeaderEffect[] {
    const { replica, brokerEpoch, durableEndOffset, nowMs } = event;
    if (replica === this.#self || !this.#replicas.includes(replica)) return [];
    // Nobody has more than the leader: such a number belongs to another log.
    if (durableEndOffset > this.#logEndOffset) return [];
    // A dead incarnation's last words. Its successor may have less.
    if (brokerEpoch < (this.#eligible.get(replica) ?? UNKNOWN_EPOCH)) return [];
    const known = this.#progress.get(replica);
    if (known !== undefined && brokerEpoch < known.brokerEpoch) return [];
    const progress = this.#incarnation(replica, brokerEpoch, nowMs);
    progress.acknowledged(durableEndOffset, this.#logEndOffset, nowMs);
    const effects = this.#commit();
    if (this.#isr.maximal.includes(replica)) return effects;
    return [...effects, ...this.#review(nowMs, { isTick: false })];
  }

  #ticked(nowMs: number): readonly LeaderEffect[] {
    const silentMs = nowMs - this.#tickedAtMs;
    this.#tickedAtMs = nowMs;
    for (const progress of this.#progress.values()) {
      if (silentMs > TICK_GAP_MS_MAX) progress.forgive(silentMs, nowMs);
      progress.ticked(this.#logEndOffset, nowMs);
    }
    if (this.isQuiet) return [];
    const isOverdue = nowMs - this.#proposedAtMs > PROPOSAL_MS_MAX;
    if (isOverdue && !this.#isr.canPropose) this.#isr.giveUp();
    this.#isHeldBack = false;
    // Whoever was waited for may have fallen silent.
    return [...this.#commit(), ...this.#review(nowMs, { isTick: true })];
  }

  #answered({ answer, nowMs }: IsrAnswered): readonly LeaderEffect[] {
    const before = this.#isr.committed;
    if (this.#isr.answered(answer)) this.#observeMembers(before, nowMs);
    // Asking again at once would be a loop at the speed of the network.
    else this.#isHeldBack = true;
    return [...this.#commit(), ...this.#review(nowMs, { isTick: false })];
  }

  #partitionChanged(event: PartitionChanged): readonly LeaderEffect[] {
    if (event.partitionEpoch < this.#isr.partitionEpoch) return [];
    const before = this.#isr.committed;
    this.#forgetFormerReplicas(event);
    if (this.#isr.changed(event.isr, event.partitionEpoch)) {
      this.#isHeldBack = false;
      this.#observeMembers(before, event.nowMs);
    }
    // These come from the topic's configuration too, which has no part in the partition epoch.
    this.#replicas = event.replicas;
    this.#inSyncReplicasMin = event.inSyncReplicasMin;
    return [...this.#commit(), ...this.#review(event.nowMs, { isTick: false })];
  }

  /**
   * Who is no replica deletes its log. If it becomes one again, what it once had is not there any
   * more, and must neither commit anything nor let it in. Between two states that do not follow
   * each other it may have gone and come back; only those in sync cannot have.
   */
  #forgetFormerReplicas(event: PartitionChanged): void {
    const isNext = event.partitionEpoch <= this.#isr.partitionEpoch + 1;
    for (const id of this.#progress.keys()) {
      const stays = event.replicas.includes(id) && (isNext || event.isr.includes(id));
      if (!stays) this.#progress.delete(id);
    }
  }

  /** Moves the high watermark as far as every possible member of the ISR has come. */
  #commit(): readonly LeaderEffect[] {
    if (this.isUnderMinIsr) return [];
    let committed = this.#durableEndOffset;
    for (const id of this.#isr.maximal) {
      if (id === this.#self) continue;
      committed = Math.min(committed, this.#progress.get(id)?.durableEndOffset ?? 0);
    }
    for (const [id, progress] of this.#progress) {
      if (!this.#isAboutToJoin(id, progress)) continue;
      committed = Math.min(committed, progress.durableEndOffset);
    }
    // A follower that starts over acknowledges from behind: what is committed stays committed.
    if (committed <= this.#highWatermark) return [];
    assert(committed <= this.#logEndOffset, "nothing is committed past the log end");
    this.#highWatermark = committed;
    return [{ kind: "advance-high-watermark", highWatermark: committed }];
  }

  /**
   * Proposes the ISR as it should be, if it is another. Only a tick drops laggards: any other
   * event may be the first after a pause, with the acknowledgements still waiting behind it.
   */
  #review(nowMs: number, { isTick }: { readonly isTick: boolean }): readonly LeaderEffect[] {
    if (!this.#isr.canPropose || this.#isHeldBack) return [];
    if (!this.#replicas.includes(this.#self)) return [];
    const { committed } = this.#isr;
    const wanted = this.#replicas.filter((id) => {
      if (id === this.#self) return true;
      if (!committed.includes(id)) return this.#mayJoin(id, nowMs);
      return !(isTick && this.#progress.get(id)?.isLagging(nowMs, this.#replicaLagMsMax));
    });
    if (isSameSet(wanted, committed)) {
      // Only a newer partition epoch ends a doubt, and only a proposal brings one about.
      const isDue = isTick && nowMs - this.#proposedAtMs >= DOUBT_MS;
      if (!this.#isr.isInDoubt || !isDue) return [];
    }
    return this.#propose(wanted, nowMs);
  }

  #propose(wanted: readonly NodeId[], nowMs: number): readonly LeaderEffect[] {
    const isr = wanted.map((id) => ({ id, brokerEpoch: this.#brokerEpochOf(id) }));
    // The controller would refuse. An acknowledgement or the metadata will tell.
    if (isr.some((member) => member.brokerEpoch === UNKNOWN_EPOCH)) return [];
    this.#isr.propose(wanted);
    this.#proposedAtMs = nowMs;
    assert(this.#isr.maximal.includes(this.#self), "a leader is in sync with itself");
    return [{ kind: "propose-isr", isr, partitionEpoch: this.#isr.partitionEpoch }];
  }

  /**
   * It must have all that is committed: below the high watermark, and below the start of this
   * leadership, where earlier leaders may have committed more than is known here.
   */
  #mayJoin(id: NodeId, nowMs: number): boolean {
    const progress = this.#progress.get(id);
    if (progress === undefined || this.#eligible.get(id) !== progress.brokerEpoch) return false;
    // A high watermark that stands still for want of replicas must not readmit whoever is gone.
    if (progress.isLost(nowMs, this.#replicaLagMsMax)) return false;
    return progress.durableEndOffset >= Math.max(this.#highWatermark, this.#startOffset);
  }

  /**
   * It keeps up, but does not count yet. Under steady load a follower's acknowledgements are always
   * a little behind a high watermark that does not wait for it, and it would never be let in.
   */
  #isAboutToJoin(id: NodeId, progress: ReplicaProgress): boolean {
    if (this.#isr.maximal.includes(id) || !this.#replicas.includes(id)) return false;
    if (this.#eligible.get(id) !== progress.brokerEpoch) return false;
    return progress.isClosingIn(this.#tickedAtMs);
  }

  /** Of the incarnation whose progress was judged, not of the one the metadata knows. */
  #brokerEpochOf(id: NodeId): BrokerEpoch {
    if (id === this.#self) return this.#selfBrokerEpoch;
    return this.#progress.get(id)?.brokerEpoch ?? UNKNOWN_EPOCH;
  }

  /**
   * The progress of that incarnation. A new one starts over with nothing: what the dead one had
   * on its disk must commit nothing more, and the time it was behind is not forgiven.
   */
  #incarnation(id: NodeId, brokerEpoch: BrokerEpoch, nowMs: number): ReplicaProgress {
    const known = this.#progress.get(id);
    if (known?.brokerEpoch === brokerEpoch) return known;
    const progress = new ReplicaProgress({
      brokerEpoch,
      logEndOffset: this.#logEndOffset,
      caughtUpAtMs: known?.caughtUpAtMs ?? nowMs,
      nowMs,
    });
    this.#progress.set(id, progress);
    return progress;
  }

  #observeEligible(eligible: ReadonlyMap<NodeId, BrokerEpoch>, nowMs: number): void {
    this.#eligible = eligible;
    this.#selfBrokerEpoch = eligible.get(this.#self) ?? this.#selfBrokerEpoch;
    for (const [id, progress] of this.#progress) {
      const brokerEpoch = eligible.get(id) ?? UNKNOWN_EPOCH;
      if (brokerEpoch > progress.brokerEpoch) this.#incarnation(id, brokerEpoch, nowMs);
    }
  }

  /** Whoever is in sync now and was not `before` is watched, and has the full time. */
  #observeMembers(before: readonly NodeId[], nowMs: number): void {
    for (const id of this.#isr.committed) {
      if (id === this.#self || before.includes(id)) continue;
      const known = this.#progress.get(id)?.brokerEpoch;
      const brokerEpoch = known ?? this.#eligible.get(id) ?? UNKNOWN_EPOCH;
      this.#incarnation(id, brokerEpoch, nowMs).joined(nowMs);
    }
  }
}

function isSameSet(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}
