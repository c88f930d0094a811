import { BrokerError } from "@strandline/model";
import { crc32c } from "@strandline/platform";
import { readBatchHeader } from "@strandline/record";
import { describe, expect, it } from "vitest";
import { PartitionQueue, type PartitionQueueOptions } from "./partition-queue.js";
import type { PendingBatch, StoredBatch } from "./pending-batch.js";
import type { ProducerIdentity } from "./producer-identity.js";

const FIRST: ProducerIdentity = { producerId: 7, producerEpoch: 0, generation: 1 };
const SECOND: ProducerIdentity = { producerId: 8, producerEpoch: 0, generation: 2 };
const TIMED_OUT = new BrokerError("REQUEST_TIMED_OUT", "says the test");
const OUT_OF_ORDER = new BrokerError("OUT_OF_ORDER_SEQUENCE_NUMBER", "says the test");

interface Scene {
  readonly queue: PartitionQueue;
  readonly settled: string[];
  nowMs: number;
  readonly sent: PendingBatch[];
}

function scene(options: Partial<PartitionQueueOptions> = {}): Scene {
  const settled: string[] = [];
  const sent: PendingBatch[] = [];
  const state = { settled, sent, nowMs: 0 };
  const queue = new PartitionQueue({
    topic: "t",
    partition: 0,
    isIdempotent: true,
    isUnacknowledged: false,
    inFlightMax: 5,
    batchBytesMax: 1_000,
    deliveryTimeoutMs: 1_000,
    crc32c,
    compression: undefined,
    decompress: (_name, bytes) => bytes,
    nowMs: () => state.nowMs,
    backoffMs: () => 10,
    onSettled: (_batch: PendingBatch, outcome: StoredBatch | Error) => {
      settled.push(outcome instanceof Error ? (outcome as BrokerError).code : "stored");
    },
    ...options,
  });
  return Object.assign(state, { queue });
}

/** Closes a batch of one record. */
function add({ queue }: Scene): void {
  queue.append({ key: null, value: null, timestampMs: 1 }, 100, undefined);
  queue.markDue();
}

/** A queue whose first batch, number 0, was stored. */
function knownScene(options: Partial<PartitionQueueOptions> = {}): Scene {
  const state = scene(options);
  add(state);
  send(state);
  state.queue.stored(batchOf(state, 0), STORED);
  state.sent.length = 0;
  state.settled.length = 0;
  return state;
}

/** Adds a batch and sends all there is to send. */
function send(state: Scene, identity: ProducerIdentity | undefined = FIRST): readonly string[] {
  const stamps: string[] = [];
  for (;;) {
    const batch = state.queue.next(state.nowMs, identity);
    if (batch === undefined) return stamps;
    state.queue.sent(batch);
    if (!state.sent.includes(batch)) state.sent.push(batch);
    const header = readBatchHeader(batch.bytes, 0);
    stamps.push(`${header.producerId}:${header.baseSequence}`);
  }
}

function batchOf(state: Scene, index: number): PendingBatch {
  const batch = state.sent[index];
  if (batch === undefined) throw new Error(`no batch ${index} was sent`);
  return batch;
}

const STORED: StoredBatch = { baseOffset: 0, logAppendTimeMs: undefined };

