/**
 * One client's connection: cuts frames, starts requests, and sends the answers in the order of the
 * requests. Produce requests overlap each other; any other request starts when everything before it
 * is answered, so that it sees what they did.
 *
 * What a client can make the broker hold is bounded. While requests wait, or their bytes, or
 * answers that the client does not read, no further request starts; once a little of the following
 * ones has come in, the connection is not read any more. A large request needs its share of the
 * memory of all connections before it is read.
 */
import {
  decodeRequest,
  FrameReader,
  ProtocolError,
  type Request,
} from "@strandline/kafka-protocol";
import {
  type BufferPool,
  type ByteConnection,
  type ByteReceiver,
  type Clock,
  Lease,
  type Logger,
  release,
} from "@strandline/platform";
import type { KafkaDispatcher } from "./dispatcher.js";
import type { FrameBudget } from "./frame-budget.js";
import type { KafkaListenerView, KafkaRequestContext } from "./handler.js";

const REQUESTS_MAX = 1_000;
/** Requests that were started and not answered yet. A single one may have more. */
const REQUEST_BYTES_MAX = 64 * 1024 * 1024;
/** What is read ahead of a request that cannot start: enough to notice that the client has gone. */
const AHEAD_BYTES_MAX = 256 * 1024;
/** Frames up to this need no share of the common memory. */
const SMALL_FRAME_BYTES_MAX = 64 * 1024;
/** While others wait for the memory that a frame has, it must come at this rate, after a start. */
const FRAME_BYTES_PER_MS_MIN = 64;
const FRAME_START_MS_MAX = 30_000;

export interface KafkaConnectionParts {
  readonly dispatcher: KafkaDispatcher;
  readonly listener: KafkaListenerView;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Largest request: `socket.request.max.bytes`. */
  readonly frameBytesMax: number;
  readonly budget: FrameBudget;
  /** Memory for large requests and for answers. */
  readonly buffers: BufferPool;
  /** The connection is over. Called once. */
  onClosed(connection: KafkaConnection): void;
}

/** A request that was started, in the order of arrival. */
interface Slot {
  readonly sizeBytes: number;
  /** Of the common memory. */
  readonly shareBytes: number;
  readonly overlaps: boolean;
  isAnswered: boolean;
  pieces: readonly Uint8Array[] | undefined;
  /** Of what the pieces are made of. */
  readonly lease: Lease;
}

export class KafkaConnection implements ByteReceiver {
  readonly #connection: ByteConnection;
  readonly #parts: KafkaConnectionParts;
  readonly #reader: FrameReader;
  readonly #gone = new AbortController();
  readonly #slots: Slot[] = [];
  /** Cut, and not yet allowed to start. */
  #next:
    | {
        readonly request: Request;
        readonly frame: Uint8Array;
        readonly sizeBytes: number;
        readonly shareBytes: number;
      }
    | undefined;
  #requestBytes = 0;
  #aheadBytes = 0;
  /** What the frame that is coming in has, or waits for. */
  #shareBytes = 0;
  #isWaitingForShare = false;
  #shareSinceMs = 0;
  #isPaused = false;
  #isFull = false;
  #isRunning = false;
  #isClosed = false;
  #activeMs: number;

