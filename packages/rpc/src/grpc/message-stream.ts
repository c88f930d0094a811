/**
 * gRPC messages straight on an HTTP/2 stream: what is written goes out in the pieces it came in, and
 * what arrives is joined at most once. Between grpc-js and the network each message would be copied
 * twice more.
 *
 * Reads are asked for one message at a time, as grpc-js does it.
 */
import type { Http2Stream } from "node:http2";
import { MESSAGE_BYTES_MAX } from "@strandline/model";
import type { BufferPool } from "@strandline/platform";
import { DecodeError } from "../wire/decode-error.js";
import { lengthOfChunks } from "../wire/wire-writer.js";
import { FrameReader } from "./frame-reader.js";
import type { OnWritten } from "./send-queue.js";

const PREFIX_BYTES = 5;
/** Up to this size a copy is cheaper than another piece on its way through the stream. */
const JOINED_BYTES_MAX = 1024;

export interface MessageStreamListener {
  onMessage(bytes: Buffer): void;
  /** The peer sends no more, and every message was delivered. */
  onEnd(): void;
  /** The peer sent what is no message. Nothing is read any more. */
  onMalformed(error: Error): void;
}

export class MessageStream {
  readonly #stream: Http2Stream;
  readonly #listener: MessageStreamListener;
  readonly #frames = new FrameReader(MESSAGE_BYTES_MAX);
  #isWanted = false;
  #isDelivering = false;
  #isCorked = false;
  #hasEnded = false;
  #isOver = false;

  constructor(stream: Http2Stream, listener: MessageStreamListener) {
    this.#stream = stream;
    this.#listener = listener;
    stream.on("data", (chunk: Buffer) => {
      if (this.#isOver) return;
      this.#frames.push(chunk);
      this.#deliver();
    });
    stream.on("end", () => {
      this.#hasEnded = true;
      this.#deliver();
    });
    stream.pause();
  }

  /** From now on whoever is given a message holds the pool's memory in which it may be. */
  joinInto(pool: BufferPool): void {
    this.#frames.joinInto(pool);
  }

  /** Nothing is delivered any more; what still arrives is let pass. */
  stop(): void {
    this.#isOver = true;
  }

  /** Asks for one more message, or the end. */
  startRead(): void {
    if (this.#isWanted || this.#isOver) return;
    this.#isWanted = true;
    if (this.#isDelivering) return;
    if (this.#frames.isInside || this.#hasEnded) process.nextTick(() => this.#deliver());
    this.#stream.resume();
  }

  /** Sends a message. `done` is called when the network has taken it, or broke; it may never be. */
  write(pieces: readonly Uint8Array[], done: OnWritten): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.writableEnded) return;
    this.#cork();
    const length = lengthOfChunks(pieces);
    if (length <= JOINED_BYTES_MAX) {
      stream.write(joined(pieces, length), done);
      return;
    }
    stream.write(prefixOf(length));
    const last = pieces.length - 1;
    for (let at = 0; at < last; at += 1) stream.write(pieces[at]);
    stream.write(pieces[last], done);
  }

  /** What one turn of the event loop writes goes out together. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.#stream.uncork();
    });
  }

  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      this.#deliverWanted();
    } finally {
      this.#isDelivering = false;
    }
    if (!this.#isWanted && !this.#hasEnded && !this.#isOver) this.#stream.pause();
  }

  #deliverWanted(): void {
    while (this.#isWanted && !this.#isOver) {
      let message: Buffer | undefined;
      try {
        message = this.#frames.next();
      } catch (error) {
        this.#isOver = true;
        this.#listener.onMalformed(error as Error);
        return;
      }
      if (message === undefined) break;
      this.#isWanted = false;
      this.#listener.onMessage(message);
    }
    if (!this.#isWanted || !this.#hasEnded || this.#isOver) return;
    this.#isOver = true;
    if (!this.#frames.isInside) this.#listener.onEnd();
    else this.#listener.onMalformed(new DecodeError("the stream ends inside a message"));
  }
}

function prefixOf(length: number): Buffer {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix[0] = 0;
  prefix.writeUInt32BE(length, 1);
  return prefix;
}

/** Prefix and message in one buffer. */
function joined(pieces: readonly Uint8Array[], length: number): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + length);
  bytes[0] = 0;
  bytes.writeUInt32BE(length, 1);
  let at = PREFIX_BYTES;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
