/**
 * Calls and streams between processes. The Node adapter is gRPC (package `rpc`); the simulator's
 * is a network that loses, delays and cuts. A handler or a caller sees the same with both.
 *
 * Errors: a handler may throw or answer a `BrokerError`, and the other side receives an equal
 * `BrokerError` (code and message). A connection that could not be made or broke is a
 * `TransportError`. Anything else a handler throws reaches the peer as `UNKNOWN_SERVER_ERROR`
 * without its text.
 */
export interface MessageCodec<Message> {
  /** Exact bytes of the message. The caller may keep and send them without a copy. */
  encode(message: Message): Uint8Array;
  /**
   * The same bytes in pieces that follow each other, large fields uncopied: whoever made them leaves
   * them unchanged from then on. For adapters that can send pieces; a codec need not have it.
   */
  encodePieces?(message: Message): readonly Uint8Array[];
  /** Reads a message; byte fields may be views of `bytes`. Throws on malformed input. */
  decode(bytes: Uint8Array): Message;
}

/** One rpc method. `path` is gRPC's: "/strandline.v1.Log/Produce". */
export interface RpcMethod<Request, Response> {
  readonly path: string;
  /** A unary method has one request and one response; a stream has any number of each. */
  readonly kind: "unary" | "server-stream" | "bidi";
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
}

/** The sending half of a stream, on either side. */
export interface RpcSender<Out> {
  /**
   * Queues a message. False when more than a bounded amount waits for the network: it is queued
   * all the same, but a well-behaved sender stops until `onDrain`. `onTaken`: the message's bytes
   * are not needed any more; not called when the stream ends before.
   */
  send(message: Out, onTaken?: () => void): boolean;
  /** No more messages from this side. On a server stream this ends the call with success. */
  end(): void;
  /** Ends the call at once, both ways. A server's error reaches the client as `onEnd(error)`. */
  abort(error?: Error): void;
}

/** What the owner of a stream is told. `onEnd` is called exactly once, and is the last call. */
export interface RpcReceiver<In> {
  /**
   * True: the bytes of a message are only lent. Whoever uses them after `onMessage` has returned
   * holds them (see `BufferPool`), and takes no others with it.
   */
  readonly borrows?: boolean;
  onMessage(message: In): void;
  /** The sender may go on after `send` returned false. */
  onDrain?(): void;
  /** The peer has sent its last message (client side: also the status was success). */
  onEnd(error: Error | undefined): void;
}

/** A stream as seen by one side: a sender, and a brake on what it receives. */
export interface RpcStream<Out> extends RpcSender<Out> {
  /** Stops `onMessage` soon, which stops the peer by flow control. Idempotent. */
  pause(): void;
  resume(): void;
}

/** Who is calling, for logs and for checks of identity. */
export interface RpcPeer {
  readonly address: string;
}

export interface RpcRoute {
  readonly method: RpcMethod<never, never>;
  readonly unary?: (request: never, peer: RpcPeer, signal: AbortSignal) => Promise<unknown>;
  readonly stream?: (stream: RpcStream<never>, peer: RpcPeer) => RpcReceiver<never>;
}

/** A route for a unary method. `signal` aborts when the caller has gone or its deadline passed. */
export function unaryRoute<Request, Response>(
  method: RpcMethod<Request, Response>,
  handler: (request: Request, peer: RpcPeer, signal: AbortSignal) => Promise<Response>,
): RpcRoute {
  return { method, unary: handler } as unknown as RpcRoute;
}

/**
 * A route for a server-stream or bidi method: called once per stream. For a server stream the
 * request arrives as the only message, followed by `onEnd`'s half close only when the caller goes.
 */
export function streamRoute<Request, Response>(
  method: RpcMethod<Request, Response>,
  handler: (stream: RpcStream<Response>, peer: RpcPeer) => RpcReceiver<Request>,
): RpcRoute {
  return { method, stream: handler } as unknown as RpcRoute;
}

export interface CallOptions {
  /** Every call has a deadline. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Listener {
  /** The port that was bound: the asked one, or the one chosen when 0 was asked. */
  readonly port: number;
  /** Refuses new calls, ends running streams with UNAVAILABLE, frees the port. Idempotent. */
  close(): Promise<void>;
}

export interface Transport {
  /** Calls a unary method of the process at `address` ("host:port"). */
  call<Request, Response>(
    address: string,
    method: RpcMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response>;
  /** Opens a stream. Never throws: a failure arrives as `onEnd`, after this returned. */
  open<Request, Response>(
    address: string,
    method: RpcMethod<Request, Response>,
    receiver: RpcReceiver<Response>,
  ): RpcStream<Request>;
  /** Serves `routes`. Fails with `TransportError` ("address in use") when the port is taken. */
  listen(host: string, port: number, routes: readonly RpcRoute[]): Promise<Listener>;
  /** Closes every connection this transport made. */
  close(): Promise<void>;
}

/** The connection failed, broke, or the deadline passed: whether the peer acted is unknown. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly reason: "unreachable" | "broken" | "timeout" | "aborted" | "address-in-use";

  constructor(reason: TransportError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
