/**
 * All partition replicas of this broker. Follows the metadata: opens, assigns, and removes them.
 *
 * Nothing is applied before the image contains this incarnation's registration. An older image may
 * say that this broker leads; that leadership belonged to a process that is gone.
 */
import type {
  MetadataDelta,
  MetadataImage,
  Partition as PartitionImage,
} from "@strandline/metadata";
import {
  type BrokerEpoch,
  BrokerError,
  type NodeId,
  type TopicId,
  topicPartitionKey,
} from "@strandline/model";
import { Log, ReadAhead, TailMemory } from "@strandline/storage";
import type { BrokerConfig } from "../broker-config.js";
import type { BrokerPorts } from "../ports.js";
import { LeadingWaiters } from "./leading-waiters.js";
import { repairLog } from "./log-repair.js";
import {
  type FollowerLink,
  type IsrProposal,
  Partition,
  type PartitionOwner,
} from "./partition.js";
import { ReplicaFetcher } from "./replica-fetcher.js";
import { type TopicSettings, topicSettings } from "./topic-settings.js";

/** For all readers of files together. */
const READ_AHEAD_BYTES_MAX = 16 * 1024 * 1024;
const OPEN_CONCURRENCY = 16;
const REPAIR_MS_MAX = 30_000;

/** What the set asks of the broker. */
export interface PartitionsOwner {
  brokerEpoch(): BrokerEpoch | undefined;
  isServing(): boolean;
  /** Asks the controller; answers through `LeaderRole.isrAnswered`. */
  proposeIsr(partition: Partition, proposal: IsrProposal): void;
  /** A disk failed: the broker cannot go on. */
  onLogFailed(error: Error): void;
  /** A leadership of this broker has begun. */
  onLeads(partition: Partition): void;
  /** Everything up to this metadata offset is in effect. */
  onApplied(offset: number): void;
}

export class Partitions implements PartitionOwner {
  readonly nodeId: NodeId;
  readonly #ports: BrokerPorts;
  readonly #config: BrokerConfig;
  readonly #owner: PartitionsOwner;
  readonly #open = new Map<string, Partition>();
  readonly #opening = new Map<string, Promise<void>>();
  readonly #links = new Map<NodeId, ReplicaFetcher>();
  readonly #settings = new Map<string, TopicSettings>();
  readonly #repairing = new Set<string>();
  /** Those that time matters to. A walk over all of them, many times a second, is not for free. */
  readonly #awake = new Set<Partition>();
  readonly #tailMemory: TailMemory;
  readonly #readAhead: ReadAhead;
  readonly #leading: LeadingWaiters;
  #image: MetadataImage | undefined;
  #eligible: ReadonlyMap<NodeId, BrokerEpoch> = new Map();
  readonly #queue: (() => Promise<void>)[] = [];
  #running = 0;
  #isReconciled = false;
  #isClosed = false;

  constructor(ports: BrokerPorts, config: BrokerConfig, owner: PartitionsOwner) {
    this.#ports = ports;
    this.#config = config;
    this.#owner = owner;
    this.nodeId = config.nodeId;
    this.#tailMemory = new TailMemory(config.tailBytesMax);
    this.#readAhead = new ReadAhead(ports, READ_AHEAD_BYTES_MAX);
    this.#leading = new LeadingWaiters(ports.timers);
  }

  get(topic: TopicId, partition: number): Partition | undefined {
    return this.#open.get(topicPartitionKey(topic, partition));
  }

  /** All open replicas. */
  all(): IterableIterator<Partition> {
    return this.#open.values();
  }

  brokerEpoch(): BrokerEpoch | undefined {
    return this.#owner.brokerEpoch();
  }

  isServing(): boolean {
    return this.#owner.isServing();
  }

  eligible(): ReadonlyMap<NodeId, BrokerEpoch> {
    return this.#eligible;
  }

  proposeIsr(partition: Partition, proposal: IsrProposal): void {
    this.#owner.proposeIsr(partition, proposal);
  }

  onLogFailed(_partition: Partition, error: Error): void {
    this.#owner.onLogFailed(error);
  }

