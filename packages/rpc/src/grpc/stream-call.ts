/**
 * The gRPC protocol of one outgoing stream, straight on HTTP/2: headers, messages, status. Says how
 * the stream ended, exactly once.
 *
 * Streams carry the data of the log, so they are worth a path of their own; unary calls go through
 * grpc-js.
 */
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";
import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { type BufferPool, TransportError } from "@strandline/platform";
import { errorOfStatus } from "../errors/call-status.js";
import type { Http2Sessions, SessionStream } from "./http2-sessions.js";
import { MessageStream } from "./message-stream.js";
import type { OnWritten } from "./send-queue.js";

export interface StreamCallListener {
  /** The peer has taken the stream. */
  onOpen(): void;
  onMessage(bytes: Buffer): void;
  /** Without an error the status was success. Nothing comes after. */
  onOver(error: Error | undefined): void;
}

export class StreamCall {
  readonly #address: string;
  readonly #request: SessionStream;
  readonly #stream: ClientHttp2Stream;
  readonly #messages: MessageStream;
  readonly #listener: StreamCallListener;
  #status: StatusObject | undefined;
  #cause: Error | undefined;
  #isOver = false;

  /** Throws when no stream can be begun. */
  constructor(
    target: { readonly sessions: Http2Sessions; readonly address: string; readonly path: string },
    listener: StreamCallListener,
  ) {
    this.#address = target.address;
    this.#listener = listener;
    this.#request = target.sessions.request(target.address, target.path);
    this.#stream = this.#request.stream;
    this.#messages = new MessageStream(this.#stream, {
      onMessage: (bytes) => listener.onMessage(bytes),
      onEnd: () => {
        if (this.#status !== undefined) this.#finish(undefined);
      },
      onMalformed: (cause) => {
        const text = `${target.address} sent a malformed message`;
        this.#finish(new TransportError("broken", text, { cause }));
        this.cancel();
      },
    });
    this.#stream.on("response", (headers, flags) => this.#onResponse(headers, flags));
    this.#stream.on("trailers", (headers) => this.#onStatus(headers));
    this.#stream.on("error", (error: Error) => {
      this.#cause ??= error;
    });
    this.#stream.once("close", () => this.#onClose());
  }

  /** As {@link MessageStream.joinInto}. */
  joinInto(pool: BufferPool): void {
    this.#messages.joinInto(pool);
  }

  startRead(): void {
    this.#messages.startRead();
  }

  write(pieces: readonly Uint8Array[], done: OnWritten): void {
    this.#messages.write(pieces, done);
  }

  halfClose(): void {
    this.#stream.end();
  }

  /** Ends the stream at once, both ways. The listener hears nothing of it. */
  cancel(): void {
    this.#isOver = true;
    this.#messages.stop();
    this.#stream.close(constants.NGHTTP2_CANCEL);
    // Data that was not read holds up the end of a stream.
    this.#stream.resume();
  }

  #onResponse(headers: IncomingHttpHeaders, flags: number): void {
    const code = headers[constants.HTTP2_HEADER_STATUS] as unknown as number;
    if (code !== constants.HTTP_STATUS_OK) {
      const text = `${this.#address} broke off: it answered with HTTP status ${code}`;
      this.#finish(new TransportError("broken", text));
      this.cancel();
    } else if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
      this.#onStatus(headers);
    } else if (!this.#isOver) {
      this.#listener.onOpen();
    }
  }

  /** A failure is told at once, success after the last message. */
  #onStatus(headers: IncomingHttpHeaders): void {
    const ended = statusOf(headers);
    this.#status = ended;
    if (ended.code === status.OK) return;
    this.#finish(errorOfStatus(ended, this.#address));
    this.#stream.resume();
  }

  /** Comes last, and alone when the stream or its connection broke. */
  #onClose(): void {
    if (this.#isOver) return;
    if (this.#status?.code === status.OK && this.#stream.rstCode === constants.NGHTTP2_NO_ERROR) {
      // Nothing more will come, but what came may not have been taken yet.
      if (this.#stream.readableEnded) return;
    }
    this.#finish(this.#brokenOff());
  }

  #brokenOff(): TransportError {
    const why = this.#cause?.message ?? `the stream was closed (code ${this.#stream.rstCode})`;
    const options = this.#cause === undefined ? undefined : { cause: this.#cause };
    if (this.#request.wasConnected()) {
      return new TransportError("broken", `${this.#address} broke off: ${why}`, options);
    }
    return new TransportError("unreachable", `cannot reach ${this.#address}: ${why}`, options);
  }

  #finish(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#messages.stop();
    this.#listener.onOver(error);
  }
}

function statusOf(headers: IncomingHttpHeaders): StatusObject {
  const code = Number(headers["grpc-status"]);
  const isKnown = Number.isInteger(code) && status[code] !== undefined;
  const details = headers["grpc-message"];
  return {
    code: isKnown ? code : status.UNKNOWN,
    details: typeof details === "string" ? decoded(details) : "",
    metadata: Metadata.fromHttp2Headers(headers),
  };
}

/** Status messages travel percent-encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
