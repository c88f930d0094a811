/** One stream, seen from the server. */
import { constants } from "node:http2";
import { Metadata, type StatusObject } from "@grpc/grpc-js";
import { assert, BrokerError, MESSAGE_BYTES_MAX } from "@strandline/model";
import {
  type RpcReceiver,
  type RpcRoute,
  type RpcStream,
  release,
  TransportError,
} from "@strandline/platform";
import { ABORTED_STATUS, CLOSING_STATUS, OK_STATUS } from "../errors/call-status.js";
import { lengthOfChunks } from "../wire/wire-writer.js";
import { asBuffer } from "./buffers.js";
import { tooLarge } from "./client-call.js";
import { MessageStream } from "./message-stream.js";
import { type OnWritten, type Pieces, piecesOf, SendQueue } from "./send-queue.js";
import {
  peerOf,
  type RawServerCall,
  type ServerCallContext,
  statusOfFailure,
} from "./server-call.js";
import { http2StreamOf, takeMessages } from "./server-internals.js";

/** Handed to Node at a time: enough that it can gather small messages into one write. */
const IN_FLIGHT_BYTES_MAX = 1024 * 1024;

/** How long data that nobody reads may hold up the status of an aborted stream. */
const ABORT_GRACE_MS = 1000;

/** How long after the end of a caller's messages the reset comes that makes it an abort. */
const RESET_LAG_MS = 10;

/** The part of a call that moves messages. */
type Messages = Pick<MessageStream, "joinInto" | "startRead" | "write" | "stop">;

/** Messages carried by grpc-js, which can also take compressed ones. */
class CarriedMessages implements Messages {
  readonly #call: RawServerCall;

  constructor(call: RawServerCall) {
    this.#call = call;
  }

  joinInto(): void {
    // grpc-js joins them itself.
  }

  startRead(): void {
    this.#call.startRead();
  }

  write(pieces: Pieces, done: OnWritten): void {
    const first = pieces[0];
    const bytes = pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
    this.#call.sendMessage(asBuffer(bytes), () => done());
  }

  stop(): void {
    // grpc-js delivers nothing more by itself.
  }
}

type Status = Pick<StatusObject, "code" | "details"> & Partial<StatusObject>;

export class ServerStream implements RpcStream<never> {
  readonly #context: ServerCallContext;
  readonly #route: RpcRoute;
  readonly #queue: SendQueue;
  /** Where messages go and come from; undefined before the call has begun. */
  #messages: Messages | undefined;
  #receiver: RpcReceiver<never> | undefined;
  #resetTimer: NodeJS.Timeout | undefined;
  #isPaused = false;
  /** A read was asked for, and its message has not come. */
  #isReading = false;
  #hasRequest = false;
  #hasEnded = false;
  /** The status went out, or the peer is gone: nothing is sent or received any more. */
  #isOver = false;
  #wasEndTold = false;

