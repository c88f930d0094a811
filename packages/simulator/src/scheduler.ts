/**
 * Virtual time. One event runs at a time; then every promise it settled runs out, however deep the
 * chain; only then comes the next event. So all interleaving is chosen by times that the seed drew,
 * and none by the machine.
 *
 * Between two events lies one turn of Node's own loop: it empties the microtask queue wholly, and
 * reports a rejection nobody handled while it is still known which event caused it.
 */
import { setImmediate as afterPromises } from "node:timers";
import { assert } from "@strandline/model";
import { EventHeap, type Owner, SimEvent } from "./event-heap.js";
import type { Trace } from "./trace.js";

/** Events at one instant after which time is taken to stand still. */
const EVENTS_AT_ONE_INSTANT_MAX = 100_000;

export type RunEnd =
  /** The predicate came true. */
  | "done"
  /** Time is up. */
  | "time"
  /** `stop` was called. */
  | "stopped";

export interface RunOptions {
  readonly untilUs: number;
  /** Asked after each event and its promises. */
  readonly isDone: (() => boolean) | undefined;
}

export class Scheduler {
  readonly trace: Trace;
  readonly #heap = new EventHeap();
  readonly #onError: (error: unknown, owner: Owner | undefined) => void;
  #nowUs = 0;
  #sequence = 0;
  #isStopped = false;
  #isRunning = false;
  #current: Owner | undefined;
  #sameInstantCount = 0;

  /** `onError` is told what an event threw; it may call `stop`. */
  constructor(trace: Trace, onError: (error: unknown, owner: Owner | undefined) => void) {
    this.trace = trace;
    this.#onError = onError;
  }

  /** Virtual microseconds since the world began. */
  get nowUs(): number {
    return this.#nowUs;
  }

  /** Owner of the event that runs, or whose promises do. */
  get current(): Owner | undefined {
    return this.#current;
  }

  /** Runs `run` in `delayUs`, unless its owner is dead by then; later when it is paused. */
  schedule(
    owner: Owner | undefined,
    delayUs: number,
    what: { readonly kind: string; readonly detail?: number; readonly run: () => void },
  ): SimEvent {
    assert(Number.isInteger(delayUs) && delayUs >= 0, "a delay is whole microseconds");
    const event = new SimEvent({
      timeUs: this.#nowUs + delayUs,
      sequence: this.#sequence++,
      owner,
      kind: what.kind,
      detail: what.detail ?? 0,
      run: what.run,
    });
    this.#heap.push(event);
    return event;
  }

  /** Idempotent. */
  cancel(event: SimEvent): void {
    if (event.run === undefined) return;
    event.run = undefined;
    this.#heap.noteCancelled();
  }

  /** The owner was resumed: what came due meanwhile comes now, in the order it came due. */
  releaseHeld(owner: Owner): void {
    for (const event of owner.held.splice(0)) {
      if (event.run === undefined) continue;
      event.timeUs = this.#nowUs;
      event.sequence = this.#sequence++;
      this.#heap.push(event);
    }
  }

  /** Ends the run after the current event. */
  stop(): void {
    this.#isStopped = true;
  }

  run(options: RunOptions): Promise<RunEnd> {
    assert(!this.#isRunning, "a world runs once at a time");
    this.#isRunning = true;
    this.#isStopped = false;
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          const end = this.#advance(options);
          if (end === undefined) {
            afterPromises(turn);
            return;
          }
          resolve(end);
        } catch (error) {
          // Not a node's fault: the predicate threw.
          reject(error);
        }
        this.#isRunning = false;
        this.#current = undefined;
      };
      // The caller's own promises run out before the first event.
      afterPromises(turn);
    });
  }

  /** Runs the next event; undefined unless that was the end. */
  #advance(options: RunOptions): RunEnd | undefined {
    this.#current = undefined;
    if (this.#isStopped) return "stopped";
    if (options.isDone?.() === true) return "done";
    for (;;) {
      const event = this.#heap.peek();
      if (event === undefined || event.timeUs > options.untilUs) {
        this.#nowUs = Math.max(this.#nowUs, options.untilUs);
        return "time";
      }
      this.#heap.pop();
      if (this.#fire(event)) return undefined;
    }
  }

  /** Returns whether code ran. */
  #fire(event: SimEvent): boolean {
    const { owner, run } = event;
    if (run === undefined || owner?.state === "dead") return false;
    this.#sameInstantCount = event.timeUs === this.#nowUs ? this.#sameInstantCount + 1 : 0;
    this.#nowUs = event.timeUs;
    if (owner?.state === "paused") {
      owner.held.push(event);
      return false;
    }
    event.run = undefined;
    this.#current = owner;
    this.trace.note(this.#nowUs, owner?.number ?? 0, event.kind, event.detail);
    try {
      assert(
        this.#sameInstantCount < EVENTS_AT_ONE_INSTANT_MAX,
        "virtual time does not stand still",
      );
      run();
    } catch (error) {
      this.#onError(error, owner);
    }
    return true;
  }
}
