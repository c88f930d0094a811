/** What a consumer takes and gives. */
import type { RecordHeader } from "@strandline/record";
import type { StartAt } from "../cluster/offset-finder.js";

/** One record as it was read. Bytes are views that stay valid; copy them to keep them for long. */
export interface ConsumerRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970; -1 for none. */
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** The records of one stored batch, at least one. */
export interface ConsumerBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly ConsumerRecord[];
  /** Where reading goes on after these. */
  readonly nextOffset: number;
  /** First offset that was not committed when these were read. */
  readonly highWatermark: number;
  readonly logStartOffset: number;
}

export interface PartitionAssignment {
  readonly topic: string;
  readonly partition: number;
  readonly start: StartAt;
}

export interface TopicPartitionName {
  readonly topic: string;
  readonly partition: number;
}
