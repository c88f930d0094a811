/**
 * The leader's end of replication: one stream from one follower. Admits the partitions that the
 * follower asks for, tells it where its log diverges, and hands acknowledgements to the core.
 */
import { type BrokerEpoch, BrokerError, type NodeId } from "@strandline/model";
import type { RpcReceiver, RpcStream } from "@strandline/platform";
import type {
  Acknowledge,
  FollowerMessage,
  FollowPartition,
  OutgoingLeaderMessage,
  Watermark,
} from "@strandline/rpc";
import { type FeedPiece, type FeedSink, LeaderFeed } from "./leader-feed.js";
import type { Partition } from "./partition.js";

export interface ReplicaFeederOwner {
  partition(topicId: string, partition: number): Partition | undefined;
  /** Refuses a stream of another cluster, or of a broker that the metadata does not know so. */
  admit(brokerId: number, brokerEpoch: number, clusterId: string): void;
  readonly replicaWindowBytesMax: number;
}

export class ReplicaFeeder implements RpcReceiver<FollowerMessage>, FeedSink {
  readonly #stream: RpcStream<OutgoingLeaderMessage>;
  readonly #owner: ReplicaFeederOwner;
  readonly #feeds = new Map<string, LeaderFeed>();
  #replica: NodeId | undefined;
  #brokerEpoch: BrokerEpoch | undefined;
  #isFull = false;
  /** Those of one turn go together: with many partitions they are most of the messages. */
  #watermarks: Watermark[] = [];
  #isEnded = false;

  constructor(stream: RpcStream<OutgoingLeaderMessage>, owner: ReplicaFeederOwner) {
    this.#stream = stream;
    this.#owner = owner;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  onMessage(message: FollowerMessage): void {
    const { hello, follow, acknowledge, acknowledges, unfollow } = message;
    if (acknowledge !== undefined) {
      this.#acknowledged(acknowledge);
    } else if (acknowledges !== undefined) {
      for (const one of acknowledges.acknowledges) this.#acknowledged(one);
    } else if (follow !== undefined) {
      this.#follow(follow);
    } else if (unfollow !== undefined) {
      this.#drop(`${unfollow.topicId}-${unfollow.partition}`);
    } else if (hello !== undefined) {
      try {
        this.#owner.admit(hello.brokerId, hello.brokerEpoch, hello.clusterId);
        this.#replica = hello.brokerId as NodeId;
        this.#brokerEpoch = hello.brokerEpoch as BrokerEpoch;
      } catch (error) {
        this.#stream.abort(error as Error);
      }
    }
  }

  onDrain(): void {
    this.#isFull = false;
    for (const feed of this.#feeds.values()) {
      if (this.#isFull) return;
      feed.pump();
    }
  }

  onEnd(): void {
    this.#isEnded = true;
    this.#watermarks = [];
    for (const key of [...this.#feeds.keys()]) this.#drop(key);
  }

  append(feed: LeaderFeed, piece: FeedPiece): void {
    const { topicId, partition } = feed.partition;
    const { leaderEpoch, session } = feed;
    const { baseOffset, highWatermark, logStartOffset, batches } = piece;
    if (batches.length > 0) {
      // Field by field: an object that is spread into another is slow to make, and to encode.
      this.#send({
        append: {
          topicId,
          partition,
          leaderEpoch,
          session,
          baseOffset,
          highWatermark,
          logStartOffset,
          batches,
        },
      });
      return;
    }
    // Whatever else this turn sends flushes them first: order is part of the protocol.
    if (this.#watermarks.length === 0) void Promise.resolve().then(() => this.#flush());
    this.#watermarks.push({
      topicId,
      partition,
      leaderEpoch,
      session,
      endOffset: baseOffset,
      highWatermark,
      logStartOffset,
    });
  }

