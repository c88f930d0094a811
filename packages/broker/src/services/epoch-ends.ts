/** Where a leadership's records end: how a reader learns that its own were cut. */
import type { Partition } from "../partition/partition.js";

export interface EpochEnd {
  /** -1: nothing is known. */
  readonly epoch: number;
  readonly endOffset: number;
}

const UNKNOWN: EpochEnd = { epoch: -1, endOffset: -1 };

/**
 * The largest epoch not above `epoch` that wrote here, and where its records and all before end.
 * Nothing is known of epochs above the present one; the present one ends where the log does, also
 * before it has written anything.
 */
export function epochEnd(replica: Partition, leaderEpoch: number, epoch: number): EpochEnd {
  const { log } = replica;
  if (epoch < 0 || epoch > leaderEpoch) return UNKNOWN;
  if (epoch === leaderEpoch) return { epoch, endOffset: log.logEndOffset };
  return log.epochs.endOffsetOf(epoch, log.logEndOffset);
}
