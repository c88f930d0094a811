/**
 * Three replicas of one partition in seeded misfortune: streams that break or hang, crashes that
 * drop what was not synced, pauses, lost proposals and late answers, failovers, deleted beginnings.
 * The shells around the cores do what those of the broker do, without a wait between.
 */
import { type BrokerEpoch, nodeId } from "@strandline/model";
import {
  CommitWaiters,
  type FollowerEffect,
  type FollowerEvent,
  type IsrAnswer,
  type Leader,
  type LeaderEvent,
} from "../index.js";
import { Controller } from "./controller.js";
import { Promises } from "./promises.js";
import { generator } from "./random.js";
import {
  batchOf,
  type Entry,
  type Fault,
  keyOf,
  Replica,
  type State,
  type Stream,
  type ToFollower,
  type ToLeader,
  type WorldOptions,
} from "./replica.js";
import { endOf, following, IN_SYNC_REPLICAS_MIN, leadership } from "./roles.js";

const NODES = [1, 2, 3].map((id) => nodeId(id));
const STEP_MS = 20;
const STORM_STEPS = 1_500;
const CALM_STEPS = 1_500;

export class World {
  readonly marks = new Set<string>();
  readonly #replicas = NODES.map((id) => new Replica(id));
  readonly #controller: Controller;
  readonly #promises: Promises;
  readonly #streams = new Set<Stream>();
  readonly #calls: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly #random: () => number;
  readonly #fault: Fault;
  #nowMs = 0;
  #isCalm = false;
  #lastBrokerEpoch = 10;

  constructor(
    seed: number,
    { fault = "none", judgesOutcomeOnly = false }: Partial<WorldOptions> = {},
  ) {
    this.#random = generator(seed);
    this.#fault = fault;
    this.#promises = new Promises(this.#replicas, { judgesOutcomeOnly });
    const keepsEpoch = fault === "keep-epoch";
    this.#controller = new Controller(this.#replicas, { marks: this.marks, keepsEpoch });
  }

  get acknowledgedCount(): number {
    return this.#promises.acknowledged.size;
  }

