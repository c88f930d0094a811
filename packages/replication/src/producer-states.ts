/**
 * What one partition remembers of idempotent producers: the epoch and the last batches of each,
 * so that a retry is answered with its first result instead of being appended again.
 *
 * A function of the log: leader and followers observe the same batches and reach the same state,
 * which is why it survives a failover. The log that owns it saves snapshots, and rebuilds it from
 * one when its end is cut.
 */
import { INT32_MAX, PRODUCER_BATCHES_KEPT, type Refusal } from "@strandline/model";

/** The producer fields of one record batch, as its header has them. */
export interface ProducerBatch {
  /** -1: not an idempotent producer. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  /** Inclusive; wraps from 2^31 - 1 to 0. */
  readonly lastSequence: number;
  /**
   * The batch's CRC-32C: tells a retry from other data under the same sequence. Undefined when the
   * broker stamped its own time into the batch, which changes the CRC: then it is not compared.
   */
  readonly crc: number | undefined;
}

/** A producer's batch with its place in the log. */
export interface AppendedBatch extends ProducerBatch {
  readonly baseOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
  readonly timestampMs: number;
}

/** One remembered batch. */
export interface KeptBatch {
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly timestampMs: number;
  /** Null when the content cannot be compared. */
  readonly crc: number | null;
}

/** All of it, as plain data that JSON can carry. */
export interface ProducerSnapshot {
  readonly version: 1;
  readonly producers: readonly {
    readonly producerId: number;
    readonly producerEpoch: number;
    /** Oldest first, at most five. */
    readonly batches: readonly KeptBatch[];
  }[];
}

export type ProducerVerdict =
  | { readonly kind: "append" }
  | {
      readonly kind: "duplicate";
      readonly baseOffset: number;
      readonly lastOffset: number;
      readonly timestampMs: number;
    }
  | { readonly kind: "refused"; readonly refusal: Refusal };

interface ProducerState {
  epoch: number;
  /** Oldest first; never empty. */
  batches: KeptBatch[];
  /** Time of the sweep that first found it idle; undefined while it was used since the last. */
  idleSinceMs: number | undefined;
}

const APPEND: ProducerVerdict = { kind: "append" };

export class ProducerStates {
  readonly #producers = new Map<number, ProducerState>();

  /** Producers remembered. */
  get size(): number {
    return this.#producers.size;
  }

  /** Judges a client's batch before it is appended. Replicated batches are not judged. */
  check(batch: ProducerBatch): ProducerVerdict {
    if (batch.producerId < 0) return APPEND;
    const state = this.#producers.get(batch.producerId);
    // Never seen, or forgotten: there is nothing to compare with, so any sequence may begin.
    if (state === undefined) return APPEND;
    if (batch.producerEpoch < state.epoch) {
      return refused(
        "INVALID_PRODUCER_EPOCH",
        `producer ${batch.producerId} has epoch ${state.epoch}, the batch ${batch.producerEpoch}`,
      );
    }
    if (batch.producerEpoch > state.epoch) {
      if (batch.baseSequence === 0) return APPEND;
      return outOfOrder(batch, 0);
    }
    const expected = nextSequence(state.batches.at(-1)?.lastSequence ?? -1);
    // Before the search: five batches ahead of a wrap, an old one may have this sequence too.
    if (batch.baseSequence === expected) return APPEND;
    for (const kept of state.batches) {
      if (kept.baseSequence !== batch.baseSequence) continue;
      if (kept.lastSequence !== batch.lastSequence) continue;
      if (isSameContent(kept.crc, batch.crc)) {
        const { baseOffset, lastOffset, timestampMs } = kept;
        return { kind: "duplicate", baseOffset, lastOffset, timestampMs };
      }
      // Not DUPLICATE_SEQUENCE_NUMBER: clients take that for success, and these records are in no
      // log. Out of order is the answer that makes a producer stop and say so.
      return refused(
        "OUT_OF_ORDER_SEQUENCE_NUMBER",
        `producer ${batch.producerId} sent other records under sequence ${batch.baseSequence}`,
      );
    }
    return outOfOrder(batch, expected);
  }

