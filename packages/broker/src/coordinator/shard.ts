/**
 * What a coordinator's core looks like to the runtime that drives it: one shard of state, made of
 * the records of one partition. Commands go in; records to store and answers come out.
 *
 * A shard changes its state at once and never takes it back. What was decided but could not be
 * stored goes away with the whole shard, and the next one is made from what is stored.
 */

/** The runtime's handle of one request that waits for its answer. */
export type Ticket = number;

/** One record of the partition: a change under a key; without a value, its end. */
export interface ShardRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export interface ShardReply<Response> {
  readonly ticket: Ticket;
  readonly response: Response;
}

/** What a shard decided. Its records are stored all or none, before any of its answers is given. */
export interface ShardStep<Response> {
  readonly records: readonly ShardRecord[];
  readonly replies: readonly ShardReply<Response>[];
}

/** Now, twice: deadlines follow what has passed, and records what the calendar says. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** Pure and synchronous. */
export interface Shard<Command, Response> {
  /** Takes a stored record, while loading. */
  replay(record: ShardRecord, timestampMs: number): void;
  /** Every record was replayed; time begins. */
  loaded(now: Moment): void;
  /** The answer to `ticket` comes with this step, or with a later one. */
  step(command: Command, ticket: Ticket, now: Moment): ShardStep<Response>;
  /** Nobody waits for the answer to `ticket` any more. */
  forget(ticket: Ticket, now: Moment): ShardStep<Response>;
  tick(now: Moment): ShardStep<Response>;
  /** When it next wants a tick, by the monotonic clock; undefined while it waits for nothing. */
  readonly nextDeadlineMs: number | undefined;
}
