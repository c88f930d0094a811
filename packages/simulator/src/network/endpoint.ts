/**
 * One side's view of one call: the `RpcStream` it sends with, and the receiver it is told with.
 * Messages are encoded here and decoded there, so that no object is shared between two nodes.
 */
import { assert, BrokerError, MESSAGE_BYTES_MAX } from "@strandline/model";
import { type MessageCodec, type RpcReceiver, type RpcStream, release } from "@strandline/platform";
import { isBug } from "../finding.js";
import type { Incarnation } from "../incarnation.js";
import type { Frame, Pipe } from "./pipe.js";

export interface EndpointOptions {
  readonly incarnation: Incarnation;
  /** What arrives. */
  readonly input: MessageCodec<unknown>;
  /** What is sent. */
  readonly output: MessageCodec<unknown>;
  readonly windowBytes: number;
  readonly queueBytesMax: number;
  readonly out: Pipe;
  /** The peer's last message was read. */
  readonly onPeerEnd: () => void;
  /** One message is all that this side sends. */
  readonly sendsOnce: boolean;
  /** The owner ended its side. */
  readonly onEnd: () => void;
  /** The owner, or its failure over a message, ends the call. */
  readonly onAbort: (error: Error | undefined) => void;
  /** What arrived cannot be read. */
  readonly onMalformed: (error: unknown) => void;
  /** Nothing is sent or received any more. */
  readonly onOver: () => void;
}

interface Arrival {
  readonly bytes: Uint8Array | undefined;
  readonly isLast: boolean;
}

