/** What a producer takes and gives back. */

/** Text is sent as UTF-8. */
export type Content = string | Uint8Array;

export interface ProducerHeader {
  readonly key: string;
  readonly value?: Content | null | undefined;
}

/**
 * One record to send. Byte arrays are copied before `send` returns, unless the record has to wait
 * for metadata or for room: do not change them before its promise settles.
 */
export interface ProducerRecord {
  readonly topic: string;
  /** Chosen by the key, or by the producer, when absent. */
  readonly partition?: number | undefined;
  readonly key?: Content | null | undefined;
  readonly value?: Content | null | undefined;
  /** A list, or an object when no name comes twice. */
  readonly headers?:
    | readonly ProducerHeader[]
    | Readonly<Record<string, Content | null>>
    | undefined;
  /** Milliseconds since 1970; now when absent. */
  readonly timestampMs?: number | undefined;
}

/** Where a record was stored. */
export interface SendResult {
  readonly topic: string;
  readonly partition: number;
  /** -1 when nobody waited for it: acks "none". */
  readonly offset: number;
  /** The record's own, or the broker's when the topic stamps records itself. */
  readonly timestampMs: number;
}

/** What became of one batch; for records sent without a promise. */
export interface DeliveryReport {
  readonly topic: string;
  readonly partition: number;
  readonly recordCount: number;
  /** Of the first record; -1 when the batch failed, or with acks "none". */
  readonly baseOffset: number;
  /** Undefined when the records were stored. */
  readonly error: Error | undefined;
}

/** Who is told about one record. */
export interface DeliverySink {
  delivered(result: SendResult): void;
  failed(error: Error): void;
}
