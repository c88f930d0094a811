/** One accepted batch that waits for its acknowledgement. One object per batch, none per record. */
import type { BrokerError } from "@strandline/model";

export type Acks = "all" | "leader" | "none";

export interface Appended {
  readonly baseOffset: number;
  /** -1 unless the topic stamps records with the broker's time. */
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
}

/** Called exactly once: with the answer, or with the refusal. */
export type OnProduced = (error: BrokerError | undefined, appended: Appended | undefined) => void;

export interface ProduceTicket {
  readonly endOffset: number;
  readonly appended: Appended;
  readonly sizeBytes: number;
  /** Monotonic. */
  readonly deadlineMs: number;
  readonly onProduced: OnProduced;
}
