/**
 * Brings back records that a replica's disk lost, from the other replicas, before it takes part
 * again: what lies below the recovery point was acknowledged, and must never be cut silently.
 */
import type { TopicId } from "@strandline/model";
import type { Clock, Logger, Timers, Transport } from "@strandline/platform";
import { baseOffset, batchBytes, nextOffset } from "@strandline/record";
import { replicationMethods } from "@strandline/rpc";
import type { Log } from "@strandline/storage";

const RETRY_MS = 500;
const CALL_MS = 5_000;
const PIECE_BYTES_MAX = 1024 * 1024;

export interface RepairTarget {
  readonly key: string;
  readonly topicId: TopicId;
  readonly partition: number;
  /** Addresses of the brokers that hold other replicas, as known now. */
  peers(): readonly string[];
  /** True when nobody wants the result any more. */
  isOver(): boolean;
}

export interface RepairPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly transport: Transport;
  readonly logger: Logger;
}

/** Repairs every damaged range; false when that was not possible within `timeoutMs`. */
export async function repairLog(
  ports: RepairPorts,
  log: Log,
  target: RepairTarget,
  timeoutMs: number,
): Promise<boolean> {
  const deadlineMs = ports.clock.monotonicMs() + timeoutMs;
  for (;;) {
    const damaged = log.recovery.damaged;
    if (damaged === undefined) return true;
    const found = await fetchRange(ports, target, damaged);
    if (found !== undefined) {
      const { batches, coveredTo } = found;
      try {
        await log.replaceRange(batches, coveredTo);
        ports.logger.warn(
          { partition: target.key, from: damaged.fromOffset, sizeBytes: batches.length },
          "repaired damaged records from another replica",
        );
        continue;
      } catch (error) {
        ports.logger.warn({ partition: target.key, error: String(error) }, "a repair did not fit");
      }
    }
    if (target.isOver() || ports.clock.monotonicMs() >= deadlineMs) return false;
    await new Promise<void>((resolve) => {
      ports.timers.after(RETRY_MS, resolve);
    });
  }
}

interface FoundRange {
  readonly batches: Uint8Array;
  /** How far they go when the peer has nothing behind them; undefined: to the last one's end. */
  readonly coveredTo: number | undefined;
}

/** Whole batches from the start of the range and not past its end; undefined when none are had. */
async function fetchRange(
  ports: RepairPorts,
  target: RepairTarget,
  range: { readonly fromOffset: number; readonly toOffset: number },
): Promise<FoundRange | undefined> {
  for (const address of target.peers()) {
    try {
      const { batches } = await ports.transport.call(
        address,
        replicationMethods.readRange,
        {
          topicId: target.topicId,
          partition: target.partition,
          ...range,
          bytesMax: PIECE_BYTES_MAX,
        },
        { timeoutMs: CALL_MS },
      );
      const found = cutAt(batches, range.toOffset);
      if (found.batches.length > 0 || found.coveredTo !== undefined) return found;
    } catch (error) {
      ports.logger.debug(
        { partition: target.key, address, error: String(error) },
        "no repair here",
      );
    }
  }
  return undefined;
}

/** A peer that is compacted may go on behind the range: then it has no more of it. */
function cutAt(batches: Uint8Array, toOffset: number): FoundRange {
  let at = 0;
  while (at < batches.length && nextOffset(batches, at) <= toOffset) at += batchBytes(batches, at);
  const isBehind = at < batches.length && baseOffset(batches, at) >= toOffset;
  return { batches: batches.subarray(0, at), coveredTo: isBehind ? toOffset : undefined };
}
