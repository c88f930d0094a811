/**
 * One call from a client to a server: a pipe each way, an endpoint at each end, and the rules of
 * who learns what when one of them ends, fails or gives up.
 */
import { assert, BrokerError } from "@strandline/model";
import type {
  MessageCodec,
  RpcMethod,
  RpcPeer,
  RpcReceiver,
  RpcRoute,
  RpcStream,
  TransportError,
} from "@strandline/platform";
import type { SimEvent } from "../event-heap.js";
import { isBug } from "../finding.js";
import type { Incarnation } from "../incarnation.js";
import type { Connection, ConnectionCall, Side } from "./connection.js";
import { Endpoint } from "./endpoint.js";
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
  readonly deadlineUs: number | undefined;
}

export class SimCall implements ConnectionCall {
  readonly client: Endpoint<unknown, unknown>;
  readonly #connection: Connection;
  readonly #method: AnyMethod;
  readonly #up: Pipe;
  readonly #down: Pipe;
  #server: Endpoint<unknown, unknown> | undefined;
  #deadline: SimEvent | undefined;
  /** The server's handler of a unary call is to stop: nobody waits for its answer. */
  #onGone: (() => void) | undefined;

  constructor(start: CallStart) {
    const { connection, method } = start;
    this.#connection = connection;
    this.#method = method;
    this.#up = new Pipe(connection.pathTo("server"), (frame) => this.#atServer(frame));
    this.#down = new Pipe(connection.pathTo("client"), (frame) => this.#atClient(frame));
    this.client = this.#endpoint("client", connection.client, {
      input: method.response,
      output: method.request,
    });
    this.client.receive(start.receiver);
    this.client.onAbort = (error) => this.#clientAborts(error);
    this.#up.send({ kind: "open", path: method.path, deadlineUs: start.deadlineUs });
  }

  flush(extraUs: number): void {
    this.#up.flush(extraUs);
    this.#down.flush(extraUs);
  }

  /** The connection is gone as far as `side` knows. */
  finish(side: Side, error: TransportError): void {
    if (side === "client") {
      this.#down.close();
      this.client.finish(error);
    } else {
      this.#up.close();
      this.#serverGone(error);
    }
  }

  #endpoint(
    side: Side,
    incarnation: Incarnation,
    codecs: { readonly input: MessageCodec<unknown>; readonly output: MessageCodec<unknown> },
  ): Endpoint<unknown, unknown> {
    const { settings } = this.#connection;
    return new Endpoint<unknown, unknown>({
      ...codecs,
      incarnation,
      windowBytes: settings.streamWindowBytes,
      queueBytesMax: settings.streamQueueBytesMax,
      out: side === "client" ? this.#up : this.#down,
      tellsHalfClose: side === "client" || this.#method.kind !== "server-stream",
      endsCall: side === "server",
      onOver: () => this.#checkOver(),
    });
  }

  #atClient(frame: Frame): void {
    if (frame.kind === "failure") {
      this.client.finish(fromWire(frame.error, this.#connection.address));
      return;
    }
    this.client.arrived(frame);
    const isLast = frame.kind === "end" || (frame.kind === "message" && frame.isLast);
    // The status is the end of the call, whether or not the client had more to say.
    if (isLast) this.client.stopSending();
  }

  #atServer(frame: Frame): void {
    if (frame.kind === "open") this.#accept(frame.path, frame.deadlineUs);
    else if (frame.kind === "cancel") this.#serverGone(this.#error("aborted"));
    else this.#server?.arrived(frame);
  }

  #clientAborts(error: Error | undefined): void {
    this.#down.close();
    this.#up.sendInstead({ kind: "cancel" });
    this.client.finishSoon(error ?? this.#error("aborted"));
  }

  #serverGone(error: TransportError): void {
    this.#onGone?.();
    this.#server?.finish(error);
    this.#dropDeadline();
  }

  #accept(path: string, deadlineUs: number | undefined): void {
    const { server, peer } = this.#connection;
    const endpoint = this.#endpoint("server", server, {
      input: this.#method.request,
      output: this.#method.response,
    });
    this.#server = endpoint;
    endpoint.onAbort = (error) => this.#serverFails(endpoint, error);
    const route = this.#connection.routeOf(path);
    if (route === undefined) {
      endpoint.receive({ onMessage: () => undefined, onEnd: () => undefined });
      endpoint.abort(new BrokerError("UNSUPPORTED_VERSION", `there is no method ${path} here`));
      return;
    }
    const receiver = this.#receiverOf(route, endpoint, peer);
    if (receiver !== undefined) endpoint.receive(receiver);
    if (deadlineUs !== undefined && this.#onGone !== undefined) {
      const delayUs = Math.max(0, deadlineUs - server.scheduler.nowUs);
      const run = (): void => this.#serverGone(this.#error("timeout"));
      this.#deadline = server.schedule(delayUs, { kind: "net-server-deadline", run });
    }
  }

  #receiverOf(
    route: RpcRoute,
    endpoint: Endpoint<unknown, unknown>,
    peer: RpcPeer,
  ): RpcReceiver<unknown> | undefined {
    if (route.unary !== undefined) {
      return this.#unaryReceiver(route.unary as unknown as UnaryHandler, endpoint, peer);
    }
    assert(route.stream !== undefined, "a route has a handler");
    try {
      return (route.stream as unknown as StreamHandler)(endpoint, peer);
    } catch (error) {
      endpoint.receive({ onMessage: () => undefined, onEnd: () => undefined });
      endpoint.abort(asError(error));
      return undefined;
    }
  }

  #unaryReceiver(
    handler: UnaryHandler,
    endpoint: Endpoint<unknown, unknown>,
    peer: RpcPeer,
  ): RpcReceiver<unknown> {
    const controller = new AbortController();
    this.#onGone = () => controller.abort();
    return {
      onMessage: (request) => {
        this.#answer(handler, { request, peer, signal: controller.signal })
          .then((response) => endpoint.sendLast(response))
          .catch((error: unknown) => endpoint.abort(asError(error)))
          .finally(() => this.#dropDeadline());
      },
      onEnd: () => undefined,
    };
  }

  /** Turns a handler that throws before its first await into one that rejects. */
  async #answer(
    handler: UnaryHandler,
    call: { readonly request: unknown; readonly peer: RpcPeer; readonly signal: AbortSignal },
  ): Promise<unknown> {
    return handler(call.request, call.peer, call.signal);
  }

  #serverFails(endpoint: Endpoint<unknown, unknown>, error: Error | undefined): void {
    if (error !== undefined && isBug(error)) this.#connection.server.bug(error);
    endpoint.close({ kind: "failure", error: toWire(error) }, error ?? this.#error("aborted"));
  }

  #dropDeadline(): void {
    if (this.#deadline === undefined) return;
    this.#connection.server.scheduler.cancel(this.#deadline);
    this.#deadline = undefined;
  }

  #checkOver(): void {
    const isServerOver = this.#server === undefined || this.#server.isOver;
    if (this.client.isOver && isServerOver) this.#connection.remove(this);
  }

  #error(reason: TransportError["reason"]): TransportError {
    return transportError(reason, this.#connection.address);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
