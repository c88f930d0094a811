/**
 * The producer's front half: takes records, finds their partition, gathers them into batches, and
 * keeps the producer within its memory. What is ready to be sent goes to the dispatcher.
 */
import { BATCH_BYTES_LIMIT, BrokerError, topicNameProblem } from "@strandline/model";
import { BATCH_HEADER_BYTES, type RecordInput } from "@strandline/record";
import type { ClusterMetadata, TopicView } from "../cluster/cluster-metadata.js";
import { DeadlineTimer } from "../deadline-timer.js";
import { type Deferred, deferred } from "../deferred.js";
import { abortedError, asError, ClientError } from "../errors.js";
import type { ClientPorts } from "../ports.js";
import { raise, resolvedWithin, unlessAborted } from "../waits.js";
import type { Dispatcher } from "./dispatcher.js";
import { LingerTimers } from "./linger-timers.js";
import type { PartitionQueue } from "./partition-queue.js";
import type { PendingBatch } from "./pending-batch.js";
import type { ResolvedProducerOptions } from "./producer-options.js";
import type { DeliverySink, ProducerRecord } from "./producer-record.js";
import { inputBytesMax, RecordPreparer } from "./record-input.js";
import { SendBuffer } from "./send-buffer.js";
import { TopicIntake } from "./topic-intake.js";
import { TopicPartitions } from "./topic-partitions.js";
import type { WaitingRecord } from "./waiting-records.js";

export interface IntakeParts {
  readonly metadata: ClusterMetadata;
  readonly dispatcher: Dispatcher;
  readonly newQueue: (topic: string, partition: number) => PartitionQueue;
  /** Told of a record that nobody waits for and that failed before it was in a batch. */
  readonly onUnheard: (record: ProducerRecord, error: Error) => void;
}

export interface OfferOptions {
  readonly sink: DeliverySink | undefined;
  /** False: refuse rather than wait for room. */
  readonly mayWait: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A larger record fits no produce request at all. */
const RECORD_BYTES_MAX = BATCH_BYTES_LIMIT - BATCH_HEADER_BYTES;

export class Intake {
  readonly #ports: ClientPorts;
  readonly #options: ResolvedProducerOptions;
  readonly #parts: IntakeParts;
  readonly #preparer = new RecordPreparer();
  readonly #buffer: SendBuffer;
  readonly #linger: LingerTimers;
  readonly #deadlines: DeadlineTimer;
  readonly #topics = new Map<string, TopicIntake>();
  readonly #stopListening: () => void;
  readonly #closing = new AbortController();
  /** Resolved once nobody waits for room. */
  #room: Deferred<void> | undefined;
  /** Size of the record that was refused last; 0 once there was room for it. */
  #refusedBytes = 0;
  #isMakingRoom = false;
  #flushes = 0;
  #isServing = false;
  #mustServeAgain = false;

  constructor(ports: ClientPorts, options: ResolvedProducerOptions, parts: IntakeParts) {
    this.#ports = ports;
    this.#options = options;
    this.#parts = parts;
    this.#buffer = new SendBuffer(options.bufferBytesMax);
    this.#linger = new LingerTimers(ports, options.lingerMs, (queue) => this.#send(queue));
    this.#deadlines = new DeadlineTimer(ports, () => this.#expire());
    this.#stopListening = parts.metadata.onUpdate(() => this.#metadataChanged());
  }