describe(PartitionQueue, () => {
  it("sends nothing while it has no identity", () => {
    const state = scene();
    add(state);
    expect(state.queue.next(0, undefined)).toBeUndefined();
    expect(state.queue.identityNeededAfter).toBe(0);
    expect(send(state)).toEqual(["7:0"]);
    expect(state.queue.identityNeededAfter).toBeUndefined();
  });

  it("sends the first batch alone, as a broker takes any number from a stranger", () => {
    const state = scene();
    for (let at = 0; at < 3; at++) {
      add(state);
      send(state);
    }
    expect(state.sent.map((batch) => batch.stamp?.baseSequence)).toEqual([0]);
    state.queue.stored(batchOf(state, 0), STORED);
    expect(send(state)).toEqual(["7:1"]);
    // Silent for so long that the broker may have forgotten it.
    state.queue.stored(batchOf(state, 1), STORED);
    state.nowMs = 70_000;
    for (let at = 0; at < 3; at++) {
      add(state);
      send(state);
    }
    expect(state.sent).toHaveLength(3);
  });

  it("numbers batches in order, and never beyond five from the first that is open", () => {
    const state = knownScene();
    for (let at = 0; at < 8; at++) {
      add(state);
      send(state);
    }
    expect(state.sent.map((batch) => batch.stamp?.baseSequence)).toEqual([1, 2, 3, 4, 5]);
    // An answer out of turn makes no room: the broker would forget the first.
    state.queue.stored(batchOf(state, 1), STORED);
    expect(send(state)).toEqual([]);
    state.queue.stored(batchOf(state, 0), STORED);
    // What came meanwhile has gathered in one batch.
    expect(send(state)).toEqual(["7:6"]);
  });

  it("gathers while nothing more may be under way", () => {
    const state = knownScene({ inFlightMax: 1 });
    add(state);
    send(state);
    for (let at = 0; at < 3; at++) add(state);
    state.queue.stored(batchOf(state, 0), STORED);
    expect(send(state)).toEqual(["7:2"]);
    expect(batchOf(state, 1).recordCount).toBe(3);
  });

  it("waits for everything under way before it sends again, and then for the back-off", () => {
    const state = knownScene();
    for (let at = 0; at < 3; at++) {
      add(state);
      send(state);
    }
    state.queue.refused(batchOf(state, 0), TIMED_OUT, 0);
    state.nowMs = 50;
    expect(send(state)).toEqual([]);
    state.queue.refused(batchOf(state, 2), OUT_OF_ORDER, 50);
    expect(send(state)).toEqual([]);
    state.queue.stored(batchOf(state, 1), STORED);
    expect(send(state)).toEqual(["7:1", "7:3"]);
    state.queue.refused(batchOf(state, 0), TIMED_OUT, 50);
    state.queue.refused(batchOf(state, 2), OUT_OF_ORDER, 50);
    expect(send(state)).toEqual([]);
    state.nowMs = 60;
    expect(send(state)).toEqual(["7:1", "7:3"]);
  });

  it("takes another identity when the broker has forgotten acknowledged numbers", () => {
    const state = knownScene();
    for (let at = 0; at < 2; at++) {
      add(state);
      send(state);
    }
    state.queue.refused(batchOf(state, 0), OUT_OF_ORDER, 0);
    state.queue.refused(batchOf(state, 1), OUT_OF_ORDER, 0);
    state.nowMs = 20;
    expect(send(state)).toEqual([]);
    expect(state.queue.identityNeededAfter).toBe(1);
    expect(send(state, SECOND)).toEqual(["8:0"]);
    state.queue.stored(batchOf(state, 0), STORED);
    state.settled.length = 0;
    expect(send(state, SECOND)).toEqual(["8:1"]);
    expect(state.settled).toEqual([]);
  });

  it("renumbers nothing that may be stored under its old number", () => {
    const state = knownScene();
    for (let at = 0; at < 3; at++) {
      add(state);
      send(state);
    }
    state.queue.refused(batchOf(state, 0), new BrokerError("INVALID_RECORD", "no"), 0);
    state.queue.lost(batchOf(state, 1), new Error("broke"), { nowMs: 0, wasConnected: true });
    state.queue.refused(batchOf(state, 2), OUT_OF_ORDER, 0);
    state.nowMs = 20;
    expect(send(state, SECOND)).toEqual(["8:0"]);
    expect(state.settled).toEqual(["INVALID_RECORD", "OUTCOME_UNKNOWN"]);
    expect(batchOf(state, 2).stamp?.identity).toBe(SECOND);
  });

  it("encodes a renumbered batch with a valid checksum, and leaves the first copy alone", () => {
    const state = scene();
    add(state);
    send(state);
    const before = batchOf(state, 0).bytes;
    const copy = before.slice();
    state.queue.refused(batchOf(state, 0), OUT_OF_ORDER, 0);
    state.nowMs = 20;
    send(state, SECOND);
    const { bytes } = batchOf(state, 0);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    expect(view.getUint32(17)).toBe(crc32c(bytes.subarray(21)));
    expect(before).toEqual(copy);
  });

  it("ignores an answer that comes after the deadline", () => {
    const state = scene();
    add(state);
    send(state);
    expect(state.queue.deadlineMs()).toBe(1_000);
    state.queue.expire(1_000);
    expect(state.settled).toEqual(["DELIVERY_TIMED_OUT"]);
    state.queue.stored(batchOf(state, 0), STORED);
    expect(state.settled).toEqual(["DELIVERY_TIMED_OUT"]);
    expect(state.queue.inFlightCount).toBe(0);
    expect(state.queue.isEmpty).toBe(true);
    state.nowMs = 1_001;
    add(state);
    expect(send(state)).toEqual([]);
    expect(send(state, SECOND)).toEqual(["8:0"]);
  });

  it("settles a lost batch at once when nobody is to acknowledge it", () => {
    const state = scene({ isIdempotent: false, isUnacknowledged: true });
    add(state);
    send(state);
    state.queue.lost(batchOf(state, 0), new Error("broke"), { nowMs: 0, wasConnected: true });
    expect(state.settled).toEqual(["stored"]);
  });
});
