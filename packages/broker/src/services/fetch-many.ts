/**
 * Reads of many partitions at once, for clients that talk to leaders themselves: whole batches, up
 * to a bound, waiting for enough of them. Nothing is passed on to other brokers.
 *
 * Bytes are never copied: what a read gives are the chunks that the log holds.
 */
import type { Topic } from "@strandline/metadata";
import { BrokerError, type TopicId } from "@strandline/model";
import type { Clock, Lease, Timers } from "@strandline/platform";
import type { Partition } from "../partition/partition.js";
import type { Directory } from "./directory.js";
import { type EpochEnd, epochEnd } from "./epoch-ends.js";
import { totalBytes } from "./fetch.js";
import type { FetchWanted } from "./fetch-sessions.js";
import { hasOnlyHeaders, readRecords } from "./read-records.js";

/** Who asks: until when it waits, and what holds the bytes that it is given. */
export interface FetchCaller {
  /** Aborts when it has gone. */
  readonly signal: AbortSignal;
  readonly lease: Lease;
}

export interface FetchBounds {
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly waitMs: number;
}

/** What one read came to. */
export interface PartitionRead {
  readonly topic: Topic | undefined;
  readonly error: BrokerError | undefined;
  /** -1 with an error. */
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly batches: readonly Uint8Array[];
  readonly sizeBytes: number;
  /** The client's records end otherwise than they do here: there they part. */
  readonly diverging: EpochEnd | undefined;
}

const NOTHING: readonly Uint8Array[] = [];

/** Reads of files at a time, for one fetch: more would hold up the writes of others. */
const FILE_READS_MAX = 4;

export class FetchManyService {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #directory: Directory;

  constructor(ports: { clock: Clock; timers: Timers }, parts: { directory: Directory }) {
    this.#clock = ports.clock;
    this.#timers = ports.timers;
    this.#directory = parts.directory;
  }

