/**
 * Drives one shard through one leadership of its partition: loads it from the log, steps commands,
 * stores what it decides, and gives the answers out once that is committed.
 *
 * There is no undo. When records are refused, or the leadership ends, the runner stops for good
 * and everybody who waits is sent away; who still leads loads a new shard from what is stored.
 */
import { BrokerError, type ErrorCode } from "@strandline/model";
import type { Clock, Compressors, Crc32c, Logger, Timer, Timers } from "@strandline/platform";
import { BatchEncoder } from "@strandline/record";
import type { Moment, Shard, ShardReply, ShardStep, Ticket } from "./shard.js";
import { ShardLoader } from "./shard-loader.js";
import type { ShardLeadership, ShardPartition } from "./shard-partition.js";
import { StepQueue } from "./step-queue.js";

/** A paused follower is out of the in-sync replicas long before. */
const APPEND_TIMEOUT_MS = 30_000;
/** While nothing can be stored, time stands still for the shard. */
const TICK_RETRY_MS = 500;
/** A timer takes 31 bits of milliseconds; deadlines may be weeks away. */
const TICK_MS_MAX = 3_600_000;
const UNCOMMITTED_BYTES_MAX = 64 * 1024 * 1024;

export interface ShardRunnerPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly crc32c: Crc32c;
  readonly compressors: Compressors;
  readonly logger: Logger;
}

export interface ShardRunnerOptions {
  readonly partition: ShardPartition;
  readonly epoch: number;
  /** Called once. `isRefused`: the leadership goes on, but something could not be stored or read. */
  onStopped(isRefused: boolean): void;
}

export interface SubmitOptions {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
  /** The command cannot be answered without storing something. */
  readonly isWrite: boolean;
}

interface Waiter<Response> {
  resolve(response: Response): void;
  reject(error: BrokerError): void;
}

export class ShardRunner<Command, Response> {
  readonly #ports: ShardRunnerPorts;
  readonly #options: ShardRunnerOptions;
  readonly #shard: Shard<Command, Response>;
  readonly #queue = new StepQueue<Response>();
  readonly #waiters = new Map<Ticket, Waiter<Response>>();
  readonly #encoder = new BatchEncoder();
  readonly #unsubscribe: () => void;
  #state: "loading" | "active" | "stopped" = "loading";
  #lastTicket = 0;
  #isFlushing = false;
  #tick: { readonly timer: Timer; readonly atMs: number } | undefined;
  #onChange: (() => void) | undefined;

  constructor(
    ports: ShardRunnerPorts,
    shard: Shard<Command, Response>,
    options: ShardRunnerOptions,
  ) {
    this.#ports = ports;
    this.#shard = shard;
    this.#options = options;
    this.#unsubscribe = options.partition.onCommitted(() => this.#partitionChanged());
  }

  get epoch(): number {
    return this.#options.epoch;
  }

  get isActive(): boolean {
    return this.#state === "active";
  }

  get isStopped(): boolean {
    return this.#state === "stopped";
  }

