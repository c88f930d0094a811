/**
 * Feeds one follower with one partition: from memory while it keeps up, from the files when it
 * lags. At most a window of bytes is on its way at a time.
 */
import type { BrokerEpoch, NodeId } from "@strandline/model";
import { BrokerError } from "@strandline/model";
import { Lease } from "@strandline/platform";
import { batchBytes, lastOffset } from "@strandline/record";
import type { Partition } from "./partition.js";

const PIECE_BYTES_MAX = 1024 * 1024;
/** A follower that gets no data hears of a newer high watermark within this time. */
const WATERMARK_MS_MAX = 100;

export interface FeedSink {
  append(feed: LeaderFeed, piece: FeedPiece): void;
  refuse(feed: LeaderFeed, error: BrokerError): void;
  /** Another stream of the same follower has taken a partition over: this one must end. */
  supersede(): void;
  /** True while the stream is full; `LeaderFeed.pump` is called again when it has drained. */
  readonly isFull: boolean;
}

export interface FeedPiece {
  readonly baseOffset: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly batches: readonly Uint8Array[];
}

export class LeaderFeed {
  readonly partition: Partition;
  readonly replica: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly leaderEpoch: number;
  readonly session: number;
  readonly #sink: FeedSink;
  readonly #windowBytesMax: number;
  readonly #unacknowledged: { endOffset: number; sizeBytes: number; lease: Lease }[] = [];
  #inFlightBytes = 0;
  #sentOffset: number;
  #sentHighWatermark = -1;
  #isReading = false;
  #isStopped = false;
  #watermarkSentAtMs = 0;

  constructor(options: {
    partition: Partition;
    replica: NodeId;
    brokerEpoch: BrokerEpoch;
    leaderEpoch: number;
    session: number;
    fromOffset: number;
    windowBytesMax: number;
    sink: FeedSink;
  }) {
    this.partition = options.partition;
    this.replica = options.replica;
    this.brokerEpoch = options.brokerEpoch;
    this.leaderEpoch = options.leaderEpoch;
    this.session = options.session;
    this.#sentOffset = options.fromOffset;
    this.#windowBytesMax = options.windowBytesMax;
    this.#sink = options.sink;
  }

  /** The first message says that the follower was accepted, even when there is nothing to send. */
  start(): void {
    this.#sendWatermark();
    this.pump();
  }

  stop(): void {
    this.#isStopped = true;
  }

  /**
   * The follower asked again on another stream. Which of the two is the later one cannot be told
   * after a pause, so the follower must notice: silence is what a follower without news hears too.
   */
  supersede(): void {
    this.stop();
    this.#sink.supersede();
  }

  /** The follower must ask again, if it may. */
  refuse(error: BrokerError): void {
    this.stop();
    this.#sink.refuse(this, error);
  }

  /** Sends what the log has and the window allows. Synchronous while the bytes are in memory. */
  pump(): void {
    const { log } = this.partition;
    while (!this.#isStopped && !this.#isReading && !this.#sink.isFull) {
      if (this.#sentOffset >= log.logEndOffset || this.#inFlightBytes >= this.#windowBytesMax)
        return;
      const lease = new Lease();
      const chunks = log.tail(this.#sentOffset, PIECE_BYTES_MAX, log.logEndOffset, lease);
      if (chunks === undefined) {
        this.#readFiles();
        return;
      }
      if (chunks.length === 0) return;
      this.#send(chunks, lease);
    }
  }

  acknowledged(durableEndOffset: number): void {
    let first = this.#unacknowledged[0];
    while (first !== undefined && first.endOffset <= durableEndOffset) {
      this.#inFlightBytes -= first.sizeBytes;
      // It has them, so the network is done with ours.
      first.lease.release();
      this.#unacknowledged.shift();
      first = this.#unacknowledged[0];
    }
    this.pump();
  }

  /** True while ticks have nothing to do here: the follower has all, and knows it committed. */
  get isQuiet(): boolean {
    if (this.#isStopped) return true;
    const { log, highWatermark } = this.partition;
    return this.#sentOffset >= log.logEndOffset && this.#sentHighWatermark === highWatermark;
  }

  tick(nowMs: number): void {
    if (this.#isStopped || this.#sink.isFull) return;
    this.pump();
    if (this.partition.highWatermark === this.#sentHighWatermark) return;
    if (nowMs - this.#watermarkSentAtMs < WATERMARK_MS_MAX) return;
    this.#watermarkSentAtMs = nowMs;
    this.#sendWatermark();
  }

  #readFiles(): void {
    const { log } = this.partition;
    this.#isReading = true;
    const from = this.#sentOffset;
    const lease = new Lease(this.partition.ports.buffers);
    log.read(from, PIECE_BYTES_MAX, log.logEndOffset, lease).then(
      (chunks) => {
        this.#isReading = false;
        if (this.#isStopped || this.#sentOffset !== from) return;
        if (chunks.length > 0) this.#send(chunks, lease);
        this.pump();
      },
      (error: unknown) => {
        this.#isReading = false;
        if (this.#isStopped) return;
        this.refuse(
          error instanceof BrokerError
            ? error
            : new BrokerError("KAFKA_STORAGE_ERROR", "the leader cannot read its log"),
        );
      },
    );
  }

  #send(chunks: readonly Uint8Array[], lease: Lease): void {
    const baseOffset = this.#sentOffset;
    let sizeBytes = 0;
    for (const chunk of chunks) sizeBytes += chunk.length;
    this.#sentOffset = endOf(chunks[chunks.length - 1] as Uint8Array);
    this.#inFlightBytes += sizeBytes;
    this.#unacknowledged.push({ endOffset: this.#sentOffset, sizeBytes, lease });
    this.#tell(baseOffset, chunks);
  }

  #sendWatermark(): void {
    this.#tell(this.#sentOffset, []);
  }

  #tell(baseOffset: number, batches: readonly Uint8Array[]): void {
    const { highWatermark, log } = this.partition;
    this.#sentHighWatermark = highWatermark;
    const { logStartOffset } = log;
    this.#sink.append(this, { baseOffset, highWatermark, logStartOffset, batches });
  }
}

/** Offset after the last batch of a chunk of whole batches. */
function endOf(chunk: Uint8Array): number {
  let at = 0;
  let end = 0;
  while (at < chunk.length) {
    end = lastOffset(chunk, at) + 1;
    at += batchBytes(chunk, at);
  }
  return end;
}