  /** The reads in the order of `wanted`. Resolves at once when the caller has gone. */
  async read(
    wanted: readonly FetchWanted[],
    bounds: FetchBounds,
    { signal, lease }: FetchCaller,
  ): Promise<readonly PartitionRead[]> {
    const reads = new Reads(this.#directory, wanted, { bytesMax: bounds.bytesMax, lease });
    const deadlineMs = this.#clock.monotonicMs() + bounds.waitMs;
    const bytesMin = Math.min(bounds.bytesMin, bounds.bytesMax);
    await reads.readAll(wanted.keys());
    if (reads.isEnough(bytesMin) || bounds.waitMs <= 0) return reads.results;
    const news = new News(this.#timers, reads.replicas, signal);
    try {
      for (;;) {
        const leftMs = deadlineMs - this.#clock.monotonicMs();
        const changed = leftMs <= 0 || signal.aborted ? [] : await news.wait(leftMs);
        await reads.readAll(changed);
        if (changed.length === 0 || reads.isEnough(bytesMin)) return reads.results;
      }
    } finally {
      news.close();
    }
  }
}

/** The reads of one fetch: their results so far, and the room that is left. */
class Reads {
  readonly results: PartitionRead[] = [];
  readonly #directory: Directory;
  readonly #wanted: readonly FetchWanted[];
  readonly #replicas: (Partition | undefined)[] = [];
  readonly #bytesMax: number;
  readonly #lease: Lease;
  #sizeBytes = 0;
  #mustAnswer = false;
  /** Reads of files that have begun, and the room that they may need. */
  #running: Promise<void>[] = [];
  #runningBytes = 0;

  constructor(
    directory: Directory,
    wanted: readonly FetchWanted[],
    options: { readonly bytesMax: number; readonly lease: Lease },
  ) {
    this.#directory = directory;
    this.#wanted = wanted;
    // Room for nothing is room for one batch, or a reader would never get on.
    this.#bytesMax = Math.max(1, options.bytesMax);
    this.#lease = options.lease;
  }

  /** By index; undefined where the read was refused. */
  get replicas(): readonly (Partition | undefined)[] {
    return this.#replicas;
  }

  /** True when waiting longer is of no use. */
  isEnough(bytesMin: number): boolean {
    return this.#mustAnswer || this.results.length === 0 || this.#sizeBytes >= bytesMin;
  }

  /** In this order, as far as there is room. Files are read side by side. */
  async readAll(indexes: Iterable<number>): Promise<void> {
    for (const index of indexes) {
      if (this.#running.length > 0 && !this.#mayStart(index)) await this.#finishRunning();
      if (!this.#fromMemory(index)) this.#startFromFiles(index);
    }
    await this.#finishRunning();
  }

  /** Whether there is room for all that this one may bring, besides what the running reads may. */
  #mayStart(index: number): boolean {
    const { bytesMax } = this.#wanted[index] as FetchWanted;
    return this.#running.length < FILE_READS_MAX && this.#roomFor(index) >= bytesMax;
  }

  #startFromFiles(index: number): void {
    const bytesMax = Math.min(this.#roomFor(index), (this.#wanted[index] as FetchWanted).bytesMax);
    this.#runningBytes += bytesMax;
    this.#running.push(this.#fromFiles(index, bytesMax));
  }

  async #finishRunning(): Promise<void> {
    const running = this.#running;
    this.#running = [];
    this.#runningBytes = 0;
    if (running.length > 0) await Promise.all(running);
  }

  /** Reads what needs no wait. False when the files must be asked. */
  #fromMemory(index: number): boolean {
    const wanted = this.#wanted[index] as FetchWanted;
    const topic = this.#topicOf(wanted);
    try {
      const { replica, diverging } = this.#checked(wanted, topic);
      this.#replicas[index] = replica;
      const { log, highWatermark } = replica;
      const room = this.#roomFor(index);
      if (diverging !== undefined || wanted.offset >= highWatermark || room <= 0) {
        this.#settle(index, { topic, replica, batches: NOTHING, diverging });
        return true;
      }
      const bytesMax = Math.min(room, wanted.bytesMax);
      const batches = log.tail(wanted.offset, bytesMax, highWatermark, this.#lease);
      if (batches === undefined || hasOnlyHeaders(log, batches)) return false;
      this.#settle(index, { topic, replica, batches, diverging: undefined });
    } catch (error) {
      this.#refuse(index, topic, error);
    }
    return true;
  }

  /** After `#fromMemory` has checked it. */
  async #fromFiles(index: number, bytesMax: number): Promise<void> {
    const wanted = this.#wanted[index] as FetchWanted;
    const topic = this.#topicOf(wanted);
    const replica = this.#replicas[index] as Partition;
    try {
      const limits = { bytesMax, endOffset: replica.highWatermark };
      const batches = await readRecords(replica.log, wanted.offset, limits, this.#lease);
      // Suspended since the check: only a leader may say what is committed.
      replica.requireLeader();
      this.#settle(index, { topic, replica, batches, diverging: undefined });
    } catch (error) {
      this.#refuse(index, topic, error);
    }
  }

  #topicOf({ topic, topicId }: FetchWanted): Topic | undefined {
    const { topics, topicIds } = this.#directory.image;
    const id = topic === "" ? (topicId as TopicId) : topicIds.get(topic);
    return id === undefined ? undefined : topics.get(id);
  }

  /** The replica to read, or the place where the client's log parts from it. Throws the refusal. */
  #checked(
    wanted: FetchWanted,
    topic: Topic | undefined,
  ): { readonly replica: Partition; readonly diverging: EpochEnd | undefined } {
    if (topic === undefined) {
      const code = wanted.topic === "" ? "UNKNOWN_TOPIC_ID" : "UNKNOWN_TOPIC_OR_PARTITION";
      throw new BrokerError(code, "the topic does not exist");
    }
    const replica = this.#directory.led(topic, wanted.partition);
    const { epoch } = replica.requireLeader(
      wanted.currentLeaderEpoch < 0 ? undefined : wanted.currentLeaderEpoch,
    );
    const { log } = replica;
    if (wanted.lastFetchedEpoch >= 0) {
      const end = epochEnd(replica, epoch, wanted.lastFetchedEpoch);
      if (end.epoch === -1) {
        throw new BrokerError("OFFSET_OUT_OF_RANGE", "that epoch has not been here");
      }
      if (end.epoch < wanted.lastFetchedEpoch || end.endOffset < wanted.offset) {
        return { replica, diverging: end };
      }
    }
    if (wanted.offset < log.logStartOffset || wanted.offset > log.logEndOffset) {
      throw new BrokerError(
        "OFFSET_OUT_OF_RANGE",
        `offset ${wanted.offset} is outside of ${log.logStartOffset} to ${log.logEndOffset}`,
      );
    }
    return { replica, diverging: undefined };
  }

