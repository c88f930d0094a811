/** A world for the tests of the coordinator runtime: a partition, a small shard, time by hand. */
import { BrokerError, type ErrorCode } from "@strandline/model";
import { crc32c, nodeCompressors, nullLogger, type Timers } from "@strandline/platform";
import { BatchEncoder, lastOffset, stampBatch } from "@strandline/record";
import type { OnProduced } from "../../partition/produce-ticket.js";
import type { Shard, ShardRecord, ShardStep, Ticket } from "../shard.js";
import type { ShardLeadership, ShardPartition } from "../shard-partition.js";
import { ShardRunner, type ShardRunnerPorts } from "../shard-runner.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A log in memory. What is appended is committed when the test says so. */
export class FakePartition implements ShardPartition {
  readonly key = "offsets-7";
  readonly core = { isUnderMinIsr: false };
  readonly log = {
    logStartOffset: 0,
    logEndOffset: 0,
    read: async (from: number, _bytesMax: number, end: number) => await this.#read(from, end),
  };
  highWatermark = 0;
  leaderEpoch = 3;
  isLeader = true;
  isServing = true;
  /** Set: appends are refused by this. */
  refusal: ErrorCode | undefined;
  readonly batches: Uint8Array[] = [];
  readonly #readers = new Set<() => void>();
  readonly #produced: { readonly end: number; readonly onProduced: OnProduced }[] = [];

  requireLeader(epoch: number): ShardLeadership {
    if (!this.isLeader || !this.isServing || epoch !== this.leaderEpoch) {
      throw new BrokerError("NOT_LEADER_OR_FOLLOWER", "does not lead");
    }
    return {
      core: this.core,
      append: (batch, _options, onProduced) => {
        if (this.refusal !== undefined) throw new BrokerError(this.refusal, "refused");
        this.store(batch);
        this.#produced.push({ end: this.log.logEndOffset, onProduced });
      },
    };
  }

  onCommitted(reader: () => void): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** A batch at the end of the log, or past a hole. */
  store(batch: Uint8Array, atOffset = this.log.logEndOffset): void {
    stampBatch(batch, 0, atOffset, this.leaderEpoch);
    this.batches.push(batch);
    this.log.logEndOffset = lastOffset(batch, 0) + 1;
  }

  commitAll(): void {
    this.highWatermark = this.log.logEndOffset;
    for (const reader of [...this.#readers]) reader();
    for (const { onProduced } of this.#produced.splice(0)) {
      onProduced(undefined, { baseOffset: 0, logAppendTimeMs: -1, logStartOffset: 0 });
    }
  }

  /** Appended, and nobody knows whether it is committed. */
  failAll(code: ErrorCode): void {
    for (const { onProduced } of this.#produced.splice(0)) {
      onProduced(new BrokerError(code, "failed"), undefined);
    }
  }

  resign(): void {
    this.isLeader = false;
    for (const reader of [...this.#readers]) reader();
  }

  async #read(from: number, end: number): Promise<Uint8Array[]> {
    const found = this.batches.filter((batch) => {
      const last = lastOffset(batch, 0);
      return last >= from && last < end;
    });
    return found.slice(0, 2);
  }
}

export type Command =
  | { readonly set: string; readonly to: string | null }
  | { readonly get: string }
  | { readonly park: true }
  | { readonly crash: true };

/** Texts under names. A parked command is answered by the tick, or forgotten. */
export class TextShard implements Shard<Command, string> {
  readonly texts = new Map<string, string>();
  readonly parked = new Set<Ticket>();
  readonly replayed: string[] = [];
  nextDeadlineMs: number | undefined;

  replay(record: ShardRecord): void {
    const name = decoder.decode(record.key);
    if (name === "nonsense") throw new Error("a record that nobody understands");
    this.replayed.push(name);
    if (record.value === null) this.texts.delete(name);
    else this.texts.set(name, decoder.decode(record.value));
  }

  loaded(): void {
    this.replayed.push("(loaded)");
  }

  step(command: Command, ticket: Ticket): ShardStep<string> {
    if ("crash" in command) throw new Error("a bug");
    if ("get" in command) {
      const response = this.texts.get(command.get) ?? "none";
      return { records: [], replies: [{ ticket, response }] };
    }
    if ("park" in command) {
      this.parked.add(ticket);
      this.nextDeadlineMs = 10_000;
      return { records: [], replies: [] };
    }
    const { set, to } = command;
    if (to === null) this.texts.delete(set);
    else this.texts.set(set, to);
    return {
      records: [{ key: encoder.encode(set), value: to === null ? null : encoder.encode(to) }],
      replies: [{ ticket, response: `stored ${set}` }],
    };
  }

  forget(ticket: Ticket): ShardStep<string> {
    this.parked.delete(ticket);
    return { records: [], replies: [] };
  }

  tick(): ShardStep<string> {
    const replies = [...this.parked].map((ticket) => ({ ticket, response: "woken" }));
    this.parked.clear();
    this.nextDeadlineMs = undefined;
    return { records: [], replies };
  }
}

export class ManualTime {
  nowMs = 0;
  readonly #timers = new Set<{ atMs: number; callback: () => void }>();

  readonly timers: Timers = {
    after: (delayMs, callback) => {
      // Pauses of the loader end by themselves.
      if (delayMs === 0) {
        void Promise.resolve().then(callback);
        return { cancel: () => undefined };
      }
      const timer = { atMs: this.nowMs + delayMs, callback };
      this.#timers.add(timer);
      return { cancel: () => this.#timers.delete(timer) };
    },
  };

  pass(ms: number): void {
    this.nowMs += ms;
    for (const timer of [...this.#timers].filter(({ atMs }) => atMs <= this.nowMs)) {
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}

export function batchOf(...records: readonly (readonly [string, string | null])[]): Uint8Array {
  const batch = new BatchEncoder();
  for (const [key, value] of records) {
    batch.append({
      key: encoder.encode(key),
      value: value === null ? null : encoder.encode(value),
      timestampMs: 1,
    });
  }
  return batch.finish({ crc32c });
}

export function shardWorld(partition = new FakePartition()) {
  const time = new ManualTime();
  const shard = new TextShard();
  const stops: boolean[] = [];
  const ports: ShardRunnerPorts = {
    clock: { monotonicMs: () => time.nowMs, wallMs: () => 1_000_000 + time.nowMs },
    timers: time.timers,
    crc32c,
    compressors: nodeCompressors,
    logger: nullLogger,
  };
  const runner = new ShardRunner(ports, shard, {
    partition,
    epoch: 3,
    onStopped: (isRefused) => stops.push(isRefused),
  });
  return { time, shard, stops, partition, runner, ports };
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}
