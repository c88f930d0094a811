/** The leader's half of one partition's replication: who keeps up, and what is committed. */
import type { BrokerEpoch, NodeId } from "@strandline/model";
import { Isr, type IsrAnswer } from "./isr.js";

export interface LeaderOptions {
  readonly self: NodeId;
  readonly epoch: number;
  readonly partitionEpoch: number;
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  readonly logEndOffset: number;
  readonly durableEndOffset: number;
  readonly highWatermark: number;
  readonly inSyncReplicasMin: number;
  readonly replicaLagMsMax: number;
  readonly nowMs: number;
  readonly eligible: ReadonlyMap<NodeId, BrokerEpoch>;
}

export type LeaderEvent =
  | { readonly kind: "appended"; readonly logEndOffset: number }
  | { readonly kind: "synced"; readonly durableEndOffset: number }
  | { readonly kind: "acknowledged"; readonly replica: NodeId; readonly brokerEpoch: BrokerEpoch; readonly durableEndOffset: number; readonly nowMs: number }
  | { readonly kind: "ticked"; readonly nowMs: number }
  | { readonly kind: "isr-answered"; readonly answer: IsrAnswer; readonly nowMs: number }
  | { readonly kind: "partition-changed"; readonly partitionEpoch: number; readonly isr: readonly NodeId[]; readonly replicas: readonly NodeId[]; readonly inSyncReplicasMin: number; readonly nowMs: number }
  | { readonly kind: "eligible-changed"; readonly eligible: ReadonlyMap<NodeId, BrokerEpoch>; readonly nowMs: number };

export type LeaderEffect =
  | { readonly kind: "advance-high-watermark"; readonly highWatermark: number }
  | { readonly kind: "propose-isr"; readonly isr: readonly { readonly id: NodeId; readonly brokerEpoch: BrokerEpoch }[]; readonly partitionEpoch: number };

interface Replica {
  brokerEpoch: BrokerEpoch;
  durableEndOffset: number;
  caughtUpAtMs: number;
  lastAckAtMs: number;
  endAtLastAck: number;
}

export class Leader {
  readonly epoch: number;
  readonly #o: LeaderOptions;
  readonly #isr: Isr;
  readonly #followers = new Map<NodeId, Replica>();
  #replicas: readonly NodeId[];
  #eligible: ReadonlyMap<NodeId, BrokerEpoch>;
  #min: number;
  #end: number;
  #durable: number;
  #hw: number;
  #start: number;
  #proposedAtMs = 0;

  constructor(o: LeaderOptions) {
    this.#o = o;
    this.epoch = o.epoch;
    this.#isr = new Isr(o.isr, o.partitionEpoch);
    this.#replicas = o.replicas;
    this.#eligible = o.eligible;
    this.#min = o.inSyncReplicasMin;
    this.#end = o.logEndOffset;
    this.#start = o.logEndOffset;
    this.#durable = o.durableEndOffset;
    this.#hw = o.highWatermark;
    this.#sync(o.nowMs);
  }