  onLeads(partition: Partition): void {
    this.#leading.led(partition.key);
    this.#owner.onLeads(partition);
  }

  /**
   * Resolves with true once this broker leads whatever its image says it leads of a topic, with
   * false after `timeoutMs`.
   */
  async untilLeading(topic: TopicId, timeoutMs: number): Promise<boolean> {
    return await this.#leading.until(() => this.#notLed(topic), timeoutMs);
  }

  onAwake(partition: Partition): void {
    this.#awake.add(partition);
  }

  link(leader: NodeId): FollowerLink {
    let link = this.#links.get(leader);
    if (link === undefined) {
      link = new ReplicaFetcher(this.#ports, {
        nodeId: this.nodeId,
        leader,
        address: () => this.#image?.nodes.get(leader)?.peerAddress,
        brokerEpoch: () => this.#owner.brokerEpoch(),
        clusterId: () => this.#image?.clusterId ?? "",
      });
      this.#links.set(leader, link);
    }
    return link;
  }

  /** Takes a new image. `delta` says what changed since the one before. */
  apply(image: MetadataImage, delta: MetadataDelta): void {
    if (this.#isClosed) return;
    this.#image = image;
    const epoch = this.#owner.brokerEpoch();
    if (epoch === undefined || image.nodes.get(this.nodeId)?.brokerEpoch !== epoch) return;
    if (delta.nodes.length > 0 || !this.#isReconciled) this.#refreshEligible(image);
    if (!this.#isReconciled) {
      this.#isReconciled = true;
      this.#settings.clear();
      this.#reconcile(image);
    } else {
      this.#applyDelta(image, delta);
    }
    this.#leading.metadataChanged();
    this.#reportApplied();
  }

  /** The registration was answered; the image may already contain it. */
  registered(): void {
    if (this.#image !== undefined) this.apply(this.#image, EMPTY_DELTA);
  }

  tick(): void {
    for (const partition of this.#awake) {
      partition.tick();
      if (!partition.isAwake) this.#awake.delete(partition);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#leading.close();
    // Those that have not begun end at once: each is waited for here.
    await Promise.all(this.#opening.values());
    for (const link of this.#links.values()) link.close();
    await Promise.all(
      [...this.#open.values()].map(async (partition) => await this.#close(partition)),
    );
    this.#open.clear();
    this.#awake.clear();
  }

  /** A log that cannot be closed must keep no other from it; but the shutdown is no clean one. */
  async #close(partition: Partition): Promise<void> {
    try {
      await partition.close();
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      this.#ports.logger.error(
        { partition: partition.key, error: failure.message },
        "the log could not be closed",
      );
      this.#owner.onLogFailed(failure);
    }
  }

  /** Keys of what the image says this broker leads of a topic, and it does not lead yet. */
  #notLed(topic: TopicId): string[] {
    const states = this.#image?.topics.get(topic)?.partitions ?? [];
    return states
      .map((state, partition) => ({ state, key: topicPartitionKey(topic, partition) }))
      .filter(({ state, key }) => {
        return state.leader === this.nodeId && this.#open.get(key)?.isLeader !== true;
      })
      .map(({ key }) => key);
  }

  #refreshEligible(image: MetadataImage): void {
    const eligible = new Map<NodeId, BrokerEpoch>();
    for (const node of image.nodes.values()) {
      if (!node.isFenced && !node.isStopping) eligible.set(node.id, node.brokerEpoch);
    }
    this.#eligible = eligible;
    for (const partition of this.#open.values()) partition.eligibleChanged();
  }

  #reconcile(image: MetadataImage): void {
    for (const topic of image.topics.values()) {
      topic.partitions.forEach((state, index) => {
        if (!state.replicas.includes(this.nodeId)) return;
        this.#assign(image, topic.id, index, state);
      });
    }
    // Topics deleted, and replicas moved elsewhere, while this broker was away.
    this.#enqueue("strays", async () => await this.#removeStrays());
  }

  #applyDelta(image: MetadataImage, delta: MetadataDelta): void {
    if (delta.configs.length > 0) {
      this.#settings.clear();
      for (const partition of this.#open.values()) {
        const state = stateOf(image, partition.topicId, partition.partition);
        if (state !== undefined) this.#assign(image, partition.topicId, partition.partition, state);
      }
    }
    for (const change of delta.partitions) {
      if (change.after?.replicas.includes(this.nodeId)) {
        this.#assign(image, change.topicId, change.partition, change.after);
      } else if (change.before?.replicas.includes(this.nodeId)) {
        this.#remove(change.topicId, change.partition);
      }
    }
  }

  #assign(image: MetadataImage, topic: TopicId, partition: number, state: PartitionImage): void {
    const settings = this.#settingsOf(image, topic);
    const open = this.#open.get(topicPartitionKey(topic, partition));
    if (open !== undefined) open.apply(state, settings);
    else this.#enqueueOpen(topic, partition);
  }

  #settingsOf(image: MetadataImage, topic: TopicId): TopicSettings {
    const name = image.topics.get(topic)?.name ?? "";
    let settings = this.#settings.get(topic);
    if (settings === undefined) {
      settings = topicSettings(image, name, this.#config);
      this.#settings.set(topic, settings);
    }
    return settings;
  }

  #enqueueOpen(topic: TopicId, partition: number): void {
    const key = topicPartitionKey(topic, partition);
    this.#enqueue(key, async () => {
      if (this.#open.has(key) || this.#stateHere(topic, partition) === undefined) return;
      const opened = await this.#openPartition(this.#image as MetadataImage, topic, partition);
      // While the log was opened the topic may have changed, or gone, or the replica moved.
      const now = this.#image as MetadataImage;
      const state = this.#stateHere(topic, partition);
      if (this.#isClosed || state === undefined) {
        await opened.close();
        if (!this.#isClosed) await this.#removeLog(key);
        return;
      }
      this.#open.set(key, opened);
      opened.apply(state, this.#settingsOf(now, topic));
    });
  }

  async #openPartition(
    image: MetadataImage,
    topic: TopicId,
    partition: number,
  ): Promise<Partition> {
    const key = topicPartitionKey(topic, partition);
    const settings = this.#settingsOf(image, topic);
    let opened: Partition | undefined;
    const log = await Log.open(this.#ports, {
      directory: `${this.#config.topicsDirectory}/${key}`,
      key,
      config: settings.log,
      tailMemory: this.#tailMemory,
      readAhead: this.#readAhead,
      observer: {
        onDurable: (endOffset) => opened?.onDurable(endOffset),
        onFailed: (error) => opened?.onLogFailed(error),
        onDamaged: () => this.#damaged(opened),
      },
    });
    const isWhole = await this.#repair(log, topic, partition, REPAIR_MS_MAX);
    opened = new Partition(
      this.#ports,
      { topicId: topic, partition, replicaLagMsMax: this.#config.replicaLagMsMax },
      { log, owner: this, settings },
    );
    if (!isWhole) opened.stayOut(`offsets ${rangeText(log)} are damaged, and no replica has them`);
    return opened;
  }

  /** Before it takes part, and so before this broker is admitted: a repair needs no leader. */
  async #repair(log: Log, topic: TopicId, partition: number, timeoutMs: number): Promise<boolean> {
    const key = topicPartitionKey(topic, partition);
    const damaged = log.recovery.damaged;
    if (damaged === undefined) return true;
    this.#ports.logger.error({ partition: key, ...damaged }, "stored records are damaged");
    return await repairLog(
      this.#ports,
      log,
      {
        key,
        topicId: topic,
        partition,
        peers: () => this.#peersOf(topic, partition),
        isOver: () => this.#isClosed,
      },
      timeoutMs,
    );
  }

  #peersOf(topic: TopicId, partition: number): string[] {
    const image = this.#image;
    const replicas = image?.topics.get(topic)?.partitions[partition]?.replicas ?? [];
    return replicas
      .filter((id) => id !== this.nodeId)
      .map((id) => image?.nodes.get(id)?.peerAddress)
      .filter((address) => address !== undefined);
  }

  /** A read found damage in records of long ago. */
  #damaged(opened: Partition | undefined): void {
    if (opened === undefined || this.#isClosed || this.#repairing.has(opened.key)) return;
    const { key, topicId, partition, log } = opened;
    this.#repairing.add(key);
    this.#repair(log, topicId, partition, REPAIR_MS_MAX).then(
      (isWhole) => {
        this.#repairing.delete(key);
        if (!isWhole)
          opened.stayOut(`offsets ${rangeText(log)} are damaged, and no replica has them`);
      },
      (error: unknown) => {
        opened.onLogFailed(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  #remove(topic: TopicId, partition: number): void {
    const key = topicPartitionKey(topic, partition);
    const open = this.#open.get(key);
    this.#open.delete(key);
    // It takes part no more from now on, however long the log takes to close.
    const closing = open?.close();
    closing?.catch(() => undefined);
    this.#enqueue(key, async () => {
      await closing;
      // A replica that left and is back goes on with what it has.
      if (this.#stateHere(topic, partition) === undefined) await this.#removeLog(key);
    });
  }

  /** The partition, if the metadata gives this broker a replica of it. */
  #stateHere(topic: TopicId, partition: number): PartitionImage | undefined {
    const state = this.#image && stateOf(this.#image, topic, partition);
    return state?.replicas.includes(this.nodeId) ? state : undefined;
  }

  async #removeLog(key: string): Promise<void> {
    await Log.remove(this.#ports, `${this.#config.topicsDirectory}/${key}`, key);
    this.#ports.probe?.replicaRemoved(key);
  }

  async #removeStrays(): Promise<void> {
    for (const name of await this.#ports.fileSystem.list(this.#config.topicsDirectory)) {
      const at = name.lastIndexOf("-");
      const partition = Number(name.slice(at + 1));
      // Whatever is no log by its name is about to be removed, or not ours.
      if (at === -1 || !Number.isSafeInteger(partition)) continue;
      const topic = name.slice(0, at) as TopicId;
      if (this.#stateHere(topic, partition) !== undefined) continue;
      this.#enqueue(name, async () => {
        if (this.#stateHere(topic, partition) !== undefined) return;
        this.#ports.logger.info({ partition: name }, "removes a log that belongs here no more");
        await this.#removeLog(name);
      });
    }
  }

  /** One task per key at a time, a bounded number of keys at once. */
  #enqueue(key: string, task: () => Promise<void>): void {
    const before = this.#opening.get(key) ?? Promise.resolve();
    const turn = new Promise<void>((resolve) => {
      this.#queue.push(async () => {
        await before;
        try {
          if (!this.#isClosed) await task();
        } catch (error) {
          const failure = error instanceof Error ? error : new Error(String(error));
          this.#ports.logger.error(
            { partition: key, error: failure.message },
            "partition task failed",
          );
          if (!(error instanceof BrokerError)) this.#owner.onLogFailed(failure);
        } finally {
          if (this.#opening.get(key) === turn) this.#opening.delete(key);
          resolve();
        }
      });
    });
    this.#opening.set(key, turn);
    this.#drainQueue();
  }

  #drainQueue(): void {
    while (this.#running < OPEN_CONCURRENCY) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#running += 1;
      void next().then(() => {
        this.#running -= 1;
        this.#drainQueue();
        this.#reportApplied();
      });
    }
  }

  #reportApplied(): void {
    if (!this.#isReconciled || this.#opening.size > 0 || this.#image === undefined) return;
    this.#owner.onApplied(this.#image.offset);
  }
}

const EMPTY_DELTA: MetadataDelta = { partitions: [], topics: [], nodes: [], configs: [] } as never;

function rangeText(log: Log): string {
  const damaged = log.recovery.damaged;
  return damaged === undefined ? "" : `${damaged.fromOffset} to ${damaged.toOffset}`;
}

function stateOf(
  image: MetadataImage,
  topic: TopicId,
  partition: number,
): PartitionImage | undefined {
  return image.topics.get(topic)?.partitions[partition];
}