  /** Notes a batch that is in the log, own or replicated. The log is right: nothing is judged. */
  observe(batch: AppendedBatch): void {
    if (batch.producerId < 0) return;
    const kept: KeptBatch = {
      baseSequence: batch.baseSequence,
      lastSequence: batch.lastSequence,
      baseOffset: batch.baseOffset,
      lastOffset: batch.lastOffset,
      timestampMs: batch.timestampMs,
      crc: batch.crc ?? null,
    };
    const state = this.#producers.get(batch.producerId);
    if (state === undefined) {
      this.#producers.set(batch.producerId, {
        epoch: batch.producerEpoch,
        batches: [kept],
        idleSinceMs: undefined,
      });
      return;
    }
    state.idleSinceMs = undefined;
    if (state.epoch !== batch.producerEpoch) {
      state.epoch = batch.producerEpoch;
      state.batches = [kept];
      return;
    }
    if (state.batches.length >= PRODUCER_BATCHES_KEPT) state.batches.shift();
    state.batches.push(kept);
  }

  /**
   * Forgets producers that were idle for longer than `idleMsMax`, then the longest idle until at
   * most `countMax` are left. Returns how many were forgotten. To be called now and then, always
   * with the same clock: idleness is measured between calls, never by the records' own
   * timestamps, which a client sets as it likes.
   */
  expire(nowMs: number, idleMsMax: number, countMax: number): number {
    const before = this.#producers.size;
    for (const [id, state] of this.#producers) {
      if (state.idleSinceMs === undefined) state.idleSinceMs = nowMs;
      else if (nowMs - state.idleSinceMs > idleMsMax) this.#producers.delete(id);
    }
    const excess = this.#producers.size - countMax;
    if (excess > 0) {
      const byAge = [...this.#producers].sort(([, a], [, b]) => lastOffset(a) - lastOffset(b));
      for (const [id] of byAge.slice(0, excess)) this.#producers.delete(id);
    }
    return before - this.#producers.size;
  }

  snapshot(): ProducerSnapshot {
    const producers = [...this.#producers].map(([producerId, state]) => ({
      producerId,
      producerEpoch: state.epoch,
      batches: [...state.batches],
    }));
    return { version: 1, producers };
  }

  /** A snapshot that comes from a disk goes through {@link isProducerSnapshot} first. */
  static restore(snapshot: ProducerSnapshot): ProducerStates {
    const states = new ProducerStates();
    for (const { producerId, producerEpoch, batches } of snapshot.producers) {
      for (const batch of batches) {
        states.observe({ ...batch, producerId, producerEpoch, crc: batch.crc ?? undefined });
      }
    }
    return states;
  }

  clear(): void {
    this.#producers.clear();
  }
}

/** Whether a value read from a disk has the shape of a snapshot. */
export function isProducerSnapshot(value: unknown): value is ProducerSnapshot {
  if (!isObject(value) || value["version"] !== 1) return false;
  const producers = value["producers"];
  return Array.isArray(producers) && producers.every(isProducer);
}

function isProducer(value: unknown): boolean {
  if (!isObject(value)) return false;
  const batches = value["batches"];
  return (
    Number.isSafeInteger(value["producerId"]) &&
    Number.isInteger(value["producerEpoch"]) &&
    Array.isArray(batches) &&
    batches.length > 0 &&
    batches.every(isKeptBatch)
  );
}

function isKeptBatch(value: unknown): boolean {
  if (!isObject(value)) return false;
  return (
    Number.isInteger(value["baseSequence"]) &&
    Number.isInteger(value["lastSequence"]) &&
    Number.isSafeInteger(value["baseOffset"]) &&
    Number.isSafeInteger(value["lastOffset"]) &&
    Number.isSafeInteger(value["timestampMs"]) &&
    (value["crc"] === null || Number.isInteger(value["crc"]))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function lastOffset(state: ProducerState): number {
  return state.batches.at(-1)?.lastOffset ?? -1;
}

function isSameContent(kept: number | null, crc: number | undefined): boolean {
  return kept === null || crc === undefined || kept === crc;
}

function nextSequence(sequence: number): number {
  return sequence === INT32_MAX ? 0 : sequence + 1;
}

function outOfOrder(batch: ProducerBatch, expected: number): ProducerVerdict {
  return refused(
    "OUT_OF_ORDER_SEQUENCE_NUMBER",
    `producer ${batch.producerId} must go on with sequence ${expected}, not ${batch.baseSequence}`,
  );
}

function refused(code: Refusal["code"], message: string): ProducerVerdict {
  return { kind: "refused", refusal: { code, message } };
}
