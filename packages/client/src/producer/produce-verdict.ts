/** What a broker's refusal of a batch means for it, and for the numbering of its partition. */
import type { BrokerError } from "@strandline/model";

/**
 * resend: this copy was not stored; the same bytes again later.
 * resend-unknown: as resend, but it may be stored already.
 * out-of-order: not stored; the broker expects another number.
 * renumber: not stored; the broker does not know the numbering.
 * split: not stored; each half of it might be.
 * fail: sending it again would not help.
 */
export type ProduceVerdict =
  | "resend"
  | "resend-unknown"
  | "out-of-order"
  | "renumber"
  | "split"
  | "fail";

/**
 * Retriable refusals that come before anything is appended. NOT_LEADER_OR_FOLLOWER is not among
 * them: a leader that lost its place after the append says so too, and the next may have the batch.
 */
const NOT_APPENDED: ReadonlySet<string> = new Set([
  "NOT_ENOUGH_REPLICAS",
  "THROTTLING_QUOTA_EXCEEDED",
  "CORRUPT_MESSAGE",
]);

/** Refusals after which somebody else may lead the partition. */
const LEADER_MOVED: ReadonlySet<string> = new Set([
  "NOT_LEADER_OR_FOLLOWER",
  "LEADER_NOT_AVAILABLE",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "UNKNOWN_TOPIC_OR_PARTITION",
  "UNKNOWN_TOPIC_ID",
  "REPLICA_NOT_AVAILABLE",
  "BROKER_NOT_AVAILABLE",
  "KAFKA_STORAGE_ERROR",
  "NETWORK_EXCEPTION",
]);

/**
 * DUPLICATE_SEQUENCE_NUMBER fails: a duplicate that the broker knows is a success with its first
 * offset, so this one has a number that something else was stored under.
 */
export function produceVerdict(error: BrokerError): ProduceVerdict {
  if (error.code === "OUT_OF_ORDER_SEQUENCE_NUMBER") return "out-of-order";
  if (error.code === "UNKNOWN_PRODUCER_ID") return "renumber";
  if (error.code === "MESSAGE_TOO_LARGE") return "split";
  if (!error.retriable) return "fail";
  return NOT_APPENDED.has(error.code) ? "resend" : "resend-unknown";
}

/** True when metadata should be asked for before the batch is sent again. */
export function suggestsOtherLeader(error: BrokerError): boolean {
  return LEADER_MOVED.has(error.code);
}