export class Endpoint implements RpcStream<unknown> {
  readonly #options: EndpointOptions;
  readonly #inbox: Arrival[] = [];
  #receiver: RpcReceiver<unknown> | undefined;
  #isPaused = false;
  /** The next message of the inbox is about to be read. */
  #isReading = false;
  /** The owner has sent its last message. */
  #isEnded = false;
  #isOver = false;
  /** `onEnd` was called. */
  #isTold = false;
  #outstandingBytes = 0;
  #wantsDrain = false;
  #consumedBytes = 0;

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  /** Nothing is sent or received any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Who is told; set once, before anything arrives. */
  receive(receiver: RpcReceiver<unknown>): void {
    assert(this.#receiver === undefined, "a call has one receiver on each side");
    this.#receiver = receiver;
  }

  send(message: unknown, onTaken?: () => void): boolean {
    if (this.#isOver || !this.#options.incarnation.isAlive) return true;
    assert(!this.#isEnded, "a stream sends nothing after its end");
    const bytes = this.#encode(message);
    if (bytes.length > MESSAGE_BYTES_MAX) {
      this.abort(tooLarge(bytes.length));
      return true;
    }
    const isRoom = this.#enqueue(bytes, this.#options.sendsOnce);
    // What was encoded is a copy.
    onTaken?.();
    if (this.#options.sendsOnce) this.#isEnded = true;
    return isRoom;
  }

  /** The answer of a unary call, and with it its end. Throws when it is too large. */
  answer(message: unknown): void {
    if (this.#isOver || !this.#options.incarnation.isAlive) return;
    const bytes = this.#encode(message);
    if (bytes.length > MESSAGE_BYTES_MAX) throw tooLarge(bytes.length);
    this.#enqueue(bytes, true);
    this.#isEnded = true;
    this.#options.onEnd();
  }

  end(): void {
    if (this.#isOver || this.#isEnded || !this.#options.incarnation.isAlive) return;
    this.#isEnded = true;
    this.#options.out.send({ kind: "end" });
    this.#options.onEnd();
  }

  abort(error?: Error): void {
    if (this.#isOver || !this.#options.incarnation.isAlive) return;
    this.#options.onAbort(error);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#inbox.length > 0) this.#readSoon();
  }

  /** A frame of the peer's side: message, end or credit. */
  arrived(frame: Frame): void {
    if (frame.kind === "credit") this.#credit(frame.bytes);
    if (frame.kind === "message") this.#inbox.push({ bytes: frame.bytes, isLast: frame.isLast });
    if (frame.kind === "end") this.#inbox.push({ bytes: undefined, isLast: true });
    if (!this.#isReading) this.#read();
  }

  /** The owner hears that the peer has sent its last message; it may go on sending itself. */
  hearHalfClose(): void {
    this.#tell(undefined);
  }

  /** The call is over for this side; its owner hears of it now. */
  finish(error: Error | undefined): void {
    this.#beOver();
    this.#tell(error);
  }

  /** As {@link finish}, but the owner hears of it once the code that runs now is through. */
  finishSoon(error: Error | undefined): void {
    this.#beOver();
    const { incarnation } = this.#options;
    incarnation.schedule(0, { kind: "net-ended", run: () => this.#tell(error) });
  }

  #beOver(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#inbox.length = 0;
    this.#options.onOver();
  }

  #tell(error: Error | undefined): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#receiver?.onEnd(error);
  }

  #encode(message: unknown): Uint8Array {
    // The caller may go on using what it handed in, so the network takes a copy.
    return this.#options.output.encode(message).slice();
  }

  #enqueue(bytes: Uint8Array, isLast: boolean): boolean {
    const { incarnation, out, windowBytes, queueBytesMax } = this.#options;
    out.send({ kind: "message", bytes, isLast });
    this.#outstandingBytes += bytes.length;
    if (this.#outstandingBytes < windowBytes) return true;
    if (this.#outstandingBytes > queueBytesMax) {
      incarnation.breach(
        `a stream's sender has ${this.#outstandingBytes} bytes queued and goes on`,
      );
    }
    this.#wantsDrain = true;
    return false;
  }

  #credit(bytes: number): void {
    this.#outstandingBytes -= bytes;
    if (!this.#wantsDrain || this.#outstandingBytes > this.#options.windowBytes / 2) return;
    this.#wantsDrain = false;
    if (!this.#isOver && !this.#isTold) this.#receiver?.onDrain?.();
  }

  #read(): void {
    if (this.#isPaused || this.#isOver) return;
    const arrival = this.#inbox.shift();
    if (arrival === undefined) return;
    if (arrival.bytes !== undefined) this.#consume(arrival.bytes);
    if (this.#isOver) return;
    if (arrival.isLast) this.#options.onPeerEnd();
    if (this.#inbox.length > 0) this.#readSoon();
  }

  #readSoon(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    const run = (): void => {
      this.#isReading = false;
      this.#read();
    };
    this.#options.incarnation.schedule(0, { kind: "net-read", run });
  }

  #consume(sent: Uint8Array): void {
    const bytes = this.#received(sent);
    const { input, out, windowBytes, incarnation, onAbort, onMalformed } = this.#options;
    this.#consumedBytes += bytes.length;
    if (this.#consumedBytes >= windowBytes / 4) {
      out.send({ kind: "credit", bytes: this.#consumedBytes });
      this.#consumedBytes = 0;
    }
    let message: unknown;
    try {
      message = input.decode(bytes);
    } catch (error) {
      onMalformed(error);
      return;
    }
    try {
      this.#receiver?.onMessage(message);
    } catch (error) {
      if (isBug(error)) incarnation.bug(error);
      if (!this.#isOver) onAbort(asError(error));
      return;
    }
    release(bytes);
  }

  /** What is lent lies in memory that is used again. */
  #received(sent: Uint8Array): Uint8Array {
    if (this.#receiver?.borrows !== true) return sent;
    const bytes = this.#options.incarnation.buffers.take(sent.length);
    bytes.set(sent);
    return bytes;
  }
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function tooLarge(sizeBytes: number): BrokerError {
  const message = `a message of ${sizeBytes} bytes is larger than ${MESSAGE_BYTES_MAX}`;
  return new BrokerError("MESSAGE_TOO_LARGE", message);
}