  /** Reads the log; commands are refused until that is done. Never throws. */
  async load(): Promise<void> {
    const { partition, epoch } = this.#options;
    try {
      const loader = new ShardLoader(this.#ports, {
        partition,
        requireLoading: () => this.#requireLoading(),
        committedMore: async () => await this.#nextChange(),
        replay: (record, timestampMs) => this.#shard.replay(record, timestampMs),
      });
      const loaded = await loader.load();
      this.#shard.loaded(this.#now());
      this.#state = "active";
      this.#ports.logger.info(
        { partition: partition.key, leaderEpoch: epoch, ...loaded },
        "coordinator is loaded",
      );
      this.#armTick();
    } catch (error) {
      if (this.#state === "stopped") return;
      this.#ports.logger.error(
        { partition: partition.key, leaderEpoch: epoch, error: String(error) },
        "coordinator could not be loaded",
      );
      this.#stop("COORDINATOR_NOT_AVAILABLE", "its records could not be read", true);
    }
  }

  /**
   * Resolves with the answer once everything it rests on is committed. Throws NOT_COORDINATOR,
   * COORDINATOR_LOAD_IN_PROGRESS or COORDINATOR_NOT_AVAILABLE.
   */
  async submit(command: Command, options: SubmitOptions): Promise<Response> {
    const leadership = this.#requireActive();
    if (options.isWrite && leadership.core.isUnderMinIsr) {
      throw new BrokerError("COORDINATOR_NOT_AVAILABLE", "too few replicas are in sync to store");
    }
    if (this.#queue.bytes > UNCOMMITTED_BYTES_MAX) {
      throw new BrokerError("COORDINATOR_NOT_AVAILABLE", "too much waits to be stored");
    }
    if (options.signal?.aborted === true) throw goneError();
    this.#lastTicket += 1;
    const ticket = this.#lastTicket;
    return await new Promise<Response>((resolve, reject) => {
      const onAbort = (): void => this.#forget(ticket);
      const done = (): void => options.signal?.removeEventListener("abort", onAbort);
      this.#waiters.set(ticket, {
        resolve: (response) => {
          done();
          resolve(response);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      options.signal?.addEventListener("abort", onAbort);
      this.#perform(() => this.#shard.step(command, ticket, this.#now()));
    });
  }

  /** The leadership has ended, or the broker stops. Everybody who waits is sent away. */
  stop(reason: string): void {
    this.#stop("NOT_COORDINATOR", reason, false);
  }

  #now(): Moment {
    const { clock } = this.#ports;
    return { monotonicMs: clock.monotonicMs(), wallMs: Math.floor(clock.wallMs()) };
  }

  #requireActive(): ShardLeadership {
    if (this.#state === "loading") {
      throw new BrokerError("COORDINATOR_LOAD_IN_PROGRESS", "the coordinator is being loaded");
    }
    if (this.#state === "stopped") throw movedError();
    try {
      return this.#options.partition.requireLeader(this.epoch);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      throw movedError(error);
    }
  }

  #forget(ticket: Ticket): void {
    const waiter = this.#waiters.get(ticket);
    if (waiter === undefined) return;
    this.#waiters.delete(ticket);
    waiter.reject(goneError());
    if (this.#state === "active") {
      this.#perform(() => this.#shard.forget(ticket, this.#now()));
    }
  }

  /** A step that throws is a bug, and may have left the shard half changed: it goes as well. */
  #perform(step: () => ShardStep<Response>): void {
    let decided: ShardStep<Response>;
    try {
      decided = step();
    } catch (error) {
      this.#ports.logger.error(
        {
          partition: this.#options.partition.key,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        },
        "a coordinator failed",
      );
      this.#stop("UNKNOWN_SERVER_ERROR", "the coordinator failed", true);
      return;
    }
    this.#release(this.#queue.add(decided));
    this.#armTick();
    this.#flushSoon();
  }

  /** Steps that are taken in one turn go into the log together. */
  #flushSoon(): void {
    if (this.#isFlushing || this.#queue.isInFlight || this.#queue.isEmpty) return;
    this.#isFlushing = true;
    void Promise.resolve().then(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#state !== "active") return;
    const bundle = this.#queue.next();
    if (bundle === undefined) return;
    const timestampMs = this.#now().wallMs;
    this.#encoder.reset();
    for (const { key, value } of bundle.records) {
      this.#encoder.append({ key, value, timestampMs });
    }
    const batch = this.#encoder.finish({ crc32c: this.#ports.crc32c });
    try {
      this.#options.partition
        .requireLeader(this.epoch)
        .append(batch, { acks: "all", timeoutMs: APPEND_TIMEOUT_MS, isInternal: true }, (error) => {
          if (this.#state !== "active") return;
          if (error !== undefined) {
            this.#refused(error);
            return;
          }
          this.#release(this.#queue.committed());
          this.#flush();
        });
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      this.#refused(error);
    }
  }

  #refused(error: BrokerError): void {
    const { partition, epoch } = this.#options;
    const isMoved = error.code === "NOT_LEADER_OR_FOLLOWER" || error.code === "FENCED_LEADER_EPOCH";
    if (!isMoved) {
      this.#ports.logger.warn(
        { partition: partition.key, leaderEpoch: epoch, code: error.code, error: error.message },
        "a coordinator's records were refused; it is thrown away",
      );
    }
    const code = isMoved ? "NOT_COORDINATOR" : "COORDINATOR_NOT_AVAILABLE";
    this.#stop(code, `records were refused: ${error.message}`, true);
  }

  #release(replies: readonly ShardReply<Response>[]): void {
    for (const { ticket, response } of replies) {
      const waiter = this.#waiters.get(ticket);
      this.#waiters.delete(ticket);
      waiter?.resolve(response);
    }
  }

  #armTick(): void {
    const deadlineMs = this.#shard.nextDeadlineMs;
    if (this.#state !== "active" || deadlineMs === undefined) return;
    if (this.#tick !== undefined && this.#tick.atMs <= deadlineMs) return;
    this.#setTick(deadlineMs);
  }

  #setTick(atMs: number): void {
    this.#tick?.timer.cancel();
    // At least one: a deadline that a tick did not move must not become a loop.
    const delayMs = Math.min(Math.max(atMs - this.#now().monotonicMs, 1), TICK_MS_MAX);
    const timer = this.#ports.timers.after(delayMs, () => this.#onTick());
    this.#tick = { timer, atMs };
  }

  #onTick(): void {
    this.#tick = undefined;
    if (this.#state !== "active") return;
    if (!this.#canStore()) {
      this.#setTick(this.#now().monotonicMs + TICK_RETRY_MS);
      return;
    }
    const deadlineMs = this.#shard.nextDeadlineMs;
    if (deadlineMs === undefined) return;
    if (deadlineMs > this.#now().monotonicMs) this.#setTick(deadlineMs);
    else this.#perform(() => this.#shard.tick(this.#now()));
  }

  #canStore(): boolean {
    try {
      return !this.#options.partition.requireLeader(this.epoch).core.isUnderMinIsr;
    } catch (error) {
      if (error instanceof BrokerError) return false;
      throw error;
    }
  }

  #partitionChanged(): void {
    const { partition, epoch } = this.#options;
    if (!partition.isLeader || partition.leaderEpoch !== epoch) {
      this.stop("another broker coordinates now");
    }
    this.#onChange?.();
  }

  #requireLoading(): void {
    if (this.#state === "stopped") throw movedError();
  }

  async #nextChange(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onChange = () => {
        this.#onChange = undefined;
        resolve();
      };
      if (this.#state === "stopped") this.#onChange();
    });
  }

  #stop(code: ErrorCode, reason: string, isRefused: boolean): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#unsubscribe();
    this.#tick?.timer.cancel();
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.reject(new BrokerError(code, reason));
    this.#onChange?.();
    this.#options.onStopped(isRefused);
  }
}

function movedError(cause?: Error): BrokerError {
  return new BrokerError("NOT_COORDINATOR", "this broker is not the coordinator", { cause });
}

function goneError(): BrokerError {
  return new BrokerError("REQUEST_TIMED_OUT", "the caller has gone");
}
