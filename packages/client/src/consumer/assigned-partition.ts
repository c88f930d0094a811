/**
 * One partition of a consumer: how far it was handed out, how far it was read ahead, and the
 * answers in between.
 *
 * `position` is the next offset to hand out, `fetchOffset` the next to ask a broker for. Everything
 * in `[position, fetchOffset)` is here; a stream that breaks loses nothing and repeats nothing.
 */
import { BrokerError } from "@strandline/model";
import type { ConsumeResponse } from "@strandline/rpc";

interface Chunk {
  readonly bytes: Uint8Array;
  /** Where reading goes on after the chunk: beyond its last batch when a gap follows. */
  readonly nextOffset: number;
  /** Reading goes on there even if that is backwards. */
  readonly isJump: boolean;
}

const NO_BYTES = new Uint8Array(0);

export class AssignedPartition {
  readonly topic: string;
  readonly partition: number;
  position: number;
  fetchOffset: number;
  /** With `stopAtEnd`: reading is over here. */
  endOffset: number | undefined;
  highWatermark = -1;
  logStartOffset = -1;
  isPaused = false;
  /** The place to go on is being found out; nothing is fetched meanwhile. */
  isMoving = false;
  /** A stream that it shared was refused as a whole, perhaps for another: it gets its own. */
  isAlone = false;
  /** To be thrown to whoever iterates; nothing is read before it was. */
  error: Error | undefined;
  /** Attempts in a row that brought nothing. */
  failures = 0;
  /** No stream is opened before. Monotonic milliseconds. */
  retryAtMs = Number.NEGATIVE_INFINITY;
  /** Since when no stream worked; undefined while one does. */
  unavailableSinceMs: number | undefined;
  /**
   * Since when brokers say that there is no such topic, within that time. Apart, because a broker
   * that has just come back knows no topics yet, however long it was away before.
   */
  unknownSinceMs: number | undefined;
  lastError: Error | undefined;
  #chunks: Chunk[] = [];
  /** Place in the first chunk from where it was not handed out. */
  #at = 0;

  constructor(topic: string, partition: number, position: number) {
    this.topic = topic;
    this.partition = partition;
    this.position = position;
    this.fetchOffset = position;
  }

  get isDone(): boolean {
    return this.endOffset !== undefined && this.position >= this.endOffset;
  }

  /** True when nothing more needs to be fetched: only what is here is to be handed out. */
  get isFetched(): boolean {
    return this.endOffset !== undefined && this.fetchOffset >= this.endOffset;
  }

  get hasChunks(): boolean {
    return this.#chunks.length > 0;
  }

  /** Takes an answer. Returns the bytes it holds here; 0 for one that was overtaken by a seek. */
  add(response: ConsumeResponse): number {
    this.highWatermark = Math.max(this.highWatermark, response.highWatermark);
    this.logStartOffset = Math.max(this.logStartOffset, response.logStartOffset);
    const { nextOffset, batches } = response;
    // It may begin before the fetch offset, in the middle of a batch, but it must lead beyond it.
    if (nextOffset <= this.fetchOffset) return 0;
    this.fetchOffset = nextOffset;
    this.#chunks.push({ bytes: batches, nextOffset, isJump: false });
    return batches.length;
  }

  /** Where the next batch stands; undefined when there is none. */
  front(): { readonly bytes: Uint8Array; readonly at: number } | undefined {
    const chunk = this.#chunks[0];
    return chunk === undefined ? undefined : { bytes: chunk.bytes, at: this.#at };
  }

  /** Steps over a batch. Returns the bytes that need not be held any more. */
  advance(sizeBytes: number, nextOffset: number): number {
    this.#at += sizeBytes;
    this.position = Math.max(this.position, nextOffset);
    const chunk = this.#chunks[0];
    if (chunk === undefined || this.#at < chunk.bytes.length) return 0;
    this.#chunks.shift();
    this.#at = 0;
    // Up to here there is nothing else: a gap that a compaction or control batches left.
    this.position = chunk.isJump ? chunk.nextOffset : Math.max(this.position, chunk.nextOffset);
    return chunk.bytes.length;
  }

  /** Goes on at `offset` after what was read ahead. */
  jumpTo(offset: number): void {
    this.#chunks.push({ bytes: NO_BYTES, nextOffset: offset, isJump: true });
    this.fetchOffset = offset;
    this.failures = 0;
    this.retryAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Forgets what was read ahead. Returns the bytes that were held. */
  forget(): number {
    let freedBytes = 0;
    for (const chunk of this.#chunks) freedBytes += chunk.bytes.length;
    this.#chunks = [];
    this.#at = 0;
    this.fetchOffset = this.position;
    return freedBytes;
  }

  /** Forgets what was read ahead, and goes on at `offset`. Returns the bytes that were held. */
  restartAt(offset: number): number {
    const freedBytes = this.forget();
    this.position = offset;
    this.fetchOffset = offset;
    this.error = undefined;
    this.failures = 0;
    this.retryAtMs = Number.NEGATIVE_INFINITY;
    return freedBytes;
  }

  /** An attempt brought nothing: the next one waits for `backoffMs`. */
  failed(error: Error, nowMs: number, backoffMs: (failures: number) => number): void {
    this.failures++;
    this.lastError = error;
    this.retryAtMs = nowMs + backoffMs(this.failures);
    this.unavailableSinceMs ??= nowMs;
    const isUnknown = error instanceof BrokerError && error.code === "UNKNOWN_TOPIC_OR_PARTITION";
    if (isUnknown) this.unknownSinceMs ??= nowMs;
  }

  /** A stream works. */
  worked(): void {
    this.isAlone = false;
    this.failures = 0;
    this.unavailableSinceMs = undefined;
    this.unknownSinceMs = undefined;
    this.lastError = undefined;
  }

  /** An error for this partition, with its name. */
  refusal(error: BrokerError): BrokerError {
    const where = `${this.topic}-${this.partition} at offset ${this.fetchOffset}`;
    return new BrokerError(error.code, `${where}: ${error.message}`, { cause: error });
  }
}