  /** True when a record, and the one that was refused last, would find room. */
  get hasRoom(): boolean {
    const wantedBytes = Math.max(this.#refusedBytes, 1);
    return !this.#buffer.isFull && this.#buffer.usedBytes + wantedBytes <= this.#buffer.bytesMax;
  }

  /** Bytes of records that were taken and are not settled. */
  get bufferedBytes(): number {
    return this.#buffer.usedBytes;
  }

  /**
   * Takes a record. False when there is no room and it may not wait. Throws when it can never be
   * sent; later failures go to the sink.
   */
  offer(record: ProducerRecord, options: OfferOptions): boolean {
    const topic = this.#topics.get(record.topic) ?? this.#newTopic(record.topic);
    const input = this.#preparer.prepare(record, this.#wallMs());
    const bytes = inputBytesMax(input);
    if (bytes > this.#buffer.bytesMax || bytes > RECORD_BYTES_MAX) throw tooLarge(bytes);
    const { partition } = record;
    if (partition !== undefined && !(Number.isInteger(partition) && partition >= 0)) {
      throw new ClientError("INVALID_ARGUMENT", `${partition} is no partition number`);
    }
    const isReady = topic.isReady && !topic.lacks(partition);
    if (isReady && this.#buffer.tryTake(bytes)) {
      this.#place(topic, input, { partition, bytes, sink: options.sink });
      return true;
    }
    return this.#getInLine(topic, { record, bytes, options });
  }

  /** Resolves once there is room; rejects with `BUFFER_FULL` after `maxBlockMs`. */
  async ready(signal: AbortSignal | undefined): Promise<void> {
    const deadlineMs = this.#ports.clock.monotonicMs() + this.#options.maxBlockMs;
    while (!this.hasRoom && !this.#closing.signal.aborted) {
      const leftMs = deadlineMs - this.#ports.clock.monotonicMs();
      if (leftMs <= 0) throw this.#stayedFull();
      this.#room ??= deferred();
      await resolvedWithin(this.#room.promise, this.#ports.timers, {
        timeoutMs: Math.ceil(leftMs),
        signal,
      });
    }
    this.#refusedBytes = 0;
  }

  /** Sends everything taken so far without lingering; resolves once all of it is settled. */
  async flush(signal: AbortSignal | undefined): Promise<void> {
    this.#flushes++;
    try {
      for (const queue of this.#queues()) this.#send(queue);
      await unlessAborted(this.#lineMoved(), signal);
      const batches = this.#queues().flatMap((queue) => queue.unsettled());
      await unlessAborted(Promise.all(batches.map(settledPromise)), signal);
    } finally {
      this.#flushes--;
    }
  }

  /** `batch` is settled: its room is free again. */
  release(batch: PendingBatch): void {
    this.#buffer.giveBack(batch.reservedBytes);
    this.#isMakingRoom = false;
    if (this.#buffer.isFull) this.#serve();
    else this.#noteRoom();
    if (this.#buffer.usedBytes === 0 && !this.#buffer.isFull) this.#deadlines.disarm();
  }

  /** Fails everything that is left, and stops all timers. */
  close(error: ClientError): void {
    this.#closing.abort();
    this.#stopListening();
    this.#linger.close();
    this.#deadlines.close();
    for (const topic of this.#topics.values()) this.#failLine(topic, error);
    for (const queue of this.#queues()) queue.failAll(error);
    this.#room?.resolve();
  }

  #newTopic(name: string): TopicIntake {
    const problem = topicNameProblem(name);
    if (problem !== undefined) throw new BrokerError("INVALID_TOPIC_EXCEPTION", problem);
    const newQueue = (partition: number): PartitionQueue => this.#parts.newQueue(name, partition);
    const partitions = new TopicPartitions(this.#ports.random, newQueue);
    const topic = new TopicIntake(name, partitions);
    topic.view = this.#parts.metadata.topic(name);
    this.#topics.set(name, topic);
    return topic;
  }

  /** Puts a record with room into a batch. The topic is known and has the partition. */
  #place(topic: TopicIntake, input: RecordInput, placement: Placement): void {
    const { partition, bytes, sink } = placement;
    const view = topic.view as TopicView;
    const queue =
      partition !== undefined
        ? topic.partitions.queue(partition)
        : topic.partitions.choose(view, input, bytes);
    const batch = queue.append(input, bytes, sink);
    if (input.key === null && partition === undefined) topic.partitions.stickTo(queue, batch);
    // From here on `input` is done with: whoever is told of a batch may send, and overwrite it.
    const left = topic.partitions.takeLeft();
    if (left !== undefined && left !== queue) this.#send(left);
    if (batch.recordCount > 1) return;
    // A new batch: the one before may have become full, and this one may not linger for ever.
    this.#deadlines.arm(batch.createdMs + this.#options.deliveryTimeoutMs);
    if (this.#flushes > 0 || this.#isMakingRoom) {
      this.#send(queue);
      return;
    }
    this.#linger.start(queue);
    if (queue.hasSealed) this.#parts.dispatcher.pump(queue);
    this.#parts.metadata.refreshIfOld();
  }

  /** The open batch of `queue` goes as soon as it can. */
  #send(queue: PartitionQueue): void {
    queue.markDue();
    this.#parts.dispatcher.pump(queue);
  }

  #getInLine(topic: TopicIntake, { record, bytes, options }: Offered): boolean {
    if (options.signal?.aborted === true) throw abortedError(options.signal);
    const hasRoom = this.#buffer.tryTake(bytes);
    if (!hasRoom) this.#makeRoom();
    if (!hasRoom && !options.mayWait) {
      this.#refusedBytes = bytes;
      return false;
    }
    if (!hasRoom && !this.#buffer.tryWait(bytes)) {
      const message = "the buffer is full, and as much again waits for room; send more slowly";
      throw new ClientError("BUFFER_FULL", message);
    }
    const waiting: WaitingRecord = {
      record,
      bytes,
      sink: options.sink,
      deadlineMs: this.#ports.clock.monotonicMs() + this.#options.maxBlockMs,
      isReserved: hasRoom,
      onLeave: [],
    };
    if (options.signal !== undefined) this.#leaveOnAbort(topic, waiting, options.signal);
    topic.waiting.push(waiting);
    this.#deadlines.arm(waiting.deadlineMs);
    if (topic.view === undefined || topic.lacks(topic.waiting.first?.record.partition)) {
      this.#load(topic);
    }
    return true;
  }

  /** Somebody needs room: no batch may linger while it holds some. Once until some is given back. */
  #makeRoom(): void {
    if (this.#isMakingRoom) return;
    this.#isMakingRoom = true;
    for (const queue of this.#queues()) this.#send(queue);
  }

  #leaveOnAbort(topic: TopicIntake, waiting: WaitingRecord, signal: AbortSignal): void {
    const onAbort = (): void => {
      if (!topic.waiting.remove(waiting)) return;
      this.#failWaiting(waiting, abortedError(signal));
      this.#serve();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    waiting.onLeave.push(() => signal.removeEventListener("abort", onAbort));
  }

  /** Lets records in line into the buffer, and those whose topic is known into batches. */
  #serve(): void {
    this.#mustServeAgain = true;
    // Whoever is told of a batch that fails on the way may come back here.
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      while (this.#mustServeAgain) {
        this.#mustServeAgain = false;
        for (const topic of this.#topics.values()) {
          if (topic.waiting.count > 0) this.#serveTopic(topic);
        }
      }
    } finally {
      this.#isServing = false;
    }
    this.#noteRoom();
  }

  #serveTopic(topic: TopicIntake): void {
    for (const waiting of topic.waiting.unreserved()) {
      if (!this.#buffer.tryEnter(waiting.bytes)) break;
      waiting.isReserved = true;
    }
    for (;;) {
      const first = topic.waiting.first;
      if (first === undefined || !first.isReserved) return;
      if (topic.view === undefined || topic.lacks(first.record.partition)) {
        this.#load(topic);
        return;
      }
      topic.waiting.shift();
      this.#placeWaiting(topic, first);
    }
  }

  #placeWaiting(topic: TopicIntake, waiting: WaitingRecord): void {
    const { record, bytes, sink } = waiting;
    let input: RecordInput;
    try {
      input = this.#preparer.prepare(record, this.#wallMs());
    } catch (error) {
      // It was sound when it was taken: its owner has changed it since.
      this.#failWaiting(waiting, asError(error));
      return;
    }
    this.#place(topic, input, { partition: record.partition, bytes, sink });
  }

  /** Asks for the topic, until it has the partition that the first in line wants. */
  #load(topic: TopicIntake): void {
    if (topic.isLoading || this.#closing.signal.aborted) return;
    topic.isLoading = true;
    const partition = topic.waiting.first?.record.partition ?? 0;
    this.#parts.metadata
      .partitionOf(topic.name, partition, this.#closing.signal)
      .then(
        (view) => {
          topic.isLoading = false;
          topic.view = view;
          this.#serve();
        },
        (error: unknown) => this.#loadFailed(topic, asError(error)),
      )
      .catch((error: unknown) => raise(this.#ports.timers, error));
  }

  #loadFailed(topic: TopicIntake, error: Error): void {
    topic.isLoading = false;
    if (this.#closing.signal.aborted) return;
    topic.view = this.#parts.metadata.topic(topic.name);
    if (!(error instanceof BrokerError)) {
      // No broker answers. The records wait, each until its own deadline.
      this.#ports.logger.warn({ topic: topic.name, error: error.message }, "no metadata yet");
    } else if (topic.view === undefined) {
      this.#failLine(topic, error);
      for (const queue of topic.partitions.queues()) queue.failAll(error);
    } else {
      this.#failLine(topic, error, (record) => topic.lacks(record.partition));
    }
    this.#serve();
  }

  #metadataChanged(): void {
    for (const topic of this.#topics.values()) {
      topic.view = this.#parts.metadata.topic(topic.name);
      const isNeeded = topic.partitions.queues().some((queue) => !queue.isEmpty);
      // It was there when its records were taken: deleted, or a broker that lags behind.
      if (topic.view === undefined && isNeeded) this.#load(topic);
    }
    this.#serve();
    this.#parts.dispatcher.metadataChanged();
  }

  #failLine(
    topic: TopicIntake,
    error: Error,
    isConcerned: (record: ProducerRecord) => boolean = () => true,
  ): void {
    for (const waiting of topic.waiting.all()) {
      if (!isConcerned(waiting.record)) continue;
      topic.waiting.remove(waiting);
      this.#failWaiting(waiting, error);
    }
  }

  /** A record that has left the line fails. */
  #failWaiting(waiting: WaitingRecord, error: Error): void {
    if (waiting.isReserved) this.#buffer.giveBack(waiting.bytes);
    else this.#buffer.leaveLine(waiting.bytes);
    if (waiting.sink === undefined) this.#parts.onUnheard(waiting.record, error);
    else waiting.sink.failed(error);
  }

  #expire(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const topic of this.#topics.values()) {
      for (;;) {
        const first = topic.waiting.first;
        if (first === undefined || first.deadlineMs > nowMs) break;
        topic.waiting.shift();
        this.#failWaiting(first, this.#waitedTooLong(first));
      }
    }
    for (const queue of this.#queues()) {
      queue.expire(nowMs);
      // What failed may have held up the batches after it.
      this.#parts.dispatcher.pump(queue);
    }
    this.#serve();
    this.#armNext();
  }