  get highWatermark(): number { return this.#hw; }
  get isr(): readonly NodeId[] { return this.#isr.committed; }
  get maximalIsr(): readonly NodeId[] { return this.#isr.maximal; }
  get partitionEpoch(): number { return this.#isr.partitionEpoch; }
  get logEndOffset(): number { return this.#end; }
  get isUnderMinIsr(): boolean { return this.#isr.committed.length < this.#min; }

  step(event: LeaderEvent): readonly LeaderEffect[] {
    switch (event.kind) {
      case "appended": this.#end = event.logEndOffset; return [];
      case "synced": this.#durable = Math.max(this.#durable, event.durableEndOffset); return this.#commit();
      case "acknowledged": return this.#acknowledged(event);
      case "ticked": return this.#ticked(event.nowMs);
      case "isr-answered": this.#isr.answered(event.answer); return [...this.#commit(), ...this.#review(event.nowMs)];
      case "partition-changed":
        if (!this.#isr.changed(event.isr, event.partitionEpoch) && event.partitionEpoch < this.#isr.partitionEpoch) return [];
        this.#replicas = event.replicas; this.#min = event.inSyncReplicasMin; this.#sync(event.nowMs);
        return [...this.#commit(), ...this.#review(event.nowMs)];
      case "eligible-changed": this.#eligible = event.eligible; return this.#review(event.nowMs);
    }
  }

  #sync(nowMs: number): void {
    for (const id of this.#isr.committed) {
      if (id !== this.#o.self && !this.#followers.has(id)) {
        this.#followers.set(id, { brokerEpoch: this.#eligible.get(id) ?? (-1 as BrokerEpoch), durableEndOffset: 0, caughtUpAtMs: nowMs, lastAckAtMs: nowMs, endAtLastAck: this.#end });
      }
    }
  }

  #acknowledged(event: Extract<LeaderEvent, { kind: "acknowledged" }>): readonly LeaderEffect[] {
    if (!this.#replicas.includes(event.replica)) return [];
    let f = this.#followers.get(event.replica);
    if (f === undefined || f.brokerEpoch < event.brokerEpoch) {
      f = { brokerEpoch: event.brokerEpoch, durableEndOffset: 0, caughtUpAtMs: f?.caughtUpAtMs ?? event.nowMs, lastAckAtMs: event.nowMs, endAtLastAck: this.#end };
      this.#followers.set(event.replica, f);
    }
    if (f.brokerEpoch > event.brokerEpoch) return [];
    f.durableEndOffset = event.durableEndOffset;
    if (event.durableEndOffset >= this.#end) f.caughtUpAtMs = event.nowMs;
    else if (event.durableEndOffset >= f.endAtLastAck) f.caughtUpAtMs = Math.max(f.caughtUpAtMs, f.lastAckAtMs);
    f.endAtLastAck = this.#end;
    f.lastAckAtMs = event.nowMs;
    const effects = [...this.#commit()];
    if (!this.#isr.maximal.includes(event.replica)) effects.push(...this.#review(event.nowMs));
    return effects;
  }

  #commit(): readonly LeaderEffect[] {
    if (this.isUnderMinIsr) return [];
    let committed = this.#durable;
    for (const id of this.#isr.maximal) {
      if (id !== this.#o.self) committed = Math.min(committed, this.#followers.get(id)?.durableEndOffset ?? 0);
    }
    if (committed <= this.#hw) return [];
    this.#hw = committed;
    return [{ kind: "advance-high-watermark", highWatermark: committed }];
  }

  #ticked(nowMs: number): readonly LeaderEffect[] {
    if (this.#isr.awaitsAnswer && nowMs - this.#proposedAtMs > 10_000) this.#isr.giveUp();
    return this.#review(nowMs);
  }

  #review(nowMs: number): readonly LeaderEffect[] {
    if (!this.#isr.canPropose) return [];
    const committed = this.#isr.committed;
    const next = this.#replicas.filter((id) => {
      if (id === this.#o.self) return true;
      const f = this.#followers.get(id);
      if (f === undefined) return false;
      if (committed.includes(id)) {
        return nowMs - f.caughtUpAtMs <= this.#o.replicaLagMsMax || f.durableEndOffset >= this.#end;
      }
      const epoch = this.#eligible.get(id);
      return epoch !== undefined && epoch === f.brokerEpoch && f.durableEndOffset >= Math.max(this.#hw, this.#start);
    });
    const isSame = next.length === committed.length && next.every((id) => committed.includes(id));
    if (isSame && !this.#isr.isInDoubt) return [];
    const members = next.map((id) => ({ id, brokerEpoch: (this.#eligible.get(id) ?? this.#followers.get(id)?.brokerEpoch ?? -1) as BrokerEpoch }));
    this.#isr.propose(next);
    this.#proposedAtMs = nowMs;
    return [{ kind: "propose-isr", isr: members, partitionEpoch: this.#isr.partitionEpoch }];
  }
}
