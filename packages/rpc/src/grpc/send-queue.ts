/**
 * What one side of a stream still has to send, in order. Only a bounded part is handed to the
 * network at a time, so that an abort can drop the rest, and the bytes that wait are counted: a
 * stream of large messages must not hold back by their number.
 */

import type { MessageCodec } from "@strandline/platform";
import { lengthOfChunks } from "../wire/wire-writer.js";

/** Waiting bytes above which a sender is asked to stop. It may go on below half of it. */
export const QUEUED_BYTES_MAX = 4 * 1024 * 1024;

/** What a small message costs in memory besides its bytes. */
const MESSAGE_OVERHEAD_BYTES = 64;

/** A message as pieces that follow each other. */
export type Pieces = readonly Uint8Array[];

/** With an error when the network broke meanwhile. */
export type OnWritten = (error?: Error | null) => void;

interface Waiting {
  readonly pieces: Pieces;
  readonly onTaken: (() => void) | undefined;
}

export function piecesOf<Message>(codec: MessageCodec<Message>, message: Message): Pieces {
  return codec.encodePieces?.(message) ?? [codec.encode(message)];
}

export interface SendQueueOptions {
  /** Gives a message to the network; `done` is called, never at once, when it has taken it. */
  readonly write: (message: Pieces, done: OnWritten) => void;
  /** Bytes the network may have at a time; one message always. */
  readonly inFlightBytesMax: number;
  readonly onDrain: () => void;
}

export class SendQueue {
  readonly #options: SendQueueOptions;
  #waiting: (Waiting | undefined)[] = [];
  /** Index of the first message in `#waiting` that was not written. */
  #head = 0;
  #queuedBytes = 0;
  #inFlightBytes = 0;
  #isBlocked = false;
  #isOpen = false;
  #onFlushed: (() => void) | undefined;

  constructor(options: SendQueueOptions) {
    this.#options = options;
  }

  /** True while something was not yet taken by the network. */
  get isBusy(): boolean {
    return this.#queuedBytes > 0;
  }

  /** Lets writing begin. Before, messages only queue. */
  open(): void {
    this.#isOpen = true;
    this.#pump();
  }

  /** False when more than the bound is waiting; `onDrain` follows. */
  push(pieces: Pieces, onTaken?: () => void): boolean {
    this.#waiting.push({ pieces, onTaken });
    this.#queuedBytes += costOf(pieces);
    this.#pump();
    if (this.#queuedBytes <= QUEUED_BYTES_MAX) return true;
    this.#isBlocked = true;
    return false;
  }

  /** Calls back once everything pushed so far was taken, at once when nothing waits. */
  whenFlushed(callback: () => void): void {
    if (this.isBusy) this.#onFlushed = callback;
    else callback();
  }

  /** Forgets what was not handed over; nothing is called any more. */
  drop(): void {
    this.#waiting = [];
    this.#head = 0;
    this.#queuedBytes = 0;
    this.#isBlocked = false;
    this.#isOpen = false;
    this.#onFlushed = undefined;
  }

  #pump(): void {
    while (this.#isOpen && this.#head < this.#waiting.length) {
      const { pieces, onTaken } = this.#waiting[this.#head] as Waiting;
      const cost = costOf(pieces);
      const isRoom = this.#inFlightBytes + cost <= this.#options.inFlightBytesMax;
      if (!isRoom && this.#inFlightBytes > 0) return;
      this.#takeHead();
      this.#inFlightBytes += cost;
      this.#options.write(pieces, (error) => {
        if (error === undefined || error === null) onTaken?.();
        this.#onWritten(cost);
      });
    }
  }

  #takeHead(): void {
    // A written message must not stay alive behind a queue that never empties.
    this.#waiting[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    } else if (this.#head === 1024) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
  }

  #onWritten(cost: number): void {
    if (!this.#isOpen) return;
    this.#inFlightBytes -= cost;
    this.#queuedBytes -= cost;
    this.#pump();
    if (this.#isBlocked && this.#queuedBytes <= QUEUED_BYTES_MAX / 2) {
      this.#isBlocked = false;
      this.#options.onDrain();
    }
    if (this.#queuedBytes === 0) this.#flushed();
  }

  #flushed(): void {
    const callback = this.#onFlushed;
    this.#onFlushed = undefined;
    callback?.();
  }
}

function costOf(message: Pieces): number {
  return lengthOfChunks(message) + MESSAGE_OVERHEAD_BYTES;
}