  run(): readonly string[] {
    for (const replica of this.#replicas) this.#start(replica);
    try {
      for (let step = 0; step < STORM_STEPS && this.#promises.findings.length === 0; step += 1) {
        this.#step();
        if (this.#chance(0.03)) this.#misfortune();
      }
      this.#isCalm = true;
      for (let step = 0; step < CALM_STEPS && this.#promises.findings.length === 0; step += 1)
        this.#step();
      if (this.#promises.findings.length === 0) this.#promises.calm(this.#controller.state);
    } catch (error) {
      this.#promises.findings.push(String(error));
    }
    return this.#promises.findings;
  }

  #step(): void {
    this.#nowMs += STEP_MS;
    for (const call of this.#calls.filter((one) => one.atMs <= this.#nowMs)) {
      this.#calls.splice(this.#calls.indexOf(call), 1);
      call.run();
    }
    for (const replica of this.#replicas) {
      if (!replica.isUp) {
        if (this.#isCalm || this.#chance(0.02)) this.#start(replica);
      } else if (replica.pausedUntilMs <= this.#nowMs) this.#turn(replica);
    }
    this.#produce();
    for (const stream of this.#streams) this.#carry(stream);
    this.#promises.counted(this.#controller.state);
  }

  #turn(replica: Replica): void {
    while (replica.news.length > 0 && (this.#isCalm || this.#chance(0.4))) {
      this.#learn(replica, replica.news.shift() as State);
    }
    if (this.#isCalm || this.#chance(0.3)) this.#sync(replica);
    if (replica.cut !== undefined && (this.#isCalm || this.#chance(0.3))) {
      const cut = replica.cut;
      replica.cut = undefined;
      cut();
    }
    if (replica.follower !== undefined && replica.stream === undefined && this.#chance(0.3)) {
      this.#connect(replica);
    }
    this.#lead(replica, { kind: "ticked", nowMs: this.#nowMs });
    this.#follow(replica, { kind: "ticked", nowMs: this.#nowMs });
    const { leader } = replica;
    if (leader !== undefined && this.#chance(0.02)) {
      replica.logStartOffset = Math.max(replica.logStartOffset, replica.highWatermark - 3);
      replica.epochs.truncateFromStart(replica.logStartOffset);
    }
  }

  #sync(replica: Replica): void {
    const end = replica.syncing;
    replica.syncing = replica.logEndOffset;
    if (end === undefined || end <= replica.durableEndOffset) return;
    replica.durableEndOffset = Math.min(end, replica.logEndOffset);
    this.#lead(replica, { kind: "synced", durableEndOffset: replica.durableEndOffset });
    this.#follow(replica, { kind: "synced", durableEndOffset: replica.durableEndOffset });
  }

  // ---- a broker's life ----------------------------------------------------------------------

  #start(replica: Replica): void {
    replica.isUp = true;
    replica.incarnation += 1;
    replica.pausedUntilMs = 0;
    this.#lastBrokerEpoch += 1;
    replica.brokerEpoch = this.#lastBrokerEpoch as BrokerEpoch;
    const eligible = new Map(this.#controller.state.eligible).set(replica.id, replica.brokerEpoch);
    const isFresh = this.#nowMs === 0;
    const goesOn = this.#fault === "keep-epoch" && this.#controller.state.leader === replica.id;
    const staysIn = isFresh || goesOn;
    this.#controller.change({
      eligible,
      isr: staysIn ? this.#controller.state.isr : this.#controller.isrWithout(replica.id),
    });
  }

  #crash(replica: Replica): void {
    replica.isUp = false;
    this.marks.add(replica.leader === undefined ? "follower crashed" : "leader crashed");
    this.#stepDown(replica);
    replica.news = [];
    replica.seen = undefined;
    replica.syncing = undefined;
    const kept =
      replica.durableEndOffset +
      Math.floor(this.#random() * (replica.logEndOffset - replica.durableEndOffset + 1));
    if (kept < replica.logEndOffset) this.marks.add("tail lost");
    const atHighWatermark = this.#fault === "truncate-by-high-watermark";
    const highWatermark = Math.floor(replica.highWatermark * (0.8 + 0.2 * this.#random()));
    replica.highWatermark = Math.max(replica.logStartOffset, Math.min(highWatermark, kept));
    replica.truncate(atHighWatermark ? replica.highWatermark : kept);
    replica.durableEndOffset = replica.logEndOffset;
    const { id, incarnation } = replica;
    this.#later(300, () => {
      if (replica.incarnation === incarnation && !replica.isUp) this.#controller.fence(id);
    });
  }

  #stepDown(replica: Replica): void {
    replica.leader = undefined;
    replica.follower = undefined;
    replica.following = -1;
    replica.waiters = new CommitWaiters();
    replica.cut = undefined;
    if (replica.stream !== undefined) replica.stream.isBroken = true;
    replica.stream = undefined;
  }

  #learn(replica: Replica, state: State): void {
    // A cut that runs is waited for, as by the broker's queue of transitions.
    replica.cut?.();
    replica.cut = undefined;
    const before = replica.seen;
    replica.seen = state;
    if (state.eligible.get(replica.id) !== replica.brokerEpoch) return;
    const { eligible, isr, partitionEpoch } = state;
    const nowMs = this.#nowMs;
    this.#lead(replica, { kind: "eligible-changed", eligible, nowMs });
    if (state.leader === replica.id && replica.leader?.epoch === state.leaderEpoch) {
      const change = { replicas: NODES, inSyncReplicasMin: IN_SYNC_REPLICAS_MIN, nowMs };
      this.#lead(replica, { kind: "partition-changed", partitionEpoch, isr, ...change });
      return;
    }
    if (before?.leaderEpoch === state.leaderEpoch && replica.following === state.leader) return;
    this.#stepDown(replica);
    if (state.leader === replica.id) {
      replica.leader = leadership(replica, { state, replicas: NODES, nowMs });
      this.#lead(replica, { kind: "synced", durableEndOffset: replica.durableEndOffset });
    } else if (state.leader !== -1) replica.follower = following(replica, state);
  }

  #connect(replica: Replica): void {
    const leader = this.#replicas.find(({ id }) => id === replica.following) as Replica;
    if (!leader.isUp) return;
    const stream: Stream = {
      follower: replica,
      leader,
      brokerEpoch: replica.brokerEpoch,
      leaderIncarnation: leader.incarnation,
      toLeader: [],
      toFollower: [],
      feed: undefined,
      isBroken: false,
    };
    replica.stream = stream;
    this.#streams.add(stream);
    this.#follow(replica, { kind: "connected" });
  }

  #break(stream: Stream): void {
    stream.isBroken = true;
    const { follower } = stream;
    if (follower.stream !== stream) return;
    follower.stream = undefined;
    this.#follow(follower, { kind: "disconnected" });
  }

  // ---- the leader's shell -------------------------------------------------------------------

  #lead(replica: Replica, event: LeaderEvent): void {
    const { leader } = replica;
    if (leader === undefined) return;
    for (const effect of replica.lead(leader, event, this.#nowMs)) {
      if (effect.kind === "advance-high-watermark") {
        this.#advance(replica, effect.highWatermark);
        this.#promises.advanced(replica, leader, this.#controller.state);
        for (const acknowledge of replica.waiters.release(effect.highWatermark)) acknowledge();
      } else {
        const proposal = { ...effect, epoch: leader.epoch };
        this.#ask(
          () => this.#controller.proposed(proposal),
          (answer) => {
            if (replica.leader !== leader) return;
            this.#lead(replica, { kind: "isr-answered", answer, nowMs: this.#nowMs });
          },
        );
      }
    }
  }

