/**
 * The batches of one partition, from the first record gathered to the last answer: what may be
 * sent next, and what an answer, a break or a deadline means.
 *
 * Synchronous; the dispatcher sends and tells what came of it. Invariants:
 * - A batch is numbered when it is first sent, and every copy of it bears the same number, unless
 *   all copies are known as not stored.
 * - After a failure nothing is sent until every batch under way has come back; then all of them go
 *   again in order. So nothing overtakes a batch whose fate is unknown.
 * - A number that was used is never left out or used again: whoever fails with a number makes the
 *   partition begin at 0 under another identity.
 * - From the first batch whose fate is open on, at most `inFlightMax` batches were ever sent: as
 *   many as a broker remembers, so it recognises each of them.
 */
import { assert, BATCH_BYTES_LIMIT, type BrokerError, type Crc32c } from "@strandline/model";
import {
  BATCH_HEADER_BYTES,
  type BatchCompressor,
  type Decompress,
  type RecordInput,
  sequenceAfter,
} from "@strandline/record";
import { asError, ClientError } from "../errors.js";
import { type BatchStamp, PendingBatch, type StoredBatch } from "./pending-batch.js";
import { produceVerdict } from "./produce-verdict.js";
import type { ProducerIdentity } from "./producer-identity.js";
import type { DeliverySink } from "./producer-record.js";

export interface PartitionQueueOptions {
  readonly topic: string;
  readonly partition: number;
  readonly isIdempotent: boolean;
  /** True for acks "none": a batch that was on its way when the connection broke is done with. */
  readonly isUnacknowledged: boolean;
  readonly inFlightMax: number;
  readonly batchBytesMax: number;
  readonly deliveryTimeoutMs: number;
  readonly crc32c: Crc32c;
  readonly compression: BatchCompressor | undefined;
  readonly decompress: Decompress;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Wait after so many failures in a row. Milliseconds. */
  readonly backoffMs: (failures: number) => number;
  readonly onSettled: (batch: PendingBatch, outcome: StoredBatch | Error) => void;
}

/** A broker may have forgotten a producer that was silent for so long. */
const KNOWN_MS_MAX = 60_000;
/** Buffer of a first batch; later ones begin with the size of the one before. */
const FIRST_BATCH_BYTES = 2 * 1024;

