/** Settings of one producer. */
import { BATCH_BYTES_LIMIT, PRODUCER_BATCHES_KEPT } from "@strandline/model";
import { COMPRESSION_NAMES, type CompressionName } from "@strandline/record";
import { refuseProblems, requireNotNegative, requirePositive } from "../client-options.js";
import type { DeliveryReport } from "./producer-record.js";

export interface ProducerOptions {
  /**
   * Who must have a record before it counts as sent. "all": every in-sync replica, on its disk.
   * "leader": the leader has written it. "none": nobody; a record may vanish without a word.
   */
  readonly acks?: "all" | "leader" | "none" | undefined;
  /**
   * Numbers the batches, so that a retry is never stored twice and order is kept with several
   * batches under way. On unless acks is "none"; without it one batch at a time is under way.
   */
  readonly idempotent?: boolean | undefined;
  /** How long a batch waits for more records. 0: until the current turn of the loop ends. */
  readonly lingerMs?: number | undefined;
  /**
   * A batch is sent once it has this many bytes; a larger record goes alone. It costs no latency,
   * since only what comes within the linger time, or while earlier batches are under way, is
   * gathered. A batch that a topic takes for too large is sent again in halves.
   */
  readonly batchBytesMax?: number | undefined;
  /** Bytes of records that were taken and not yet settled. */
  readonly bufferBytesMax?: number | undefined;
  /** How long `send` waits for room in the buffer, or for metadata, before it rejects. */
  readonly maxBlockMs?: number | undefined;
  /** Batches of one partition under way at a time: 1 to 5, as many as a broker remembers. */
  readonly inFlightMax?: number | undefined;
  /** How long a record may stay unsettled, all retries included. */
  readonly deliveryTimeoutMs?: number | undefined;
  /** How long the broker waits for the acknowledgement, each time a batch is sent. */
  readonly requestTimeoutMs?: number | undefined;
  readonly compression?: CompressionName | undefined;
  /** Told what became of every batch. It must not throw. */
  readonly onDelivery?: ((report: DeliveryReport) => void) | undefined;
}

export interface ResolvedProducerOptions {
  readonly acks: "all" | "leader" | "none";
  readonly isIdempotent: boolean;
  readonly lingerMs: number;
  readonly batchBytesMax: number;
  readonly bufferBytesMax: number;
  readonly maxBlockMs: number;
  readonly inFlightMax: number;
  readonly deliveryTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly compression: CompressionName;
  readonly onDelivery: ((report: DeliveryReport) => void) | undefined;
}

/** Fills in the defaults. Throws `INVALID_ARGUMENT` that lists every problem. */
export function resolveProducerOptions(options: ProducerOptions): ResolvedProducerOptions {
  const acks = options.acks ?? "all";
  const isIdempotent = options.idempotent ?? acks !== "none";
  const resolved: ResolvedProducerOptions = {
    acks,
    isIdempotent,
    lingerMs: options.lingerMs ?? 5,
    batchBytesMax: options.batchBytesMax ?? 512 * 1024,
    bufferBytesMax: options.bufferBytesMax ?? 64 * 1024 * 1024,
    maxBlockMs: options.maxBlockMs ?? 60_000,
    // Without sequence numbers a batch that fails would be overtaken by the one after it.
    inFlightMax: isIdempotent || acks === "none" ? (options.inFlightMax ?? 5) : 1,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    compression: options.compression ?? "none",
    onDelivery: options.onDelivery,
  };
  refuseProblems(producerProblems(resolved));
  return resolved;
}

function producerProblems(options: ResolvedProducerOptions): string[] {
  const problems: string[] = [];
  const { inFlightMax, batchBytesMax } = options;
  if (options.acks === "none" && options.isIdempotent) {
    problems.push('an idempotent producer waits for answers: acks "none" cannot be idempotent');
  }
  if (!["all", "leader", "none"].includes(options.acks)) {
    problems.push('acks must be "all", "leader" or "none"');
  }
  if (!COMPRESSION_NAMES.includes(options.compression)) {
    problems.push(`compression must be one of ${COMPRESSION_NAMES.join(", ")}`);
  }
  requireNotNegative(problems, "lingerMs", options.lingerMs);
  requireNotNegative(problems, "maxBlockMs", options.maxBlockMs);
  requirePositive(problems, "deliveryTimeoutMs", options.deliveryTimeoutMs);
  requirePositive(problems, "requestTimeoutMs", options.requestTimeoutMs);
  if (!Number.isInteger(inFlightMax) || inFlightMax < 1 || inFlightMax > PRODUCER_BATCHES_KEPT) {
    problems.push(`inFlightMax must be an integer from 1 to ${PRODUCER_BATCHES_KEPT}`);
  }
  if (!(batchBytesMax > 0 && batchBytesMax <= BATCH_BYTES_LIMIT)) {
    problems.push(`batchBytesMax must be above 0 and at most ${BATCH_BYTES_LIMIT}`);
  }
  if (!(options.bufferBytesMax >= batchBytesMax)) {
    problems.push("bufferBytesMax must be at least batchBytesMax");
  }
  return problems;
}
