/** Fetch: one read of committed batches, here or at the leader, waiting for enough of them. */
import { BrokerError } from "@strandline/model";
import type { Clock, Lease, Timers, Transport } from "@strandline/platform";
import { type FetchRequest, logMethods, type OutgoingFetchResponse } from "@strandline/rpc";
import type { Partition } from "../partition/partition.js";
import type { Directory } from "./directory.js";
import type { RecordReader } from "./record-reader.js";

const BYTES_DEFAULT = 1024 * 1024;
const BYTES_MAX = 55 * 1024 * 1024;
const WAIT_MS_MAX = 60_000;
const FORWARD_GRACE_MS = 5_000;

export class FetchService {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #transport: Transport;
  readonly #directory: Directory;
  readonly #reader: RecordReader;

  constructor(
    ports: { clock: Clock; timers: Timers; transport: Transport },
    parts: { directory: Directory; reader: RecordReader },
  ) {
    this.#clock = ports.clock;
    this.#timers = ports.timers;
    this.#transport = ports.transport;
    this.#directory = parts.directory;
    this.#reader = parts.reader;
  }

  async fetch(request: FetchRequest, signal: AbortSignal): Promise<OutgoingFetchResponse> {
    const waitMs = Math.min(Math.max(request.waitMsMax, 0), WAIT_MS_MAX);
    const leader = this.#directory.leader(request.topic, request.partition, request.forwarded);
    if (leader.kind === "remote") {
      return await this.#transport.call(
        leader.address,
        logMethods.fetch,
        { ...request, forwarded: true },
        { timeoutMs: waitMs + FORWARD_GRACE_MS, signal },
      );
    }
    const partition = leader.replica;
    const bytesMax = request.bytesMax <= 0 ? BYTES_DEFAULT : Math.min(request.bytesMax, BYTES_MAX);
    const bytesMin = Math.min(request.bytesMin, bytesMax);
    const deadlineMs = this.#clock.monotonicMs() + waitMs;
    for (;;) {
      partition.requireLeader();
      const batches = await readCommitted(partition, request.offset, bytesMax);
      const sizeBytes = totalBytes(batches);
      const leftMs = deadlineMs - this.#clock.monotonicMs();
      const isEnough = sizeBytes > 0 && sizeBytes >= bytesMin;
      if (isEnough || leftMs <= 0 || signal.aborted) {
        // Suspended since the check: only a leader may say what is committed.
        partition.requireLeader();
        return this.#answer(partition, request, batches);
      }
      await this.#committedMore(partition, leftMs, signal);
    }
  }

  #answer(
    partition: Partition,
    request: FetchRequest,
    batches: readonly Uint8Array[],
  ): OutgoingFetchResponse {
    const common = {
      highWatermark: partition.highWatermark,
      logStartOffset: partition.log.logStartOffset,
      nextOffset: this.#reader.nextOffset(batches, request.offset),
    };
    if (request.format === "RECORD_FORMAT_BATCHES") return { ...common, records: [], batches };
    return {
      ...common,
      records: this.#reader.records(batches, request.offset),
      batches: new Uint8Array(0),
    };
  }

  async #committedMore(partition: Partition, waitMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        unsubscribe();
        timer.cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const unsubscribe = partition.onCommitted(done);
      const timer = this.#timers.after(waitMs, done);
      signal.addEventListener("abort", done);
    });
  }
}

/**
 * Committed batches from `offset`; none when `offset` is at or above the high watermark. A new
 * leader may not know yet how far its predecessor had committed: an offset up to its log end is
 * no error then. Throws OFFSET_OUT_OF_RANGE.
 */
export async function readCommitted(
  partition: Partition,
  offset: number,
  bytesMax: number,
  lease?: Lease,
): Promise<readonly Uint8Array[]> {
  const { log, highWatermark } = partition;
  if (offset < log.logStartOffset || offset > log.logEndOffset) {
    throw new BrokerError(
      "OFFSET_OUT_OF_RANGE",
      `offset ${offset} is outside of ${log.logStartOffset} to ${highWatermark}`,
    );
  }
  if (offset >= highWatermark) return [];
  return (
    log.tail(offset, bytesMax, highWatermark, lease) ??
    (await log.read(offset, bytesMax, highWatermark, lease))
  );
}

export function totalBytes(chunks: readonly Uint8Array[]): number {
  let total = 0;
  for (const chunk of chunks) total += chunk.length;
  return total;
}
