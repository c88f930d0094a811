/** Settings of one consumer, and of its calls that wait. */
import { BATCH_BYTES_LIMIT } from "@strandline/model";
import { refuseProblems, requireNotNegative, requirePositive } from "../client-options.js";

export interface ConsumerWaitOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ConsumerOptions {
  /** Bytes read ahead of the caller; more than one answer over it is never held. */
  readonly prefetchBytesMax?: number | undefined;
  /** Bytes of one answer; a larger batch comes alone. */
  readonly fetchBytesMax?: number | undefined;
  /** Where to go on when the asked offset is no longer, or not yet, there; an error if absent. */
  readonly resetTo?: "earliest" | "latest" | undefined;
  /** End the iteration once every partition was read up to where it ended when it was assigned. */
  readonly stopAtEnd?: boolean | undefined;
  /** Verify every batch's checksum. */
  readonly checkCrcs?: boolean | undefined;
  /** Most bytes that one compressed batch may unpack to. */
  readonly unpackedBytesMax?: number | undefined;
  /** A stream that says nothing for so long is opened anew, in case it is dead. Milliseconds. */
  readonly silenceMsMax?: number | undefined;
  /** A partition that cannot be read for so long is an error; 0: never. Milliseconds. */
  readonly unavailableMsMax?: number | undefined;
}

export interface ResolvedConsumerOptions {
  readonly prefetchBytesMax: number;
  readonly fetchBytesMax: number;
  readonly resetTo: "earliest" | "latest" | undefined;
  readonly stopAtEnd: boolean;
  readonly checkCrcs: boolean;
  readonly unpackedBytesMax: number;
  readonly silenceMsMax: number;
  readonly unavailableMsMax: number;
}

/** Fills in the defaults. Throws `INVALID_ARGUMENT` that lists every problem. */
export function resolveConsumerOptions(options: ConsumerOptions): ResolvedConsumerOptions {
  const resolved: ResolvedConsumerOptions = {
    prefetchBytesMax: options.prefetchBytesMax ?? 32 * 1024 * 1024,
    fetchBytesMax: options.fetchBytesMax ?? 1024 * 1024,
    resetTo: options.resetTo,
    stopAtEnd: options.stopAtEnd ?? false,
    checkCrcs: options.checkCrcs ?? true,
    unpackedBytesMax: options.unpackedBytesMax ?? 4 * BATCH_BYTES_LIMIT,
    silenceMsMax: options.silenceMsMax ?? 30_000,
    unavailableMsMax: options.unavailableMsMax ?? 120_000,
  };
  const problems: string[] = [];
  requirePositive(problems, "prefetchBytesMax", resolved.prefetchBytesMax);
  requirePositive(problems, "fetchBytesMax", resolved.fetchBytesMax);
  requirePositive(problems, "unpackedBytesMax", resolved.unpackedBytesMax);
  requirePositive(problems, "silenceMsMax", resolved.silenceMsMax);
  requireNotNegative(problems, "unavailableMsMax", resolved.unavailableMsMax);
  const { resetTo } = resolved;
  if (resetTo !== undefined && resetTo !== "earliest" && resetTo !== "latest") {
    problems.push('resetTo must be "earliest" or "latest"');
  }
  refuseProblems(problems);
  return resolved;
}
