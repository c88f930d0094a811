/**
 * Steps on their way into the log: while one batch is on its way, what arrives gathers and becomes
 * the next. Answers leave in the order of their steps, each after everything that was decided
 * before it is committed.
 */
import { BatchEncoder } from "@strandline/record";
import type { ShardRecord, ShardReply, ShardStep } from "./shard.js";

/** Steps are put together up to here; one step is never divided. */
const BATCH_BYTES = 512 * 1024;

export interface Bundle<Response> {
  readonly records: ShardRecord[];
  readonly replies: ShardReply<Response>[];
  bytes: number;
}

export class StepQueue<Response> {
  readonly #waiting: Bundle<Response>[] = [];
  #inFlight: Bundle<Response> | undefined;
  #bytes = 0;

  /** Bytes of records that are not committed yet. */
  get bytes(): number {
    return this.#bytes;
  }

  get isInFlight(): boolean {
    return this.#inFlight !== undefined;
  }

  get isEmpty(): boolean {
    return this.#inFlight === undefined && this.#waiting.length === 0;
  }

  /** Takes a step in. Returns the replies that need not wait. */
  add(step: ShardStep<Response>): readonly ShardReply<Response>[] {
    if (step.records.length === 0) {
      const before = this.#waiting.at(-1) ?? this.#inFlight;
      if (before === undefined) return step.replies;
      append(before.replies, step.replies);
      return [];
    }
    const bytes = bytesOf(step.records);
    let bundle = this.#waiting.at(-1);
    if (bundle === undefined || bundle.bytes + bytes > BATCH_BYTES) {
      bundle = { records: [], replies: [], bytes: 0 };
      this.#waiting.push(bundle);
    }
    append(bundle.records, step.records);
    append(bundle.replies, step.replies);
    bundle.bytes += bytes;
    this.#bytes += bytes;
    return [];
  }

  /** What goes into the log next; undefined while the one before is on its way. */
  next(): Bundle<Response> | undefined {
    if (this.#inFlight !== undefined) return undefined;
    this.#inFlight = this.#waiting.shift();
    return this.#inFlight;
  }

  /** What was on its way is committed. Returns its replies. */
  committed(): readonly ShardReply<Response>[] {
    const bundle = this.#inFlight;
    this.#inFlight = undefined;
    this.#bytes -= bundle?.bytes ?? 0;
    return bundle?.replies ?? [];
  }
}

/** One by one: a step may have more records than a call can have arguments. */
function append<Item>(list: Item[], items: readonly Item[]): void {
  for (const item of items) list.push(item);
}

function bytesOf(records: readonly ShardRecord[]): number {
  let bytes = 0;
  for (const record of records) {
    bytes += BatchEncoder.recordBytesMax({ ...record, timestampMs: 0 });
  }
  return bytes;
}
