/**
 * One side's view of one call: the `RpcStream` it sends with, and the receiver it is told with.
 * Messages are encoded here and decoded there, so that no object is shared between two nodes.
 */
import { assert } from "@strandline/model";
import type { MessageCodec, RpcReceiver, RpcStream } from "@strandline/platform";
import type { Incarnation } from "../incarnation.js";
import type { Frame, Pipe } from "./pipe.js";

export interface EndpointOptions<In, Out> {
  readonly incarnation: Incarnation;
  readonly input: MessageCodec<In>;
  readonly output: MessageCodec<Out>;
  readonly windowBytes: number;
  readonly queueBytesMax: number;
  readonly out: Pipe;
  /** Whether the peer's half close is worth telling. */
  readonly tellsHalfClose: boolean;
  /** The end of this side's messages is the end of the call: so it is at the server. */
  readonly endsCall: boolean;
  /** Nothing is sent or told any more. */
  readonly onOver: () => void;
}

type Arrival = { readonly bytes: Uint8Array | undefined; readonly isLast: boolean };

export class Endpoint<In, Out> implements RpcStream<Out> {
  readonly #options: EndpointOptions<In, Out>;
  readonly #inbox: Arrival[] = [];
  #receiver: RpcReceiver<In> | undefined;
  #isPaused = false;
  #isReading = false;
  /** `onEnd` was called, or is about to be. */
  #isTold = false;
  #isSendOver = false;
  #outstandingBytes = 0;
  #wantsDrain = false;
  #consumedBytes = 0;

  constructor(options: EndpointOptions<In, Out>) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#isTold && this.#isSendOver;
  }

  /** Who is told; set once, before anything arrives. */
  receive(receiver: RpcReceiver<In>): void {
    assert(this.#receiver === undefined, "a call has one receiver on each side");
    this.#receiver = receiver;
  }

  send(message: Out): boolean {
    return this.#send(message, false);
  }

  /** The only, or the last message of this side. */
  sendLast(message: Out): void {
    if (this.#isSendOver) return;
    this.#send(message, true);
    this.#sendingEnds(undefined);
  }

  end(): void {
    this.close({ kind: "end" }, undefined);
  }

  /** Ends this side's sending with `frame`. Where that ends the call, the owner hears `error`. */
  close(frame: Frame, error: Error | undefined): void {
    if (this.#isSendOver || !this.#options.incarnation.isAlive) return;
    this.#options.out.send(frame);
    this.#sendingEnds(error);
  }

  /** The peer ended the call: there is nobody to send to. */
  stopSending(): void {
    this.#isSendOver = true;
    this.#checkOver();
  }

  #sendingEnds(error: Error | undefined): void {
    if (this.#options.endsCall) this.finishSoon(error);
    else this.stopSending();
  }

  /** The call decides what an abort is: it differs between the sides. */
  abort(error?: Error): void {
    if (this.isOver || !this.#options.incarnation.isAlive) return;
    this.onAbort(error);
  }

  onAbort: (error: Error | undefined) => void = () => undefined;

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#inbox.length > 0) this.#readSoon();
  }

  arrived(frame: Frame): void {
    switch (frame.kind) {
      case "message":
        this.#inbox.push({ bytes: frame.bytes, isLast: frame.isLast });
        break;
      case "end":
        this.#inbox.push({ bytes: undefined, isLast: true });
        break;
      case "credit":
        this.#credit(frame.bytes);
        return;
      default:
        return;
    }
    if (!this.#isReading) this.#read();
  }

  /** Tells the owner at once that it is over, both ways. */
  finish(error: Error | undefined): void {
    this.#isSendOver = true;
    if (!this.#isTold) {
      this.#isTold = true;
      this.#inbox.length = 0;
      this.#receiver?.onEnd(error);
    }
    this.#checkOver();
  }

  /** As {@link finish}, once the code that runs now is through. */
  finishSoon(error: Error | undefined): void {
    this.#isSendOver = true;
    if (!this.#isTold) {
      this.#isTold = true;
      this.#inbox.length = 0;
      const run = (): void => this.#receiver?.onEnd(error);
      this.#options.incarnation.schedule(0, { kind: "net-ended", run });
    }
    this.#checkOver();
  }

  #send(message: Out, isLast: boolean): boolean {
    const { incarnation, output, out, windowBytes, queueBytesMax } = this.#options;
    if (this.#isSendOver || !incarnation.isAlive) return false;
    // The caller may go on using what it handed in, so the network takes a copy.
    const bytes = output.encode(message).slice();
    out.send({ kind: "message", bytes, isLast });
    this.#outstandingBytes += bytes.length;
    if (this.#outstandingBytes < windowBytes) return true;
    if (this.#outstandingBytes > queueBytesMax) {
      incarnation.breach(`a stream's sender queued ${this.#outstandingBytes} bytes and goes on`);
    }
    this.#wantsDrain = true;
    return false;
  }

  #credit(bytes: number): void {
    this.#outstandingBytes -= bytes;
    if (!this.#wantsDrain || this.#outstandingBytes > this.#options.windowBytes / 2) return;
    this.#wantsDrain = false;
    if (!this.#isTold) this.#receiver?.onDrain?.();
  }

  #read(): void {
    const arrival = this.#inbox[0];
    if (arrival === undefined || this.#isPaused || this.#isTold) return;
    this.#inbox.shift();
    if (arrival.bytes !== undefined) this.#consume(arrival.bytes);
    if (arrival.isLast) this.#peerEnded();
    else if (this.#inbox.length > 0) this.#readSoon();
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

  #consume(bytes: Uint8Array): void {
    const { input, out, windowBytes } = this.#options;
    this.#consumedBytes += bytes.length;
    if (this.#consumedBytes >= windowBytes / 4) {
      out.send({ kind: "credit", bytes: this.#consumedBytes });
      this.#consumedBytes = 0;
    }
    this.#receiver?.onMessage(input.decode(bytes));
  }

  #peerEnded(): void {
    if (this.#isTold || !this.#options.tellsHalfClose) return;
    this.#isTold = true;
    this.#receiver?.onEnd(undefined);
    this.#checkOver();
  }

  #checkOver(): void {
    if (this.isOver) this.#options.onOver();
  }
}
