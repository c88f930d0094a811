/**
 * One call from a client to a server: a pipe each way, an endpoint at each end, and the rules of
 * who learns what when one of them ends, fails or gives up. The rules are those of the gRPC adapter
 * and are held to it by the suite that both run.
 */
import { BrokerError } from "@strandline/model";
import type {
  RpcMethod,
  RpcPeer,
  RpcReceiver,
  RpcStream,
  TransportError,
} from "@strandline/platform";
import type { SimEvent } from "../event-heap.js";
import { isBug } from "../finding.js";
import type { Connection, ConnectionCall, Side } from "./connection.js";
import { asError, Endpoint } from "./endpoint.js";
import { type Frame, Pipe } from "./pipe.js";
import { fromWire, toWire, transportError } from "./wire-error.js";

/** Types of messages are the method's business; here they are anything. */
type AnyMethod = RpcMethod<unknown, unknown>;
type UnaryHandler = (request: unknown, peer: RpcPeer, signal: AbortSignal) => Promise<unknown>;
type StreamHandler = (stream: RpcStream<unknown>, peer: RpcPeer) => RpcReceiver<unknown>;

export interface CallStart {
  readonly connection: Connection;
  readonly method: AnyMethod;
  readonly receiver: RpcReceiver<unknown>;
  /** When the caller gives up; undefined for a stream. */
  readonly deadlineUs: number | undefined;
}

/** How long a stream may take to be answered by the peer, the connection included. */
const OPEN_MS_MAX = 10_000;

/** Share of aborted streams whose server sees them end like any other. */
const QUIET_ABORT_CHANCE = 0.05;

const DEAF: RpcReceiver<unknown> = { onMessage: () => undefined, onEnd: () => undefined };

export class SimCall implements ConnectionCall {
  readonly client: Endpoint;
  readonly #connection: Connection;
  readonly #method: AnyMethod;
  readonly #up: Pipe;
  readonly #down: Pipe;
  /** Both ends must agree on these, also when the weather changes before the server has accepted. */
  readonly #windowBytes: number;
  readonly #queueBytesMax: number;
  #server: Endpoint | undefined;
  #openTimer: SimEvent | undefined;
  #deadline: SimEvent | undefined;
  /** Tells the handler of a unary call that nobody waits for its answer. */
  #onGone: (() => void) | undefined;

  constructor(start: CallStart) {
    const { connection, method, deadlineUs } = start;
    this.#connection = connection;
    this.#method = method;
    this.#windowBytes = connection.settings.streamWindowBytes;
    this.#queueBytesMax = connection.settings.streamQueueBytesMax;
    this.#up = new Pipe(connection.pathTo("server"), (frame) => this.#atServer(frame));
    this.#down = new Pipe(connection.pathTo("client"), (frame) => this.#atClient(frame));
    this.client = this.#clientEnd();
    this.client.receive(start.receiver);
    this.#up.send({ kind: "open", path: method.path, deadlineUs });
    if (deadlineUs === undefined) {
      const run = (): void => this.#clientGivesUp(this.#error("unreachable"));
      const what = { kind: "net-open-timeout", run };
      this.#openTimer = connection.client.schedule(OPEN_MS_MAX * 1000, what);
    }
  }

  /** True while a unary call runs in a server that closes: it is let through to its end. */
  get isUnaryInService(): boolean {
    return this.#onGone !== undefined && this.#server?.isOver === false;
  }

  flush(extraUs: number): void {
    this.#up.flush(extraUs);
    this.#down.flush(extraUs);
  }