export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  readonly #options: PartitionQueueOptions;
  /** Sent at least once, in order. Settled ones stay behind an unsettled first. */
  #sent: PendingBatch[] = [];
  /** Complete, in order, not sent under the present identity. */
  #sealed: PendingBatch[] = [];
  #open: PendingBatch | undefined;
  /** True once the open batch need not wait for more records. */
  #isDue = false;
  #inFlightCount = 0;
  /** Something must be sent again, once nothing is under way. */
  #mustResend = false;
  /** The numbering is spoilt; begin again, once nothing is under way. */
  #mustRenumber = false;
  #identity: ProducerIdentity | undefined;
  /** Identities up to this generation are used up here. */
  #usedUpGeneration = 0;
  #nextSequence = 0;
  /** When the broker was last seen to know our numbers here. Monotonic. */
  #knownAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #lastSizeBytes = FIRST_BATCH_BYTES;
  /** As asked, or what is left of it after the broker has refused batches for their size. */
  #batchBytesMax: number;

  constructor(options: PartitionQueueOptions) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.#options = options;
    this.#batchBytesMax = options.batchBytesMax;
  }

  /** The batch that takes records now. */
  get openBatch(): PendingBatch | undefined {
    return this.#open;
  }

  /** True when the open batch can take a record of this size, or there is none. */
  hasRoomFor(bytesMax: number): boolean {
    const open = this.#open;
    return open === undefined || open.sizeBytes + bytesMax <= this.#batchBytesMax;
  }

  get inFlightCount(): number {
    return this.#inFlightCount;
  }

  get isEmpty(): boolean {
    return this.#open === undefined && this.#sealed.length === 0 && this.#sent.length === 0;
  }

  /** True when full batches wait to be sent for the first time. */
  get hasSealed(): boolean {
    return this.#sealed.length > 0;
  }

  /** Rounds in a row that failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Nothing is sent before this. Monotonic milliseconds. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** Generation after which the partition needs an identity; undefined when it has one. */
  get identityNeededAfter(): number | undefined {
    if (!this.#options.isIdempotent || this.#identity !== undefined) return undefined;
    return this.#usedUpGeneration;
  }

  /**
   * Adds a record that takes at most `bytesMax`, which is its share of the producer's buffer too.
   * Returns the batch that it went into.
   */
  append(record: RecordInput, bytesMax: number, sink: DeliverySink | undefined): PendingBatch {
    let batch = this.#open;
    if (batch !== undefined && batch.sizeBytes + bytesMax > this.#batchBytesMax) {
      this.#seal(batch);
      batch = undefined;
    }
    if (batch === undefined) {
      batch = new PendingBatch({
        topic: this.topic,
        partition: this.partition,
        createdMs: this.#options.nowMs(),
        initialBytes: this.#initialBytes(bytesMax),
      });
      this.#open = batch;
      this.#isDue = false;
    }
    batch.append(record, bytesMax, sink);
    return batch;
  }

  /** The open batch has waited long enough. */
  markDue(): void {
    this.#isDue = true;
  }

  /** True when `next` would have something to send, given an identity. */
  canSend(nowMs: number): boolean {
    if (nowMs < this.#retryAtMs) return false;
    const hasReturned = this.#sent.some((batch) => batch.state === "returned");
    const hasNew = this.#sealed.length > 0 || (this.#open !== undefined && this.#isDue);
    if (!hasReturned && !hasNew) return false;
    if (this.#mustResend || this.#mustRenumber) return this.#inFlightCount === 0;
    return hasReturned || this.#sent.length < this.#inFlightMax(nowMs);
  }

  /**
   * The batch to send now, numbered and encoded; the caller sends it and calls `sent`. Undefined
   * when there is none, or when it needs an identity that `latest` is not.
   */
  next(nowMs: number, latest: ProducerIdentity | undefined): PendingBatch | undefined {
    if (!this.canSend(nowMs)) return undefined;
    if (this.#mustRenumber) this.#renumber();
    this.#mustResend = false;
    const returned = this.#sent.find((batch) => batch.state === "returned");
    if (returned !== undefined) return returned;
    if (this.#sent.length >= this.#inFlightMax(nowMs) || !this.#adopt(latest)) return undefined;
    if (this.#sealed.length === 0 && this.#open !== undefined && this.#isDue)
      this.#seal(this.#open);
    for (;;) {
      const batch = this.#sealed.shift();
      if (batch === undefined) return undefined;
      if (!this.#number(batch)) continue;
      this.#sent.push(batch);
      return batch;
    }
  }

  /** `batch` is on its way. */
  sent(batch: PendingBatch): void {
    batch.state = "in-flight";
    this.#inFlightCount++;
  }

  /** The broker stored `batch`. */
  stored(batch: PendingBatch, outcome: StoredBatch): void {
    if (batch.state !== "in-flight") return;
    this.#inFlightCount--;
    this.#failures = 0;
    this.#knownAtMs = this.#options.nowMs();
    this.#settle(batch, outcome);
  }

  /** The broker refused `batch`. */
  refused(batch: PendingBatch, error: BrokerError, nowMs: number): void {
    if (batch.state !== "in-flight") return;
    this.#inFlightCount--;
    batch.lastError = error;
    switch (produceVerdict(error)) {
      case "resend-unknown":
        batch.isFateUnknown = true;
        this.#resend(batch, nowMs);
        return;
      case "resend":
        this.#resend(batch, nowMs);
        return;
      case "out-of-order":
        // Behind a batch that is still to come this is only natural. With nothing before it the
        // broker has lost what it had acknowledged, and its numbering with it.
        if (this.#isFirst(batch)) this.#spoilNumbers();
        this.#resend(batch, nowMs);
        return;
      case "renumber":
        this.#spoilNumbers();
        this.#resend(batch, nowMs);
        return;
      case "split":
        if (batch.recordCount > 1 && !batch.isFateUnknown) {
          this.#split(batch);
          return;
        }
        this.#spoilNumbers();
        this.#settle(batch, error);
        return;
      case "fail":
        this.#spoilNumbers();
        this.#settle(batch, error);
    }
  }

  /** The connection ended before an answer came. */
  lost(batch: PendingBatch, error: Error, circumstances: LossCircumstances): void {
    if (batch.state !== "in-flight") return;
    this.#inFlightCount--;
    batch.lastError = error;
    // Also when there never seemed to be a connection: a peer that is silent from the first moment
    // may have the bytes, and act on them later.
    batch.isFateUnknown = true;
    if (this.#options.isUnacknowledged && circumstances.wasConnected) {
      this.#settle(batch, { baseOffset: -1, logAppendTimeMs: undefined });
    } else {
      this.#resend(batch, circumstances.nowMs);
    }
  }

  /** Lets the next attempt begin at once: something has changed for the better. */
  retryNow(): void {
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Fails what has run out of time. */
  expire(nowMs: number): void {
    const { deliveryTimeoutMs } = this.#options;
    for (const batch of this.#unsettled()) {
      if (batch.createdMs + deliveryTimeoutMs > nowMs) return;
      this.#fail(batch, timedOut(batch, deliveryTimeoutMs));
    }
  }

  /** When `expire` will have something to do; undefined when nothing waits. Monotonic. */
  deadlineMs(): number | undefined {
    const first = this.#unsettled().next();
    if (first.done === true) return undefined;
    return first.value.createdMs + this.#options.deliveryTimeoutMs;
  }

  /** Fails everything, with an error of this kind. */
  failAll(error: Error): void {
    for (const batch of this.unsettled()) this.#fail(batch, withFate(error, batch));
  }

  /** Batches whose fate is open, in order. */
  unsettled(): readonly PendingBatch[] {
    return [...this.#unsettled()];
  }

  *#unsettled(): Generator<PendingBatch, void, undefined> {
    // Copies: whoever is told of a batch may change the queue before the next is asked for.
    for (const batch of this.#sent.slice()) if (batch.state !== "settled") yield batch;
    yield* this.#sealed.slice();
    if (this.#open !== undefined) yield this.#open;
  }

  /** Room for as much as the last batch took: then it neither grows on the way nor is copied. */
  #initialBytes(recordBytesMax: number): number {
    const likely = Math.max(this.#lastSizeBytes, recordBytesMax + BATCH_HEADER_BYTES);
    const rounded = 2 ** Math.ceil(Math.log2(likely));
    return Math.max(Math.min(rounded, this.#batchBytesMax), likely);
  }

  #seal(batch: PendingBatch): void {
    batch.state = "sealed";
    this.#lastSizeBytes = batch.sizeBytes;
    this.#sealed.push(batch);
    this.#open = undefined;
    this.#isDue = false;
  }

  /**
   * How many batches may be sent. A broker takes any number from a producer that it does not know,
   * so the first batch goes alone: else the second could get in before a first that was refused.
   */
  #inFlightMax(nowMs: number): number {
    if (!this.#options.isIdempotent) return this.#options.inFlightMax;
    return nowMs - this.#knownAtMs < KNOWN_MS_MAX ? this.#options.inFlightMax : 1;
  }

  /** True when there is an identity to number with, or none is needed. */
  #adopt(latest: ProducerIdentity | undefined): boolean {
    if (!this.#options.isIdempotent || this.#identity !== undefined) return true;
    if (latest === undefined || latest.generation <= this.#usedUpGeneration) return false;
    this.#identity = latest;
    this.#nextSequence = 0;
    this.#knownAtMs = Number.NEGATIVE_INFINITY;
    return true;
  }

  /** Numbers and encodes. False when that failed; then the batch is settled and no number used. */
  #number(batch: PendingBatch): boolean {
    const identity = this.#identity;
    const stamp: BatchStamp | undefined =
      identity === undefined ? undefined : { identity, baseSequence: this.#nextSequence };
    try {
      const { crc32c, compression } = this.#options;
      batch.encode(stamp, { crc32c, compression });
    } catch (error) {
      this.#settle(batch, asError(error));
      return false;
    }
    if (stamp !== undefined)
      this.#nextSequence = sequenceAfter(stamp.baseSequence, batch.recordCount);
    return true;
  }

  #isFirst(batch: PendingBatch): boolean {
    return this.#sent.find((sent) => sent.state !== "settled") === batch;
  }

  #resend(batch: PendingBatch, nowMs: number): void {
    batch.state = "returned";
    // Several batches that come back in one round are one failure.
    if (this.#mustResend) return;
    this.#mustResend = true;
    this.#failures++;
    this.#retryAtMs = nowMs + this.#options.backoffMs(this.#failures);
  }

  /** Two halves take the place of a batch that is too large for its topic. */
  #split(batch: PendingBatch): void {
    // Those that come after should not have to find out again.
    this.#batchBytesMax = Math.min(this.#batchBytesMax, Math.ceil(batch.plainBytes / 2));
    const { crc32c, compression, decompress } = this.#options;
    const halves = batch.split({ decompress, outputBytesMax: BATCH_BYTES_LIMIT });
    for (const half of halves) {
      half.state = "returned";
      if (!this.#options.isIdempotent) half.encode(undefined, { crc32c, compression });
    }
    this.#sent.splice(this.#sent.indexOf(batch), 1, ...halves);
    this.#spoilNumbers();
  }

  #spoilNumbers(): void {
    if (this.#options.isIdempotent) this.#mustRenumber = true;
  }

  /** Gives up the numbering: what is known as not stored is numbered anew, the rest fails. */
  #renumber(): void {
    assert(this.#inFlightCount === 0, "numbers change only while nothing is under way");
    const returned = this.#sent.filter((batch) => batch.state === "returned");
    const unknown = returned.filter((batch) => batch.isFateUnknown);
    const kept = returned.filter((batch) => !batch.isFateUnknown);
    for (const batch of kept) batch.state = "sealed";
    this.#sent = [];
    this.#sealed.unshift(...kept);
    this.#usedUpGeneration = this.#identity?.generation ?? this.#usedUpGeneration;
    this.#identity = undefined;
    this.#mustRenumber = false;
    this.#mustResend = false;
    // Last, because whoever is told may send again at once.
    for (const batch of unknown) this.#settle(batch, outcomeUnknown(batch));
  }

  #fail(batch: PendingBatch, error: Error): void {
    if (batch.state === "in-flight") this.#inFlightCount--;
    // Its number was used, and whoever comes next under this identity would be out of order.
    if (batch.state === "in-flight" || batch.state === "returned") this.#spoilNumbers();
    if (batch === this.#open) this.#open = undefined;
    const at = this.#sealed.indexOf(batch);
    if (at >= 0) this.#sealed.splice(at, 1);
    this.#settle(batch, error);
  }

  #settle(batch: PendingBatch, outcome: StoredBatch | Error): void {
    batch.settle(outcome);
    while (this.#sent[0]?.state === "settled") this.#sent.shift();
    this.#options.onSettled(batch, outcome);
  }
}

export interface LossCircumstances {
  readonly nowMs: number;
  /** False when no connection could be made. */
  readonly wasConnected: boolean;
}

function mayBeStored(batch: PendingBatch): boolean {
  return batch.isFateUnknown || batch.state === "in-flight";
}

/** Says of a client's own error whether the batch may be stored all the same. */
function withFate(error: Error, batch: PendingBatch): Error {
  if (!(error instanceof ClientError) || !mayBeStored(batch)) return error;
  return new ClientError(error.code, error.message, { cause: error.cause, mayBeStored: true });
}

function timedOut(batch: PendingBatch, timeoutMs: number): ClientError {
  const where = `${batch.recordCount} records for ${batch.topic}-${batch.partition}`;
  const what = mayBeStored(batch) ? "were not acknowledged" : "could not be stored";
  return new ClientError("DELIVERY_TIMED_OUT", `${where} ${what} within ${timeoutMs} ms`, {
    cause: batch.lastError,
    mayBeStored: mayBeStored(batch),
  });
}

function outcomeUnknown(batch: PendingBatch): ClientError {
  const where = `${batch.topic}-${batch.partition}`;
  return new ClientError(
    "OUTCOME_UNKNOWN",
    `an earlier batch for ${where} failed, and whether this one was stored cannot be told`,
    { cause: batch.lastError, mayBeStored: true },
  );
}