  #ask(question: () => IsrAnswer, onAnswer: (answer: IsrAnswer) => void): void {
    const delayMs = () => (this.#isCalm ? 20 : this.#random() * 1_500);
    const timedOut: IsrAnswer = { kind: "refused", code: "REQUEST_TIMED_OUT" };
    let isAnswered = false;
    const answerOnce = (answer: IsrAnswer) => {
      if (!isAnswered) onAnswer(answer);
      isAnswered = true;
    };
    // Lost on its way, or only its answer lost, or late: after the asker has given it up.
    if (!this.#isCalm && this.#chance(0.1)) return;
    this.#later(delayMs(), () => {
      const answer = question();
      if (this.#isCalm || this.#chance(0.8)) this.#later(delayMs(), () => answerOnce(answer));
    });
    this.#later(2_000, () => answerOnce(timedOut));
  }

  #carry(stream: Stream): void {
    const { leader, follower } = stream;
    if (!leader.isUp || leader.incarnation !== stream.leaderIncarnation) {
      this.#streams.delete(stream);
      this.#break(stream);
      return;
    }
    if (stream.isBroken && stream.toLeader.length === 0) this.#streams.delete(stream);
    if (leader.pausedUntilMs <= this.#nowMs) {
      while (stream.toLeader.length > 0 && (this.#isCalm || this.#chance(0.5))) {
        this.#atLeader(stream, stream.toLeader.shift() as ToLeader);
      }
      this.#pump(stream);
    }
    if (stream.isBroken || follower.pausedUntilMs > this.#nowMs) return;
    while (stream.toFollower.length > 0 && (this.#isCalm || this.#chance(0.5))) {
      const message = stream.toFollower.shift() as ToFollower;
      this.#follow(follower, message, message.kind === "append" ? message.entries : []);
    }
  }

  #atLeader(stream: Stream, message: ToLeader): void {
    const { leader: replica, follower } = stream;
    const core = replica.leader;
    if (core === undefined || core.epoch !== message.epoch) {
      if (message.kind === "follow") this.#refuse(stream, message, "NOT_LEADER_OR_FOLLOWER");
      return;
    }
    if (message.kind === "acknowledge") {
      if (stream.feed?.session !== message.session || stream.feed.core !== core) return;
      this.#lead(replica, {
        kind: "acknowledged",
        replica: follower.id,
        brokerEpoch: stream.brokerEpoch,
        durableEndOffset: message.durableEndOffset,
        nowMs: this.#nowMs,
      });
      return;
    }
    stream.feed = undefined;
    if (message.logEndOffset < replica.logStartOffset) {
      this.#refuse(stream, message, "OFFSET_OUT_OF_RANGE");
      return;
    }
    const { lastEpoch, logEndOffset, session } = message;
    const own = endOf(replica, message);
    const isPrefix = own.epoch === lastEpoch && own.endOffset >= logEndOffset;
    if (!isPrefix && this.#fault !== "truncate-by-high-watermark") {
      this.marks.add("diverged");
      const { epoch, endOffset } = own;
      stream.toFollower.push({
        kind: "diverged",
        session,
        leaderEpoch: core.epoch,
        epoch,
        endOffset,
      });
      return;
    }
    stream.feed = { session, core, sentOffset: logEndOffset };
    this.#send(stream, []);
  }

  #refuse(stream: Stream, to: ToLeader, code: string): void {
    const { logStartOffset } = stream.leader;
    const { session, epoch: leaderEpoch } = to;
    stream.toFollower.push({ kind: "refused", session, leaderEpoch, code, logStartOffset });
  }

  #pump(stream: Stream): void {
    const { feed, leader } = stream;
    if (feed === undefined || leader.leader !== feed.core) return;
    if (feed.sentOffset < leader.logEndOffset && this.#chance(0.7)) {
      const from = Math.max(feed.sentOffset, 0);
      this.#send(stream, leader.log.slice(from, from + 1 + Math.floor(this.#random() * 3)));
    } else if (this.#chance(0.1)) this.#send(stream, []);
  }

  #send(stream: Stream, entries: readonly Entry[]): void {
    const { leader, feed } = stream;
    if (feed === undefined) return;
    stream.toFollower.push({
      kind: "append",
      session: feed.session,
      leaderEpoch: feed.core.epoch,
      baseOffset: feed.sentOffset,
      endOffset: feed.sentOffset + entries.length,
      highWatermark: leader.highWatermark,
      logStartOffset: leader.logStartOffset,
      entries,
    });
    feed.sentOffset += entries.length;
  }

  // ---- the follower's shell -----------------------------------------------------------------

  #follow(replica: Replica, event: FollowerEvent, entries: readonly Entry[] = []): void {
    const core = replica.follower;
    if (core === undefined) return;
    for (const effect of core.step(event)) {
      if (core !== replica.follower) return;
      this.#perform(replica, effect, entries);
    }
  }

  #perform(replica: Replica, effect: FollowerEffect, entries: readonly Entry[]): void {
    const epoch = replica.seen?.leaderEpoch ?? -1;
    switch (effect.kind) {
      case "follow":
        replica.stream?.toLeader.push({ ...effect, epoch });
        return;
      case "acknowledge": {
        if (replica.cut !== undefined) this.#promises.findings.push("acknowledged while cutting");
        const isEager = this.#fault === "acknowledge-unsynced";
        const durableEndOffset = isEager ? replica.logEndOffset : effect.durableEndOffset;
        if (!isEager && durableEndOffset > replica.durableEndOffset) {
          this.#promises.findings.push("acknowledged what is not durable");
        }
        replica.stream?.toLeader.push({ ...effect, durableEndOffset, epoch });
        return;
      }
      case "append":
        for (const entry of entries) replica.append(entry);
        this.#reportEnd(replica, "appended");
        return;
      case "truncate":
        this.#cut(replica, () => replica.truncate(effect.toOffset));
        return;
      case "truncate-by-epoch":
        this.#cut(replica, () => {
          const own = replica.epochs.endOffsetOf(effect.epoch, replica.logEndOffset);
          const end = own.epoch < 0 ? replica.logStartOffset : own.endOffset;
          replica.truncate(Math.max(Math.min(effect.endOffset, end), replica.logStartOffset));
        });
        return;
      case "restart-at":
        this.marks.add("restarted");
        this.#cut(replica, () => replica.restartAt(effect.offset, this.#promises.committed));
        return;
      case "advance-high-watermark":
        this.#advance(replica, effect.highWatermark);
        return;
      case "advance-log-start":
        replica.logStartOffset = Math.max(replica.logStartOffset, effect.logStartOffset);
        replica.epochs.truncateFromStart(replica.logStartOffset);
        return;
      case "wait":
    }
  }

  #cut(replica: Replica, cut: () => void): void {
    replica.cut = () => {
      // As the log does: what is cut was synced before, and nobody hears of it.
      replica.durableEndOffset = replica.logEndOffset;
      this.#follow(replica, { kind: "synced", durableEndOffset: replica.durableEndOffset });
      replica.syncing = undefined;
      cut();
      this.#reportEnd(replica, "truncated");
    };
  }

  #reportEnd(replica: Replica, kind: "appended" | "truncated"): void {
    const { logEndOffset, epochs } = replica;
    this.#follow(replica, { kind, logEndOffset, lastEpoch: epochs.latest });
  }

  /** One idempotent producer that sends each record until it is acknowledged, some at a time. */
  #produce(): void {
    let isLed = false;
    for (const replica of this.#replicas) {
      const { leader } = replica;
      if (leader === undefined || replica.pausedUntilMs > this.#nowMs) continue;
      isLed = true;
      // Also leaders that do not know yet that they are deposed are written to.
      if (!leader.isUnderMinIsr && this.#chance(0.5)) this.#write(replica, leader);
    }
    if (!isLed) this.marks.add("nobody led");
  }

  #write(replica: Replica, leader: Leader): void {
    // Two, whose records interleave differently each time: a tail written twice shows.
    const producerId = this.#chance(0.5) ? 7 : 8;
    let first = 0;
    while (this.#promises.acknowledged.has(keyOf({ producerId, sequence: first }))) first += 1;
    const count = Math.floor(this.#random() * 5);
    for (let sequence = first; sequence <= first + count; sequence += 1) {
      const entry = { epoch: leader.epoch, producerId, sequence };
      const verdict = replica.producers.check(batchOf(entry));
      if (verdict.kind === "refused") return;
      if (verdict.kind === "append") {
        replica.append(entry);
        this.#lead(replica, { kind: "appended", logEndOffset: replica.logEndOffset });
      } else this.marks.add("duplicate");
      const offset = verdict.kind === "append" ? replica.logEndOffset - 1 : verdict.baseOffset;
      replica.waiters.add(offset + 1, () => this.#promises.acknowledged.set(keyOf(entry), offset));
      for (const release of replica.waiters.release(replica.highWatermark)) release();
    }
  }

  #misfortune(): void {
    const replica = this.#replicas[Math.floor(this.#random() * 3)] as Replica;
    const kind = this.#random();
    if (kind < 0.3) {
      if (replica.isUp) this.#crash(replica);
    } else if (kind < 0.4) {
      this.#controller.fence(replica.id);
      if (replica.isUp) this.#later(100, () => replica.isUp && this.#crash(replica));
    } else if (kind < 0.65) {
      replica.pausedUntilMs = this.#nowMs + this.#random() * 3_000;
    } else if (kind < 0.7) {
      for (const one of this.#replicas) if (one.isUp) this.#crash(one);
    } else if (replica.stream !== undefined) this.#break(replica.stream);
  }

  #advance(replica: Replica, highWatermark: number): void {
    if (highWatermark > replica.logEndOffset)
      this.#promises.findings.push("high watermark above the log");
    const from = replica.highWatermark;
    replica.highWatermark = Math.max(from, highWatermark);
    for (let offset = from; offset < highWatermark; offset += 1) {
      this.#promises.committedAt(replica, offset);
    }
  }

  #later(delayMs: number, run: () => void): void {
    this.#calls.push({ atMs: this.#nowMs + delayMs, run });
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }
}