  /** The connection is gone as far as `side` knows. */
  finish(side: Side, reason: TransportError["reason"]): void {
    if (side === "client") {
      this.#down.close();
      this.client.finish(this.#error(reason));
    } else {
      this.#up.close();
      this.#callerGone(this.#error(reason));
    }
  }

  /** The listener closes: the peer is told so, and the server's half is over. */
  shutDown(): void {
    this.#up.close();
    if (this.#server === undefined) {
      this.#down.send({ kind: "failure", error: { kind: "transport", reason: "broken" } });
      return;
    }
    if (this.#server.isOver) return;
    this.#fail({ kind: "transport", reason: "broken" });
    this.#server.finishSoon(this.#error("aborted"));
    this.#onGone?.();
  }

  #clientEnd(): Endpoint {
    const { client } = this.#connection;
    return new Endpoint({
      incarnation: client,
      input: this.#method.response,
      output: this.#method.request,
      windowBytes: this.#windowBytes,
      queueBytesMax: this.#queueBytesMax,
      out: this.#up,
      // At the client that is the status: the call is over.
      onPeerEnd: () => this.client.finish(undefined),
      sendsOnce: this.#method.kind !== "bidi",
      onEnd: () => undefined,
      onAbort: (error) => this.#clientGivesUp(error ?? this.#error("aborted")),
      onMalformed: (error) => {
        client.bug(error);
        this.#clientGivesUp(this.#error("broken"));
      },
      onOver: () => this.#clientOver(),
    });
  }

  #serverEnd(): Endpoint {
    const { server } = this.#connection;
    const endpoint = new Endpoint({
      incarnation: server,
      input: this.#method.request,
      output: this.#method.response,
      windowBytes: this.#windowBytes,
      queueBytesMax: this.#queueBytesMax,
      out: this.#down,
      // A server stream's caller always ends its side; what counts there is when it goes.
      onPeerEnd: () => {
        if (this.#method.kind === "bidi") endpoint.hearHalfClose();
      },
      sendsOnce: false,
      onEnd: () => endpoint.finishSoon(undefined),
      onAbort: (error) => this.#serverFails(endpoint, error),
      onMalformed: (error) => {
        server.bug(error);
        this.#serverFails(endpoint, new BrokerError("INVALID_REQUEST", "malformed message"));
      },
      onOver: () => this.#serverOver(),
    });
    return endpoint;
  }

  #atClient(frame: Frame): void {
    this.#dropOpenTimer();
    if (frame.kind !== "failure") this.client.arrived(frame);
    else this.client.finish(fromWire(frame.error, this.#connection.address));
  }

  #atServer(frame: Frame): void {
    if (frame.kind === "open") this.#accept(frame.path, frame.deadlineUs);
    else if (frame.kind !== "cancel") this.#server?.arrived(frame);
    else this.#callerGone(frame.isQuiet ? undefined : this.#error("broken"));
  }

  /** Client side: nobody waits for the server any more. */
  #clientGivesUp(error: Error): void {
    this.#down.close();
    const isQuiet =
      this.#method.kind === "bidi" && this.#connection.random.chance(QUIET_ABORT_CHANCE);
    this.#up.sendInstead({ kind: "cancel", isQuiet });
    this.client.finishSoon(error);
  }

  /** Server side: nobody waits for what it does. */
  #callerGone(error: TransportError | undefined): void {
    const server = this.#server;
    if (server === undefined || server.isOver) return;
    server.finish(error);
    this.#onGone?.();
  }

  #serverFails(endpoint: Endpoint, error: Error | undefined): void {
    const { server } = this.#connection;
    if (error !== undefined && isBug(error)) server.bug(error);
    this.#fail(toWire(error));
    endpoint.finishSoon(error ?? this.#error("aborted"));
  }

  /** Ends the call for the client. What was sent before may or may not get there. */
  #fail(error: Extract<Frame, { kind: "failure" }>["error"]): void {
    const frame = { kind: "failure", error } as const;
    if (this.#connection.random.chance(0.5)) this.#down.sendInstead(frame);
    else this.#down.send(frame);
  }

  #accept(path: string, deadlineUs: number | undefined): void {
    const endpoint = this.#serverEnd();
    this.#server = endpoint;
    const { listener, server, peer } = this.#connection;
    const route = listener?.routes.get(path);
    if (listener?.isClosing !== false || route === undefined) {
      endpoint.receive(DEAF);
      if (route !== undefined) this.shutDown();
      else endpoint.abort(new BrokerError("UNSUPPORTED_VERSION", `${path} is not served here`));
      return;
    }
    if (route.unary !== undefined) {
      endpoint.receive(this.#unaryReceiver(route.unary as unknown as UnaryHandler, endpoint));
      const delayUs = Math.max(0, (deadlineUs ?? 0) - server.scheduler.nowUs);
      const run = (): void => this.#callerGone(this.#error("timeout"));
      this.#deadline = server.schedule(delayUs, { kind: "net-server-deadline", run });
      return;
    }
    this.#down.send({ kind: "accepted" });
    try {
      endpoint.receive((route.stream as unknown as StreamHandler)(endpoint, peer));
    } catch (error) {
      endpoint.receive(DEAF);
      endpoint.abort(asError(error));
    }
  }

  #unaryReceiver(handler: UnaryHandler, endpoint: Endpoint): RpcReceiver<unknown> {
    const controller = new AbortController();
    this.#onGone = () => controller.abort();
    // Turns a handler that throws before its first await into one that rejects.
    const answer = async (request: unknown): Promise<unknown> => {
      return handler(request, this.#connection.peer, controller.signal);
    };
    return {
      onMessage: (request) => {
        answer(request)
          .then((response) => endpoint.answer(response))
          .catch((error: unknown) => endpoint.abort(asError(error)));
      },
      onEnd: () => undefined,
    };
  }

  #clientOver(): void {
    this.#dropOpenTimer();
    this.#checkOver();
  }

  #serverOver(): void {
    if (this.#deadline !== undefined) {
      this.#connection.server.scheduler.cancel(this.#deadline);
    }
    this.#checkOver();
    this.#connection.noteServed();
  }

  #checkOver(): void {
    const isServerOver = this.#server === undefined || this.#server.isOver;
    if (this.client.isOver && isServerOver) this.#connection.remove(this);
  }

  #dropOpenTimer(): void {
    if (this.#openTimer === undefined) return;
    this.#connection.client.scheduler.cancel(this.#openTimer);
    this.#openTimer = undefined;
  }

  #error(reason: TransportError["reason"]): TransportError {
    return transportError(reason, this.#connection.address);
  }
}
