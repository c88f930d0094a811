/**
 * One run of a node's process, from its start to its crash or end. Everything a node does goes
 * through here; what is dead can neither act nor be called: its promises stay open for ever.
 */
import { BufferPool } from "@strandline/platform";
import type { Owner, SimEvent } from "./event-heap.js";
import type { Scheduler } from "./scheduler.js";

export interface IncarnationOptions {
  readonly node: string;
  /** Stands for the node in the trace; from 1. */
  readonly number: number;
  /** Which run of the node this is; from 1. */
  readonly generation: number;
  /** Told when a port is used against its contract. */
  readonly onBreach: (node: string, message: string) => void;
  /** Told of an error that only a bug explains, though somebody caught it. */
  readonly onBug: (node: string, error: unknown) => void;
}

export class Incarnation implements Owner {
  readonly scheduler: Scheduler;
  readonly node: string;
  readonly number: number;
  readonly generation: number;
  readonly held: SimEvent[] = [];
  /** Of messages that are only lent; small ones too, as most are here. */
  readonly buffers = new BufferPool({ bytesMin: 64, overwrites: true });
  readonly #onBreach: IncarnationOptions["onBreach"];
  readonly #onBug: IncarnationOptions["onBug"];
  #state: Owner["state"] = "running";

  constructor(scheduler: Scheduler, options: IncarnationOptions) {
    this.scheduler = scheduler;
    this.node = options.node;
    this.number = options.number;
    this.generation = options.generation;
    this.#onBreach = options.onBreach;
    this.#onBug = options.onBug;
  }

  get state(): Owner["state"] {
    return this.#state;
  }

  /** A paused process is alive. */
  get isAlive(): boolean {
    return this.#state !== "dead";
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    this.scheduler.releaseHeld(this);
  }

  die(): void {
    this.#state = "dead";
    this.held.length = 0;
  }

  /** Runs `run` in this process in `delayUs`, if it still lives then. */
  schedule(
    delayUs: number,
    what: { readonly kind: string; readonly detail?: number; readonly run: () => void },
  ): SimEvent {
    return this.scheduler.schedule(this, delayUs, what);
  }

  /** Does `effect` in `delayUs` and settles with what it returns or throws. */
  operate<Result>(
    delayUs: number,
    what: { readonly kind: string; readonly detail?: number; readonly effect: () => Result },
  ): Promise<Result> {
    if (!this.isAlive) return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      const run = (): void => {
        try {
          resolve(what.effect());
        } catch (error) {
          reject(error);
        }
      };
      this.schedule(delayUs, { kind: what.kind, detail: what.detail ?? 0, run });
    });
  }

  breach(message: string): void {
    if (this.isAlive) this.#onBreach(this.node, message);
  }

  bug(error: unknown): void {
    if (this.isAlive) this.#onBug(this.node, error);
  }
}