  #armNext(): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const topic of this.#topics.values()) {
      nextMs = Math.min(nextMs, topic.waiting.first?.deadlineMs ?? nextMs);
    }
    for (const queue of this.#queues()) nextMs = Math.min(nextMs, queue.deadlineMs() ?? nextMs);
    if (nextMs < Number.POSITIVE_INFINITY) this.#deadlines.arm(nextMs);
  }

  /** Whole milliseconds: a record can hold no others. */
  #wallMs(): number {
    return Math.floor(this.#ports.clock.wallMs());
  }

  #noteRoom(): void {
    if (this.#room === undefined || !this.hasRoom) return;
    this.#room.resolve();
    this.#room = undefined;
  }

  #queues(): readonly PartitionQueue[] {
    return [...this.#topics.values()].flatMap((topic) => topic.partitions.queues());
  }

  /** Resolves once every record that is in line now has left it. */
  async #lineMoved(): Promise<void> {
    const moves: Promise<void>[] = [];
    for (const topic of this.#topics.values()) {
      const last = topic.waiting.last;
      if (last !== undefined) moves.push(new Promise((resolve) => last.onLeave.push(resolve)));
    }
    await Promise.all(moves);
  }

  #waitedTooLong(waiting: WaitingRecord): ClientError {
    if (!waiting.isReserved) return this.#stayedFull();
    const { topic } = waiting.record;
    const message = `no broker told of topic "${topic}" within ${this.#options.maxBlockMs} ms`;
    return new ClientError("UNAVAILABLE", message);
  }

  #stayedFull(): ClientError {
    const message = `the buffer stayed full for ${this.#options.maxBlockMs} ms`;
    return new ClientError("BUFFER_FULL", message);
  }
}

interface Placement {
  readonly partition: number | undefined;
  readonly bytes: number;
  readonly sink: DeliverySink | undefined;
}

interface Offered {
  readonly record: ProducerRecord;
  readonly bytes: number;
  readonly options: OfferOptions;
}

function settledPromise(batch: PendingBatch): Promise<void> {
  return new Promise((resolve) => batch.onSettled(resolve));
}

function tooLarge(bytes: number): BrokerError {
  const message = `a record of ${bytes} bytes fits neither a batch nor the producer's buffer`;
  return new BrokerError("MESSAGE_TOO_LARGE", message);
}
