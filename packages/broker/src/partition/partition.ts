/**
 * One replica of one partition: drives the log and the replication core, as leader or follower.
 *
 * A shell. The cores decide; this class performs what they ask for and feeds back what came of it.
 * The hot path (append, push, acknowledge) is synchronous from end to end; only transitions wait.
 * They go through one queue and ask again, after every wait, which leadership is in force.
 */
import type { Partition as PartitionImage } from "@strandline/metadata";
import {
  type BrokerEpoch,
  BrokerError,
  type NodeId,
  type TopicId,
  topicPartitionKey,
} from "@strandline/model";
import type { BufferPool, Clock, Compressors, Crc32c, Logger, Timers } from "@strandline/platform";
import type { Leader } from "@strandline/replication";
import type { Log } from "@strandline/storage";
import type { BrokerProbe } from "../ports.js";
import { SerialQueue } from "../serial-queue.js";
import { FollowerRole } from "./follower-role.js";
import type { LeaderFeed } from "./leader-feed.js";
import { type AppendOptions, LeaderRole } from "./leader-role.js";
import type { OnProduced } from "./produce-ticket.js";
import type { TopicSettings } from "./topic-settings.js";

/** What a partition asks of the broker that owns it. */
export interface PartitionOwner {
  readonly nodeId: NodeId;
  /** Undefined before the first registration: nothing may lead then. */
  brokerEpoch(): BrokerEpoch | undefined;
  /** False once the controller was silent for a session: others may lead by now. */
  isServing(): boolean;
  /** Brokers that may be in sync, with their epochs. */
  eligible(): ReadonlyMap<NodeId, BrokerEpoch>;
  proposeIsr(partition: Partition, proposal: IsrProposal): void;
  /** The stream to the leader that a follower reads from. */
  link(leader: NodeId): FollowerLink;
  onLogFailed(partition: Partition, error: Error): void;
  /** The leadership that the metadata asks for is in force. */
  onLeads(partition: Partition): void;
  /** To be ticked, as long as it is awake after a tick. */
  onAwake(partition: Partition): void;
}

export interface IsrProposal {
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr: readonly { readonly id: NodeId; readonly brokerEpoch: BrokerEpoch }[];
}

/** A follower's way to one leader: all their shared partitions travel on it. */
export interface FollowerLink {
  attach(partition: Partition): void;
  detach(partition: Partition): void;
  follow(
    partition: Partition,
    message: { leaderEpoch: number; logEndOffset: number; lastEpoch: number; session: number },
  ): void;
  acknowledge(
    partition: Partition,
    message: { leaderEpoch: number; durableEndOffset: number; session: number },
  ): void;
  readonly isConnected: boolean;
}

export interface PartitionPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly crc32c: Crc32c;
  readonly compressors: Compressors;
  readonly logger: Logger;
  /** Memory for what is read from files. */
  readonly buffers: BufferPool;
  readonly probe?: BrokerProbe | undefined;
}

export interface PartitionOptions {
  readonly topicId: TopicId;
  readonly partition: number;
  readonly replicaLagMsMax: number;
}

export class Partition {
  readonly topicId: TopicId;
  readonly partition: number;
  readonly key: string;
  readonly log: Log;
  readonly owner: PartitionOwner;
  readonly ports: PartitionPorts;
  readonly #replicaLagMsMax: number;
  readonly #transitions: SerialQueue;
  readonly #readers = new Set<() => void>();
  #settings: TopicSettings;
  #image: PartitionImage | undefined;
  #leader: LeaderRole | undefined;
  #follower: FollowerRole | undefined;
  #highWatermark: number;
  #failure: Error | undefined;
  #isAwake = false;
  #isClosed = false;

