/**
 * One direction of one call: frames arrive in order and none is left out, as over TCP. While the
 * path is cut they wait, as TCP sends again what got lost; a break of the connection drops them.
 */
import { crc32c } from "@strandline/platform";
import type { Incarnation } from "../incarnation.js";
import type { Scheduler } from "../scheduler.js";
import type { WireError } from "./wire-error.js";

export type Frame =
  /** The first frame of a call. `deadlineUs` is absolute. */
  | {
      readonly kind: "open";
      readonly path: string;
      readonly deadlineUs: number | undefined;
    }
  /** With `isLast` nothing follows: the sender ended its side. */
  | { readonly kind: "message"; readonly bytes: Uint8Array; readonly isLast: boolean }
  | { readonly kind: "end" }
  /** The server ended the call with an error. */
  | { readonly kind: "failure"; readonly error: WireError }
  /** The server has begun to serve the stream. */
  | { readonly kind: "accepted" }
  /** The client gave the call up; `isQuiet`: and the server takes that for an ordinary end. */
  | { readonly kind: "cancel"; readonly isQuiet: boolean }
  /** The receiver has worked off so many bytes. */
  | { readonly kind: "credit"; readonly bytes: number };

/** What a pipe runs through. */
export interface Path {
  readonly scheduler: Scheduler;
  /** Who is at the other end; known once the path was open. */
  readonly receiver: Incarnation;
  /** False while the connection is not up, or messages vanish in this direction. */
  readonly isOpen: boolean;
  drawLatencyUs(sizeBytes: number): number;
}

interface InTransit {
  readonly frame: Frame;
  arrivesUs: number;
}

const HEADER_BYTES = 32;

export class Pipe {
  readonly #path: Path;
  readonly #deliver: (frame: Frame) => void;
  readonly #inTransit: InTransit[] = [];
  #isScheduled = false;
  #isClosed = false;
  #lastArrivalUs = 0;

  constructor(path: Path, deliver: (frame: Frame) => void) {
    this.#path = path;
    this.#deliver = deliver;
  }

  send(frame: Frame): void {
    if (this.#isClosed) return;
    const { scheduler } = this.#path;
    const sizeBytes = frame.kind === "message" ? frame.bytes.length : HEADER_BYTES;
    const arrivesUs = scheduler.nowUs + this.#path.drawLatencyUs(sizeBytes);
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, arrivesUs);
    this.#inTransit.push({ frame, arrivesUs: this.#lastArrivalUs });
    if (!this.#isScheduled && this.#path.isOpen) this.#schedule();
  }

  /** Sends `frame` instead of whatever is still under way. */
  sendInstead(frame: Frame): void {
    this.#inTransit.length = 0;
    this.#lastArrivalUs = 0;
    this.send(frame);
  }

  /** The path may be open again: sends on what waits, `extraUs` from now at the earliest. */
  flush(extraUs: number): void {
    if (this.#isScheduled || this.#inTransit.length === 0 || !this.#path.isOpen) return;
    const { scheduler } = this.#path;
    const fromUs = scheduler.nowUs + extraUs;
    for (const waiting of this.#inTransit) {
      waiting.arrivesUs = Math.max(waiting.arrivesUs, fromUs);
      this.#lastArrivalUs = waiting.arrivesUs;
    }
    this.#schedule();
  }

  /** What is under way vanishes, and nothing is sent any more. */
  close(): void {
    this.#isClosed = true;
    this.#inTransit.length = 0;
  }

  #schedule(): void {
    const next = this.#inTransit[0];
    if (next === undefined) return;
    this.#isScheduled = true;
    const { receiver, scheduler } = this.#path;
    const { frame } = next;
    receiver.schedule(Math.max(0, next.arrivesUs - scheduler.nowUs), {
      kind: `net-${frame.kind}`,
      detail: frame.kind === "message" ? crc32c(frame.bytes) : 0,
      run: () => this.#arrive(),
    });
  }

  #arrive(): void {
    this.#isScheduled = false;
    // Cut while under way: it waits here until the path is whole, or the connection breaks.
    if (this.#isClosed || !this.#path.isOpen) return;
    const arrived = this.#inTransit.shift();
    if (arrived === undefined) return;
    this.#schedule();
    this.#deliver(arrived.frame);
  }
}