  constructor(context: ServerCallContext, route: RpcRoute) {
    this.#context = context;
    this.#route = route;
    this.#queue = new SendQueue({
      write: (message, done) => this.#messages?.write(message, done),
      inFlightBytesMax: IN_FLIGHT_BYTES_MAX,
      onDrain: () => this.#receiver?.onDrain?.(),
    });
  }

  /** Returns false when the caller had gone before: then nothing else will be called. */
  start(): boolean {
    let hasBegun = false;
    this.#context.call.start({
      onReceiveMetadata: () => {
        hasBegun = true;
        this.#open();
      },
      onReceiveMessage: (bytes: Buffer) => this.#onMessage(bytes),
      onReceiveHalfClose: () => this.#onHalfClose(),
      onCancel: () => this.#onGone(),
    });
    return hasBegun;
  }

  send(message: never, onTaken?: () => void): boolean {
    if (this.#isOver) return true;
    assert(!this.#hasEnded, "a stream sends nothing after its end");
    const pieces = piecesOf(this.#route.method.response, message);
    const sizeBytes = lengthOfChunks(pieces);
    if (sizeBytes <= MESSAGE_BYTES_MAX) return this.#queue.push(pieces, onTaken);
    this.abort(tooLarge(sizeBytes));
    return true;
  }

  end(): void {
    if (this.#isOver || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#queue.whenFlushed(() => {
      this.#isOver = true;
      this.#context.call.sendStatus(OK_STATUS);
    });
  }

  abort(error?: Error): void {
    if (this.#isOver) return;
    const status = error === undefined ? ABORTED_STATUS : statusOfFailure(this.#context, error);
    this.#cut(status, error ?? new TransportError("aborted", "the stream was aborted"));
  }

  /** The server stops. */
  shutDown(): void {
    if (this.#isOver) return;
    this.#cut(CLOSING_STATUS, new TransportError("aborted", "the server closes"));
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#readOn();
  }

  #open(): void {
    const { call } = this.#context;
    // Headers at once: they tell the caller that its stream has arrived.
    call.sendMetadata(new Metadata());
    this.#messages = this.#directMessages() ?? new CarriedMessages(call);
    const stream = this.#route.stream as NonNullable<RpcRoute["stream"]>;
    try {
      this.#receiver = stream(this, peerOf(call));
    } catch (error) {
      this.abort(asError(error));
      return;
    }
    if (this.#receiver.borrows === true) this.#messages.joinInto(this.#context.buffers);
    this.#queue.open();
    this.#readOn();
  }

  /** Past grpc-js, which would copy each message twice. */
  #directMessages(): MessageStream | undefined {
    const stream = takeMessages(this.#context.call);
    if (stream === undefined) return undefined;
    return new MessageStream(stream, {
      onMessage: (bytes) => this.#onMessage(bytes),
      onEnd: () => this.#onHalfClose(),
      onMalformed: (error) => this.abort(error),
    });
  }

  #readOn(): void {
    if (this.#isPaused || this.#isReading || this.#isOver || this.#receiver === undefined) return;
    this.#isReading = true;
    this.#messages?.startRead();
  }

  #onMessage(bytes: Buffer): void {
    this.#isReading = false;
    if (this.#isOver) return;
    try {
      this.#admitMessage();
      this.#receiver?.onMessage(this.#route.method.request.decode(bytes));
    } catch (error) {
      this.abort(asError(error));
      return;
    }
    release(bytes);
    this.#readOn();
  }

  #admitMessage(): void {
    if (this.#route.method.kind === "server-stream" && this.#hasRequest) {
      throw new BrokerError("INVALID_REQUEST", "the method takes one request");
    }
    this.#hasRequest = true;
  }

  #onHalfClose(): void {
    this.#isReading = false;
    if (this.#isOver) return;
    // Node ends a stream before it resets it: an abort arrives as an end with a reset behind it.
    if (this.#route.method.kind === "bidi") setTimeout(() => this.#onLastMessage(), RESET_LAG_MS);
    // A server stream's caller always ends its side; what counts there is when it goes.
    else if (!this.#hasRequest) this.abort(new BrokerError("INVALID_REQUEST", "no request came"));
  }

  #onLastMessage(): void {
    if (this.#isOver || http2StreamOf(this.#context.call)?.closed === true) return;
    this.#tellEnd(undefined);
  }

  /** Comes at every stream's end, after a status of ours too. */
  #onGone(): void {
    clearTimeout(this.#resetTimer);
    const hadEnded = this.#isOver;
    this.#isOver = true;
    this.#messages?.stop();
    this.#queue.drop();
    this.#tellEnd(hadEnded ? undefined : new TransportError("broken", "the caller has gone"));
    this.#context.onOver();
  }

  #cut(status: Status, error: Error): void {
    this.#isOver = true;
    const wasBusy = this.#queue.isBusy;
    this.#queue.drop();
    this.#context.call.sendStatus(status);
    // A status waits behind the data before it, which a caller that stopped reading never takes.
    if (wasBusy) this.#resetTimer = setTimeout(() => this.#reset(), ABORT_GRACE_MS);
    // Later, so that `abort` does not call back into its caller.
    queueMicrotask(() => this.#tellEnd(error));
  }

  #reset(): void {
    http2StreamOf(this.#context.call)?.close(constants.NGHTTP2_CANCEL);
  }

  #tellEnd(error: Error | undefined): void {
    if (this.#wasEndTold) return;
    this.#wasEndTold = true;
    try {
      this.#receiver?.onEnd(error);
    } catch (failure) {
      const { logger, path } = this.#context;
      logger.error({ method: path, error: failure }, "stream receiver failed at its end");
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
