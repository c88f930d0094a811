/** One stream, seen from the side that opened it. */
import { assert, MESSAGE_BYTES_MAX } from "@strandline/model";
import {
  type BufferPool,
  type Logger,
  type RpcMethod,
  type RpcReceiver,
  type RpcStream,
  release,
  TransportError,
} from "@strandline/platform";
import { lengthOfChunks } from "../wire/wire-writer.js";
import { tooLarge } from "./client-call.js";
import type { Http2Sessions } from "./http2-sessions.js";
import { piecesOf, SendQueue } from "./send-queue.js";
import { StreamCall } from "./stream-call.js";

export interface ClientStreamOptions<Out, In> {
  readonly target: { readonly sessions: Http2Sessions; readonly address: string };
  readonly method: RpcMethod<Out, In>;
  readonly receiver: RpcReceiver<In>;
  readonly openTimeoutMs: number;
  readonly logger: Logger;
  /** Memory for messages that the receiver borrows. */
  readonly buffers: BufferPool;
}

/** Handed to Node at a time: enough that it can gather small messages into one write. */
const IN_FLIGHT_BYTES_MAX = 1024 * 1024;

export class ClientStream<Out, In> implements RpcStream<Out> {
  readonly #options: ClientStreamOptions<Out, In>;
  readonly #queue: SendQueue;
  #call: StreamCall | undefined;
  #openTimer: NodeJS.Timeout | undefined;
  #isPaused = false;
  /** A read was asked for, and its message has not come. */
  #isReading = false;
  #hasEnded = false;
  /** Nothing but `onEnd` happens any more. */
  #isOver = false;

  constructor(options: ClientStreamOptions<Out, In>) {
    this.#options = options;
    this.#queue = new SendQueue({
      write: (message, done) => this.#call?.write(message, done),
      inFlightBytesMax: IN_FLIGHT_BYTES_MAX,
      onDrain: () => this.#options.receiver.onDrain?.(),
    });
  }

  /** Begins the call. Never throws: what fails is told to the receiver, later. */
  start(): void {
    const { target, method, openTimeoutMs, receiver, buffers } = this.#options;
    try {
      this.#call = new StreamCall(
        { ...target, path: method.path },
        {
          onOpen: () => clearTimeout(this.#openTimer),
          onMessage: (bytes) => this.#onMessage(bytes),
          onOver: (error) => this.#finish(error),
        },
      );
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const text = `cannot reach ${target.address}: ${why}`;
      this.#finish(new TransportError("unreachable", text, { cause }));
      return;
    }
    if (receiver.borrows === true) this.#call.joinInto(buffers);
    this.#openTimer = setTimeout(() => this.#onOpenTimeout(), openTimeoutMs);
    this.#queue.open();
    this.#readOn();
  }

  send(message: Out, onTaken?: () => void): boolean {
    if (this.#isOver) return true;
    assert(!this.#hasEnded, "a stream sends nothing after its end");
    const pieces = piecesOf(this.#options.method.request, message);
    const sizeBytes = lengthOfChunks(pieces);
    if (sizeBytes > MESSAGE_BYTES_MAX) {
      this.abort(tooLarge(sizeBytes));
      return true;
    }
    const isRoom = this.#queue.push(pieces, onTaken);
    // The one request of a server stream is all that goes this way.
    if (this.#options.method.kind === "server-stream") this.end();
    return isRoom;
  }

  end(): void {
    if (this.#isOver || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#queue.whenFlushed(() => this.#call?.halfClose());
  }

  abort(error?: Error): void {
    if (this.#isOver) return;
    const { address } = this.#options.target;
    this.#finish(error ?? new TransportError("aborted", `the stream to ${address} was aborted`));
    this.#call?.cancel();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#readOn();
  }

  #readOn(): void {
    if (this.#isPaused || this.#isReading || this.#isOver) return;
    this.#isReading = true;
    this.#call?.startRead();
  }

  #onMessage(bytes: Buffer): void {
    this.#isReading = false;
    if (this.#isOver) return;
    const { method, receiver, target } = this.#options;
    let message: In;
    try {
      message = method.response.decode(bytes);
    } catch (cause) {
      const text = `${target.address} sent a malformed message`;
      this.abort(new TransportError("broken", text, { cause }));
      return;
    }
    try {
      receiver.onMessage(message);
    } catch (error) {
      this.#onReceiverFailure(error);
      return;
    }
    release(bytes);
    this.#readOn();
  }

  /** The owner of the stream broke down over a message: it gets no more of them. */
  #onReceiverFailure(error: unknown): void {
    const { logger, method, target } = this.#options;
    logger.error({ method: method.path, address: target.address, error }, "stream receiver failed");
    this.abort(error instanceof Error ? error : new Error(String(error)));
  }

  #onOpenTimeout(): void {
    const { target, openTimeoutMs } = this.#options;
    target.sessions.noteTimeout(target.address);
    const text = `${target.address} did not answer a new stream within ${openTimeoutMs} ms`;
    this.abort(new TransportError("unreachable", text));
  }

  #finish(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#openTimer);
    this.#queue.drop();
    // Later, so that neither `open` nor `abort` calls back into its caller.
    queueMicrotask(() => this.#options.receiver.onEnd(error));
  }
}