  /** `log` is open, and its observer calls `onDurable` and `onLogFailed` of this object. */
  constructor(
    ports: PartitionPorts,
    options: PartitionOptions,
    parts: { log: Log; owner: PartitionOwner; settings: TopicSettings },
  ) {
    this.topicId = options.topicId;
    this.partition = options.partition;
    this.key = topicPartitionKey(options.topicId, options.partition);
    this.ports = ports;
    this.log = parts.log;
    this.owner = parts.owner;
    this.#settings = parts.settings;
    this.#replicaLagMsMax = options.replicaLagMsMax;
    this.#highWatermark = Math.min(
      Math.max(parts.log.highWatermark, parts.log.logStartOffset),
      parts.log.logEndOffset,
    );
    this.#transitions = new SerialQueue((error) => {
      this.onLogFailed(error instanceof Error ? error : new Error(String(error)));
    });
  }

  get settings(): TopicSettings {
    return this.#settings;
  }

  get image(): PartitionImage | undefined {
    return this.#image;
  }

  /** Exclusive; everything below is committed. Goes back only when committed records were lost. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  get isLeader(): boolean {
    return this.#leader !== undefined;
  }

  /** The core of the leadership in force, if this replica leads. */
  get leaderCore(): Leader | undefined {
    return this.#leader?.core;
  }

  /** Epoch of the leadership this replica takes part in; -1 when in none. */
  get leaderEpoch(): number {
    return this.#leader?.epoch ?? this.#follower?.epoch ?? -1;
  }

  /**
   * Returns the leadership, or throws the refusal that sends a client elsewhere. `epoch` is the
   * one the caller believes in; undefined when it has no opinion.
   */
  requireLeader(epoch?: number): LeaderRole {
    if (this.#failure !== undefined) {
      throw new BrokerError("KAFKA_STORAGE_ERROR", this.#failure.message);
    }
    const leader = this.#leader;
    if (leader === undefined || !this.owner.isServing()) {
      throw new BrokerError("NOT_LEADER_OR_FOLLOWER", `this broker does not lead ${this.key}`);
    }
    if (epoch !== undefined && epoch < leader.epoch) {
      throw new BrokerError("FENCED_LEADER_EPOCH", `${this.key} is led in epoch ${leader.epoch}`);
    }
    if (epoch !== undefined && epoch > leader.epoch) {
      throw new BrokerError("UNKNOWN_LEADER_EPOCH", `epoch ${epoch} is not known here yet`);
    }
    return leader;
  }

  /**
   * Appends one client batch (checked for structure by the caller) and calls back when it is
   * acknowledged. Takes ownership of the bytes. Throws refusals that come before the append.
   */
  append(batch: Uint8Array, options: AppendOptions, onProduced: OnProduced): void {
    this.requireLeader().append(batch, options, onProduced);
  }

  /** Takes a new state of the partition from the metadata. */
  apply(image: PartitionImage, settings: TopicSettings): void {
    if (this.#isClosed) return;
    const before = this.#image;
    this.#image = image;
    if (settings !== this.#settings) {
      this.#settings = settings;
      this.log.reconfigure(settings.log);
    }
    const epoch = image.leaderEpoch;
    if (image.leader === this.owner.nodeId) {
      if (this.#leader?.epoch === epoch) {
        this.#leader.partitionChanged(image, settings);
      } else if (before === undefined || epoch > this.leaderEpoch) {
        this.#becomeLeader(epoch);
      }
    } else if (image.leader === -1) {
      this.#stepDown("the partition has no leader");
    } else if (this.#follower?.epoch !== epoch) {
      this.#becomeFollower(image.leader as NodeId, epoch);
    }
  }

  /** The set of brokers that may be in sync has changed. */
  eligibleChanged(): void {
    this.#leader?.eligibleChanged();
  }

  /** Time has passed: laggards leave, overdue requests are answered. */
  tick(): void {
    this.#leader?.tick();
    this.#follower?.tick();
    const isQuiet = (this.#leader?.isQuiet ?? true) && (this.#follower?.isQuiet ?? true);
    this.#isAwake = !isQuiet;
  }

  /** False while time decides nothing here: most of many partitions have nothing to do. */
  get isAwake(): boolean {
    return this.#isAwake;
  }

  /** From the roles only: ticks are needed. Returns false when they come already. */
  wake(): boolean {
    if (this.#isAwake) return false;
    this.#isAwake = true;
    this.owner.onAwake(this);
    return true;
  }

  /** The log made everything below durable. */
  onDurable(durableEndOffset: number): void {
    this.#leader?.synced(durableEndOffset);
    this.#follower?.synced(durableEndOffset);
  }

  /** The log can no longer make anything durable: this replica stops taking part. */
  onLogFailed(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.ports.logger.error(
      { partition: this.key, error: error.message },
      "log failed; this replica stops",
    );
    this.#stepDown("the log of this replica has failed", "KAFKA_STORAGE_ERROR");
    this.owner.onLogFailed(this, error);
  }

  /** This replica lacks records that it once acknowledged: it neither leads nor follows. */
  stayOut(reason: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = new Error(reason);
    this.ports.logger.error({ partition: this.key, reason }, "this replica stays out");
    this.#stepDown(reason, "KAFKA_STORAGE_ERROR");
  }

  get follower(): FollowerRole | undefined {
    return this.#follower;
  }

  get leader(): LeaderRole | undefined {
    return this.#leader;
  }

  /** Lets a follower's stream be fed. Only for the leader. */
  addFeed(feed: LeaderFeed): void {
    this.#leader?.addFeed(feed);
  }

  /** Runs asynchronous work on the log alone; skipped when `epoch` is no longer in force. */
  transition(epoch: number, task: () => Promise<void>): Promise<void> {
    return this.#transitions.run(async () => {
      if (this.#isClosed || this.#failure !== undefined) return;
      if (epoch !== this.leaderEpoch) return;
      await task();
    });
  }

  /** Called when more is committed. Returns what takes the subscription back. */
  onCommitted(reader: () => void): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  /** From the roles only: the high watermark moved. Never lowers it. */
  advanceHighWatermark(highWatermark: number): void {
    if (highWatermark <= this.#highWatermark) return;
    this.#highWatermark = highWatermark;
    this.log.noteHighWatermark(highWatermark);
    this.ports.probe?.highWatermarkMoved(this.key, highWatermark);
    this.#wakeReaders();
  }

  /**
   * The log was cut. Only an election that was allowed to lose records cuts below the high
   * watermark; what is gone is not committed any more, and must not be acknowledged as if it were.
   */
  logCut(): void {
    this.#highWatermark = Math.min(this.#highWatermark, this.log.logEndOffset);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#stepDown("this broker is stopping");
    this.#isClosed = true;
    await this.#transitions.run(async () => undefined);
    await this.log.close();
  }

  #becomeLeader(epoch: number): void {
    if (this.#failure !== undefined || this.owner.brokerEpoch() === undefined) return;
    this.#stepDown("another leadership has begun");
    void this.#transitions.run(async () => {
      // We were suspended, maybe while a truncation ran: is this still what the cluster wants?
      const image = this.#image;
      if (this.#isClosed || this.#failure !== undefined || this.#leader !== undefined) return;
      if (image?.leaderEpoch !== epoch || image.leader !== this.owner.nodeId) return;
      this.log.expectReaders(true);
      this.#leader = new LeaderRole(this, {
        image,
        settings: this.#settings,
        replicaLagMsMax: this.#replicaLagMsMax,
      });
      this.ports.logger.info(
        { partition: this.key, leaderEpoch: epoch, logEndOffset: this.log.logEndOffset },
        "became leader",
      );
      this.ports.probe?.becameLeader(this.key, epoch);
      this.#leader.start();
      this.owner.onLeads(this);
    });
  }

  #becomeFollower(leader: NodeId, epoch: number): void {
    if (this.#failure !== undefined) return;
    this.#stepDown(`broker ${leader} leads`);
    void this.#transitions.run(async () => {
      const image = this.#image;
      if (this.#isClosed || this.#failure !== undefined || this.#follower !== undefined) return;
      if (image?.leaderEpoch !== epoch || image.leader !== leader) return;
      this.log.expectReaders(false);
      this.#follower = new FollowerRole(this, { leader, epoch });
      this.ports.logger.debug({ partition: this.key, leaderEpoch: epoch, leader }, "follows");
      this.#follower.start();
    });
  }

  #stepDown(
    reason: string,
    code: "NOT_LEADER_OR_FOLLOWER" | "KAFKA_STORAGE_ERROR" = "NOT_LEADER_OR_FOLLOWER",
  ): void {
    const leader = this.#leader;
    this.#leader = undefined;
    leader?.stop(code, reason);
    const follower = this.#follower;
    this.#follower = undefined;
    follower?.stop();
    this.#wakeReaders();
  }

  #wakeReaders(): void {
    if (this.#readers.size === 0) return;
    for (const reader of [...this.#readers]) reader();
  }
}