  /** What this read may have; what it had before is its own. */
  #roomFor(index: number): number {
    const ownBytes = this.results[index]?.sizeBytes ?? 0;
    return this.#bytesMax - this.#sizeBytes - this.#runningBytes + ownBytes;
  }

  #settle(
    index: number,
    found: {
      readonly topic: Topic | undefined;
      readonly replica: Partition;
      readonly batches: readonly Uint8Array[];
      readonly diverging: EpochEnd | undefined;
    },
  ): void {
    const { topic, replica, diverging } = found;
    const beforeBytes = this.results[index]?.sizeBytes ?? 0;
    const othersBytes = this.#sizeBytes - beforeBytes;
    let { batches } = found;
    let sizeBytes = totalBytes(batches);
    // A log gives one batch at least, so that a reader gets past any: the first of all may have it.
    if (othersBytes > 0 && sizeBytes > this.#bytesMax - othersBytes) {
      batches = NOTHING;
      sizeBytes = 0;
    }
    if (diverging !== undefined) this.#mustAnswer = true;
    this.#sizeBytes = othersBytes + sizeBytes;
    this.results[index] = {
      topic,
      error: undefined,
      highWatermark: replica.highWatermark,
      logStartOffset: replica.log.logStartOffset,
      batches,
      sizeBytes,
      diverging,
    };
  }

  #refuse(index: number, topic: Topic | undefined, error: unknown): void {
    if (!(error instanceof BrokerError)) throw error;
    this.#mustAnswer = true;
    this.#replicas[index] = undefined;
    this.#sizeBytes -= this.results[index]?.sizeBytes ?? 0;
    this.results[index] = {
      topic,
      error,
      highWatermark: -1,
      logStartOffset: -1,
      batches: NOTHING,
      sizeBytes: 0,
      diverging: undefined,
    };
  }
}

/** Which partitions have news, since it was asked last. */
class News {
  readonly #timers: Timers;
  readonly #signal: AbortSignal;
  readonly #changed = new Set<number>();
  readonly #unsubscribes: (() => void)[] = [];
  #wake: () => void = () => undefined;

  constructor(timers: Timers, replicas: readonly (Partition | undefined)[], signal: AbortSignal) {
    this.#timers = timers;
    this.#signal = signal;
    replicas.forEach((replica, index) => {
      if (replica === undefined) return;
      const unsubscribe = replica.onCommitted(() => {
        this.#changed.add(index);
        this.#wake();
      });
      this.#unsubscribes.push(unsubscribe);
    });
  }

  /** Indexes of partitions with news, in order; none when the time is over or nobody listens. */
  async wait(waitMs: number): Promise<readonly number[]> {
    if (this.#changed.size === 0) await this.#untilWoken(waitMs);
    const changed = [...this.#changed].sort((a, b) => a - b);
    this.#changed.clear();
    return changed;
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribes) unsubscribe();
  }

  async #untilWoken(waitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#wake = () => undefined;
        timer.cancel();
        this.#signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = this.#timers.after(waitMs, done);
      this.#wake = done;
      this.#signal.addEventListener("abort", done);
    });
  }
}
