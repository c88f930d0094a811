/** What a shard wants done after a command or after time has passed. */
import type { GroupResponse } from "./group-response.js";

/** The caller's handle of a request that waits for its answer. */
export type Ticket = number;

/** One record of the offsets topic, in Kafka's own format. `null` deletes what the key names. */
export interface CoordinationRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export interface GroupReply {
  readonly ticket: Ticket;
  readonly response: GroupResponse;
}

export interface GroupStep {
  /** Of one atomic batch. Empty when nothing durable has changed. */
  readonly records: readonly CoordinationRecord[];
  /** To be given out once the records, and all before them, are committed. */
  readonly replies: readonly GroupReply[];
}

/** Now, twice: timeouts follow what has passed, and records what the calendar says. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}
