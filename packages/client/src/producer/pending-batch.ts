/**
 * Records of one partition on their way together: gathered, encoded once, sent until their fate is
 * known, and settled together.
 */
import { assert } from "@strandline/model";
import {
  BatchEncoder,
  type DecodeOptions,
  decodeBatch,
  type FinishOptions,
  type RecordInput,
} from "@strandline/record";
import type { ProducerIdentity } from "./producer-identity.js";
import type { DeliverySink } from "./producer-record.js";
import { restamped } from "./restamp.js";

/**
 * open: takes records. sealed: complete, and not sent under its identity. in-flight: an answer is
 * awaited. returned: was sent and must be sent again. settled: its fate has been told.
 */
export type BatchState = "open" | "sealed" | "in-flight" | "returned" | "settled";

/** Where a batch stands in the numbering of its partition. */
export interface BatchStamp {
  readonly identity: ProducerIdentity;
  readonly baseSequence: number;
}

/** What a batch that was stored has to tell. */
export interface StoredBatch {
  /** -1 when nobody waited for it. */
  readonly baseOffset: number;
  /** The broker's time, when the topic stamps records itself. */
  readonly logAppendTimeMs: number | undefined;
}

export class PendingBatch {
  readonly topic: string;
  readonly partition: number;
  /** When its first record was taken. Monotonic; deadlines count from here. */
  readonly createdMs: number;
  state: BatchState = "open";
  /** True once some copy was sent whose outcome nobody told: it may be stored. */
  isFateUnknown = false;
  /** The last refusal or break, for the error of a batch that runs out of time. */
  lastError: Error | undefined;
  /** Room that its records hold in the producer's buffer. Bytes. */
  reservedBytes = 0;
  /** Size before compression, once it is encoded. */
  plainBytes = 0;
  stamp: BatchStamp | undefined;
  #encoder: BatchEncoder | undefined;
  #bytes: Uint8Array | undefined;
  #recordCount = 0;
  #settledCallbacks: (() => void)[] | undefined;
  /** One entry in each per record that somebody waits for; bulk records have none. */
  readonly #sinks: DeliverySink[] = [];
  readonly #sinkIndexes: number[] = [];
  readonly #sinkTimestampsMs: number[] = [];

  constructor(options: {
    readonly topic: string;
    readonly partition: number;
    readonly createdMs: number;
    readonly initialBytes: number;
  }) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.createdMs = options.createdMs;
    this.#encoder = new BatchEncoder({ initialBytes: options.initialBytes });
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Size as it stands: encoded size when sealed, else before compression. */
  get sizeBytes(): number {
    return this.#bytes?.length ?? this.#encoder?.sizeBytes ?? 0;
  }

  /** The encoded batch. Only once it was stamped. */
  get bytes(): Uint8Array {
    assert(this.#bytes !== undefined, "a batch is encoded before it is sent");
    return this.#bytes;
  }

  append(record: RecordInput, reservedBytes: number, sink: DeliverySink | undefined): void {
    assert(this.#encoder !== undefined, "a sealed batch takes no records");
    this.#encoder.append(record);
    this.reservedBytes += reservedBytes;
    if (sink !== undefined) {
      this.#sinks.push(sink);
      this.#sinkIndexes.push(this.#recordCount);
      this.#sinkTimestampsMs.push(record.timestampMs);
    }
    this.#recordCount++;
  }

  /**
   * Gives the batch its numbers, or none, and encodes it. The second time, which needs the first
   * copy to be known as not stored, only the numbers change.
   */
  encode(
    stamp: BatchStamp | undefined,
    options: Pick<FinishOptions, "crc32c" | "compression">,
  ): void {
    assert(!this.isFateUnknown, "a batch that may be stored keeps its numbers");
    if (this.#bytes === undefined) {
      assert(this.#encoder !== undefined, "a batch has an encoder until it is encoded");
      this.plainBytes = this.#encoder.sizeBytes;
      this.#bytes = this.#encoder.finish({
        ...options,
        producerId: stamp?.identity.producerId,
        producerEpoch: stamp?.identity.producerEpoch,
        baseSequence: stamp?.baseSequence,
      });
      this.#encoder = undefined;
    } else if (stamp !== undefined) {
      this.#bytes = restamped(this.#bytes, stamp, options.crc32c);
    }
    this.stamp = stamp;
  }

  /**
   * Hands its records over to two batches, for a broker that takes none of this size. The batch is
   * known as not stored, has more than one record, and must not be used any more.
   */
  split(decode: DecodeOptions): readonly [PendingBatch, PendingBatch] {
    assert(!this.isFateUnknown, "a batch that may be stored is not sent in another form");
    const { topic, partition, createdMs, bytes } = this;
    const options = { topic, partition, createdMs, initialBytes: Math.ceil(bytes.length / 2) };
    const halves = [new PendingBatch(options), new PendingBatch(options)] as const;
    const middle = Math.ceil(this.#recordCount / 2);
    let index = 0;
    let sinkAt = 0;
    for (const record of decodeBatch(bytes, 0, decode)) {
      const half = index < middle ? halves[0] : halves[1];
      const hasSink = this.#sinkIndexes[sinkAt] === index;
      const sink = hasSink ? this.#sinks[sinkAt] : undefined;
      half.append(record, BatchEncoder.recordBytesMax(record), sink);
      if (hasSink) sinkAt++;
      index++;
    }
    halves[1].reservedBytes = this.reservedBytes - halves[0].reservedBytes;
    this.#settleWith(halves);
    return halves;
  }

  /** Calls back once the batch is settled; at once when it is. */
  onSettled(callback: () => void): void {
    if (this.state === "settled") {
      callback();
      return;
    }
    this.#settledCallbacks ??= [];
    this.#settledCallbacks.push(callback);
  }

  /** Tells everybody the outcome; the last thing that happens to a batch. */
  settle(outcome: StoredBatch | Error): void {
    assert(this.state !== "settled", "a batch is settled once");
    this.state = "settled";
    this.#encoder = undefined;
    this.#bytes = undefined;
    if (outcome instanceof Error) {
      for (const sink of this.#sinks) sink.failed(outcome);
    } else {
      this.#deliver(outcome);
    }
    const callbacks = this.#settledCallbacks;
    this.#settledCallbacks = undefined;
    if (callbacks !== undefined) for (const callback of callbacks) callback();
  }

  /** True when some record has nobody who waits for it. */
  get hasUnheardRecords(): boolean {
    return this.#sinks.length < this.#recordCount;
  }

  /** Whoever waits for this batch now waits for the two that take its place. */
  #settleWith(halves: readonly [PendingBatch, PendingBatch]): void {
    this.state = "settled";
    this.#bytes = undefined;
    const callbacks = this.#settledCallbacks ?? [];
    this.#settledCallbacks = undefined;
    let openCount = halves.length;
    for (const half of halves) {
      half.onSettled(() => {
        openCount--;
        if (openCount === 0) for (const callback of callbacks) callback();
      });
    }
  }

  #deliver({ baseOffset, logAppendTimeMs }: StoredBatch): void {
    const { topic, partition } = this;
    for (let at = 0; at < this.#sinks.length; at++) {
      this.#sinks[at]?.delivered({
        topic,
        partition,
        offset: baseOffset < 0 ? -1 : baseOffset + (this.#sinkIndexes[at] ?? 0),
        timestampMs: logAppendTimeMs ?? this.#sinkTimestampsMs[at] ?? -1,
      });
    }
  }
}