  constructor(connection: ByteConnection, parts: KafkaConnectionParts) {
    this.#connection = connection;
    this.#parts = parts;
    this.#reader = new FrameReader({
      frameBytesMax: parts.frameBytesMax,
      allocate: connection.allocate,
      frames: { take: (length) => parts.buffers.take(length), release },
    });
    this.#activeMs = parts.clock.monotonicMs();
  }

  /** When the client last sent or took bytes, or had a request in work. Monotonic. */
  get activeMs(): number {
    const isWorking = this.#slots.length > 0 && !this.#isFull;
    return isWorking ? this.#parts.clock.monotonicMs() : this.#activeMs;
  }

  /** True for a frame that comes so slowly that those who wait for its memory need not bear it. */
  isStalling(nowMs: number): boolean {
    if (this.#shareBytes === 0 || this.#isWaitingForShare) return false;
    const sinceMs = nowMs - this.#shareSinceMs - FRAME_START_MS_MAX;
    return sinceMs > 0 && this.#aheadBytes < sinceMs * FRAME_BYTES_PER_MS_MIN;
  }

  onData(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#activeMs = this.#parts.clock.monotonicMs();
    this.#reader.pushLent(bytes);
    this.#aheadBytes += bytes.length;
    this.#run();
  }

  onDrain(): void {
    if (this.#isClosed) return;
    this.#activeMs = this.#parts.clock.monotonicMs();
    this.#isFull = false;
    this.#run();
  }

  onEnd(): void {
    this.close();
  }

  /** Ends it at once; answers that are still made are thrown away. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#giveBackAll();
    this.#slots.length = 0;
    this.#next = undefined;
    this.#connection.destroy();
    this.#gone.abort();
    this.#parts.onClosed(this);
  }

  /** Starts what may start. Answers that come at once must not start the next request within. */
  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (!this.#isClosed && this.#mayStart() && this.#take()) this.#start();
      if (!this.#isClosed) this.#brake();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error);
    } finally {
      this.#isRunning = false;
    }
  }

  #mayStart(): boolean {
    return (
      !this.#isWaitingForShare &&
      !this.#isFull &&
      this.#slots.length < REQUESTS_MAX &&
      this.#requestBytes < REQUEST_BYTES_MAX &&
      (this.#slots.at(-1)?.overlaps ?? true)
    );
  }

  /** True when the next request is there, and what runs already allows it to start. */
  #take(): boolean {
    if (this.#next === undefined) {
      const frame = this.#reader.next();
      if (frame === undefined) {
        this.#askForShare(this.#reader.expectedBytes ?? 0);
        return false;
      }
      const sizeBytes = frame.length;
      this.#aheadBytes = Math.max(0, this.#aheadBytes - sizeBytes - 4);
      const shareBytes = this.#shareBytes;
      this.#next = { request: decodeRequest(frame), frame, sizeBytes, shareBytes };
      this.#shareBytes = 0;
    }
    return this.#slots.length === 0 || this.#parts.dispatcher.overlaps(this.#next.request);
  }

  #start(): void {
    const next = this.#next;
    if (next === undefined) return;
    this.#next = undefined;
    const { request, frame, sizeBytes, shareBytes } = next;
    const overlaps = this.#parts.dispatcher.overlaps(request);
    const lease = new Lease(this.#parts.buffers);
    const slot: Slot = {
      sizeBytes,
      shareBytes,
      overlaps,
      isAnswered: false,
      pieces: undefined,
      lease,
    };
    this.#slots.push(slot);
    this.#requestBytes += sizeBytes;
    this.#parts.dispatcher.answer(request, this.#contextOf(request, lease), (error, pieces) => {
      if (this.#isClosed) return;
      if (error !== undefined) {
        this.#fail(request, error);
        return;
      }
      slot.isAnswered = true;
      slot.pieces = pieces;
      if (this.#slots[0] === slot) this.#flush();
    });
    // Other handlers may go on with what they were given.
    if (request.name === "Produce") release(frame);
  }

  #flush(): void {
    let count = 0;
    let shareBytes = 0;
    for (const slot of this.#slots) {
      if (!slot.isAnswered) break;
      count += 1;
      this.#requestBytes -= slot.sizeBytes;
      shareBytes += slot.shareBytes;
      if (slot.pieces !== undefined && !this.#send(slot.pieces, slot.lease)) this.#isFull = true;
    }
    this.#slots.splice(0, count);
    if (shareBytes > 0) this.#parts.budget.giveBack(shareBytes);
    this.#activeMs = this.#parts.clock.monotonicMs();
    this.#run();
  }

  #send(pieces: readonly Uint8Array[], lease: Lease): boolean {
    return this.#connection.write(pieces, () => lease.release());
  }

  /** Stops reading while enough is there that cannot start. */
  #brake(): void {
    const isBlocked = !this.#mayStart() || this.#next !== undefined;
    const isPaused = this.#isWaitingForShare || (isBlocked && this.#aheadBytes >= AHEAD_BYTES_MAX);
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#connection.pause();
    else this.#connection.resume();
  }

  /** The rest of a large frame is read only with a share of the common memory for all of it. */
  #askForShare(frameBytes: number): void {
    if (frameBytes <= SMALL_FRAME_BYTES_MAX || this.#shareBytes > 0) return;
    this.#shareBytes = frameBytes;
    this.#shareSinceMs = this.#parts.clock.monotonicMs();
    this.#isWaitingForShare = !this.#parts.budget.take(frameBytes, this.#onShare);
    if (!this.#isWaitingForShare) this.#reader.makeRoom();
  }

  readonly #onShare = (): void => {
    this.#isWaitingForShare = false;
    this.#shareSinceMs = this.#parts.clock.monotonicMs();
    this.#reader.makeRoom();
    this.#run();
  };

  #giveBackAll(): void {
    const { budget } = this.#parts;
    if (this.#isWaitingForShare) {
      budget.forget(this.#onShare);
      this.#shareBytes = 0;
    }
    let shareBytes = this.#shareBytes + (this.#next?.shareBytes ?? 0);
    for (const slot of this.#slots) shareBytes += slot.shareBytes;
    if (shareBytes > 0) budget.giveBack(shareBytes);
    this.#shareBytes = 0;
  }

  #contextOf(request: Request, lease: Lease): KafkaRequestContext {
    return {
      version: request.version,
      clientId: request.clientId,
      clientHost: this.#connection.remoteHost,
      listener: this.#parts.listener,
      signal: this.#gone.signal,
      lease,
    };
  }

  #fail(request: Request, error: unknown): void {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    this.#parts.logger.error(
      {
        api: request.name,
        version: request.version,
        client: request.clientId,
        error: message,
        stack,
      },
      "a request of the Kafka protocol failed; its connection is closed",
    );
    this.close();
  }

  #refuse(error: ProtocolError): void {
    this.#parts.logger.info(
      { peer: this.#connection.remoteHost, problem: error.problem, error: error.message },
      "bytes that are no request of the Kafka protocol; the connection is closed",
    );
    this.close();
  }
}