  refuse(feed: LeaderFeed, error: BrokerError): void {
    const { partition } = feed;
    this.#feeds.delete(partition.key);
    partition.leader?.removeFeed(feed);
    this.#refuse(
      {
        topicId: partition.topicId,
        partition: partition.partition,
        leaderEpoch: feed.leaderEpoch,
        session: feed.session,
      },
      error,
      partition.log.logStartOffset,
    );
  }

  supersede(): void {
    this.#stream.abort(new BrokerError("NETWORK_EXCEPTION", "the follower has another stream"));
  }

  #acknowledged(acknowledge: Acknowledge): void {
    const feed = this.#feeds.get(`${acknowledge.topicId}-${acknowledge.partition}`);
    if (feed === undefined || feed.session !== acknowledge.session) return;
    const leader = feed.partition.leader;
    if (leader === undefined || leader.epoch !== acknowledge.leaderEpoch) return;
    leader.acknowledged(feed.replica, feed.brokerEpoch, acknowledge.durableEndOffset);
    feed.acknowledged(acknowledge.durableEndOffset);
  }

  #send(message: OutgoingLeaderMessage): void {
    this.#flush();
    if (!this.#stream.send(message)) this.#isFull = true;
  }

  #flush(): void {
    const watermarks = this.#watermarks;
    if (watermarks.length === 0 || this.#isEnded) return;
    this.#watermarks = [];
    if (!this.#stream.send({ watermarks: { watermarks } })) this.#isFull = true;
  }

  #follow(request: FollowPartition): void {
    const key = `${request.topicId}-${request.partition}`;
    this.#drop(key);
    const partition = this.#owner.partition(request.topicId, request.partition);
    try {
      const replica = this.#replica;
      if (replica === undefined || this.#brokerEpoch === undefined) {
        throw new BrokerError("INVALID_REQUEST", "a replication stream begins with hello");
      }
      if (partition === undefined) {
        throw new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", `${key} is not on this broker`);
      }
      const leader = partition.requireLeader(request.leaderEpoch);
      if (!leader.isReplica(replica)) {
        throw new BrokerError("REPLICA_NOT_AVAILABLE", `broker ${replica} is no replica of ${key}`);
      }
      if (this.#answerDivergence(partition, request)) return;
      const feed = new LeaderFeed({
        partition,
        replica,
        brokerEpoch: this.#brokerEpoch,
        leaderEpoch: leader.epoch,
        session: request.session,
        fromOffset: request.logEndOffset,
        windowBytesMax: this.#owner.replicaWindowBytesMax,
        sink: this,
      });
      this.#feeds.set(key, feed);
      leader.addFeed(feed);
      feed.start();
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      this.#refuse(request, error, partition?.log.logStartOffset ?? 0);
    }
  }

  /**
   * True when the follower's log is no prefix of this one and it was told so. Its last epoch must
   * be one this log knows, and must not go further there than here (KIP-101, KIP-279).
   */
  #answerDivergence(partition: Partition, request: FollowPartition): boolean {
    const { log } = partition;
    if (request.logEndOffset < log.logStartOffset) {
      throw new BrokerError(
        "OFFSET_OUT_OF_RANGE",
        `the log begins at ${log.logStartOffset}, the follower's ends at ${request.logEndOffset}`,
      );
    }
    // Nothing of the follower's log is left here to compare with: what it holds was committed.
    const own =
      request.lastEpoch < 0 || request.logEndOffset === log.logStartOffset
        ? { epoch: -1, endOffset: log.logEndOffset }
        : log.epochs.endOffsetOf(request.lastEpoch as never, log.logEndOffset as never);
    const isKnown = own.epoch === request.lastEpoch || (own.epoch === -1 && own.endOffset >= 0);
    const isPrefix = isKnown && own.endOffset >= request.logEndOffset;
    if (isPrefix) return false;
    this.#send({
      diverged: {
        topicId: request.topicId,
        partition: request.partition,
        leaderEpoch: request.leaderEpoch,
        session: request.session,
        epoch: own.epoch,
        endOffset: Math.min(own.endOffset, log.logEndOffset),
      },
    });
    return true;
  }

  #refuse(
    at: { topicId: string; partition: number; leaderEpoch: number; session: number },
    error: BrokerError,
    logStartOffset: number,
  ): void {
    this.#send({
      error: {
        topicId: at.topicId,
        partition: at.partition,
        leaderEpoch: at.leaderEpoch,
        session: at.session,
        code: error.code,
        message: error.message,
        logStartOffset,
      },
    });
  }

  #drop(key: string): void {
    const feed = this.#feeds.get(key);
    if (feed === undefined) return;
    this.#feeds.delete(key);
    feed.stop();
    feed.partition.leader?.removeFeed(feed);
  }
}
