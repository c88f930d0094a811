/**
 * The follower's end of replication: one stream to one leader, carrying every partition that this
 * broker follows there. Opened with the first partition, closed with the last.
 */
import type { BrokerEpoch, NodeId } from "@strandline/model";
import type { Logger, Random, RpcStream, Timer, Timers, Transport } from "@strandline/platform";
import {
  type Acknowledge,
  type FollowerMessage,
  type LeaderMessage,
  replicationMethods,
} from "@strandline/rpc";
import type { FollowerLink, Partition } from "./partition.js";

const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1_000;
const NOTHING = new Uint8Array(0);

export interface ReplicaFetcherOptions {
  readonly nodeId: NodeId;
  readonly leader: NodeId;
  /** Undefined while the leader's address is not known. */
  address(): string | undefined;
  brokerEpoch(): BrokerEpoch | undefined;
  clusterId(): string;
}

export class ReplicaFetcher implements FollowerLink {
  readonly #transport: Transport;
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #options: ReplicaFetcherOptions;
  readonly #partitions = new Map<string, Partition>();
  #stream: RpcStream<FollowerMessage> | undefined;
  #retry: Timer | undefined;
  #failures = 0;
  #acknowledges: Acknowledge[] = [];

  constructor(
    ports: { transport: Transport; timers: Timers; random: Random; logger: Logger },
    options: ReplicaFetcherOptions,
  ) {
    this.#transport = ports.transport;
    this.#timers = ports.timers;
    this.#random = ports.random;
    this.#logger = ports.logger;
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#stream !== undefined;
  }

  attach(partition: Partition): void {
    this.#partitions.set(partition.key, partition);
    if (this.#stream === undefined && this.#retry === undefined) this.#open();
  }

  detach(partition: Partition): void {
    if (!this.#partitions.delete(partition.key)) return;
    if (this.#partitions.size === 0) {
      this.close();
      return;
    }
    this.#stream?.send({
      unfollow: { topicId: partition.topicId, partition: partition.partition },
    });
  }

  follow(
    partition: Partition,
    message: { leaderEpoch: number; logEndOffset: number; lastEpoch: number; session: number },
  ): void {
    this.#stream?.send({
      follow: { topicId: partition.topicId, partition: partition.partition, ...message },
    });
  }

  acknowledge(
    partition: Partition,
    message: { leaderEpoch: number; durableEndOffset: number; session: number },
  ): void {
    if (this.#stream === undefined) return;
    // Those of one turn go together: the leader's watermarks accept many sessions in one message.
    if (this.#acknowledges.length === 0) void Promise.resolve().then(() => this.#flush());
    this.#acknowledges.push({
      topicId: partition.topicId,
      partition: partition.partition,
      leaderEpoch: message.leaderEpoch,
      durableEndOffset: message.durableEndOffset,
      session: message.session,
    });
  }

  close(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    const stream = this.#stream;
    this.#stream = undefined;
    this.#acknowledges = [];
    stream?.abort();
  }

  #flush(): void {
    const acknowledges = this.#acknowledges;
    this.#acknowledges = [];
    const [first] = acknowledges;
    if (first === undefined) return;
    this.#stream?.send(
      acknowledges.length === 1 ? { acknowledge: first } : { acknowledges: { acknowledges } },
    );
  }

  #open(): void {
    this.#retry = undefined;
    const address = this.#options.address();
    const brokerEpoch = this.#options.brokerEpoch();
    if (address === undefined || brokerEpoch === undefined) {
      this.#openLater();
      return;
    }
    const stream: RpcStream<FollowerMessage> = this.#transport.open(
      address,
      replicationMethods.replicate,
      {
        // Only the log goes on with them.
        borrows: true,
        onMessage: (message) => {
          if (this.#stream === stream) this.#received(message);
        },
        onEnd: (error) => {
          if (this.#stream === stream) this.#lost(address, error);
        },
      },
    );
    this.#stream = stream;
    stream.send({
      hello: { brokerId: this.#options.nodeId, brokerEpoch, clusterId: this.#options.clusterId() },
    });
    for (const partition of [...this.#partitions.values()]) partition.follower?.connected();
  }

  #lost(address: string, error: Error | undefined): void {
    this.#stream = undefined;
    this.#acknowledges = [];
    this.#logger.debug(
      { leader: this.#options.leader, address, error: error?.message },
      "replication stream ended",
    );
    for (const partition of [...this.#partitions.values()]) partition.follower?.disconnected();
    if (this.#partitions.size > 0 && this.#retry === undefined) this.#openLater();
  }

  #openLater(): void {
    this.#failures += 1;
    const boundMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#failures - 1, 10));
    const delayMs = boundMs / 2 + this.#random.below(Math.ceil(boundMs / 2));
    this.#retry = this.#timers.after(delayMs, () => this.#open());
  }

  #received(message: LeaderMessage): void {
    this.#failures = 0;
    const { append, watermarks, diverged, error } = message;
    if (append !== undefined) {
      this.#roleOf(append.topicId, append.partition)?.append({
        session: append.session,
        leaderEpoch: append.leaderEpoch,
        baseOffset: append.baseOffset,
        highWatermark: append.highWatermark,
        logStartOffset: append.logStartOffset,
        batches: append.batches as Uint8Array,
      });
    } else if (watermarks !== undefined) {
      for (const watermark of watermarks.watermarks) {
        this.#roleOf(watermark.topicId, watermark.partition)?.append({
          session: watermark.session,
          leaderEpoch: watermark.leaderEpoch,
          baseOffset: watermark.endOffset,
          highWatermark: watermark.highWatermark,
          logStartOffset: watermark.logStartOffset,
          batches: NOTHING,
        });
      }
    } else if (diverged !== undefined) {
      this.#roleOf(diverged.topicId, diverged.partition)?.diverged(diverged);
    } else if (error !== undefined) {
      this.#roleOf(error.topicId, error.partition)?.refused(error);
    }
  }

  #roleOf(topicId: string, partition: number) {
    const follower = this.#partitions.get(`${topicId}-${partition}`)?.follower;
    return follower?.leader === this.#options.leader ? follower : undefined;
  }
}
