/** One bound port: takes calls to the routes it was given, and ends them when it closes. */
import net from "node:net";
import {
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerMethodDefinition,
} from "@grpc/grpc-js";
import {
  type BufferPool,
  type Listener,
  type Logger,
  type RpcRoute,
  TransportError,
} from "@strandline/platform";
import { CLOSING_STATUS } from "../errors/call-status.js";
import { identity } from "./buffers.js";
import {
  type ConnectionTimings,
  HEADER_LIST_BYTES_MAX,
  SERVER_WINDOW_BYTES,
  serverOptions,
} from "./channel-options.js";
import type { RawServerCall } from "./server-call.js";
import { boundSessions, followConnections } from "./server-internals.js";
import { ServerStream } from "./server-stream.js";
import { ServerUnaryCall } from "./server-unary-call.js";

export interface GrpcListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly routes: readonly RpcRoute[];
  readonly timings: ConnectionTimings;
  readonly logger: Logger;
  readonly buffers: BufferPool;
}

/** How long running calls may go on once the listener closes. */
const CLOSE_GRACE_MS = 1000;
/** How long the statuses of calls that were cut off may take to get out. */
const LAST_WORDS_MS = 100;

const RPC_TYPES = { unary: "unary", "server-stream": "serverStream", bidi: "bidi" } as const;

/** Takes the place of grpc-js's own handling of a call, which our routes do not use. */
const MUTED = { start: () => undefined };

export class GrpcListener implements Listener {
  readonly #options: GrpcListenerOptions;
  readonly #routes: ReadonlyMap<string, RpcRoute>;
  readonly #server: Server;
  readonly #calls = new Set<ServerStream | ServerUnaryCall>();
  #sockets: ReadonlySet<net.Socket> = new Set();
  #port = 0;
  #closed: Promise<void> | undefined;

  /** Binds the port. Throws a TransportError when it is taken. */
  static async open(options: GrpcListenerOptions): Promise<GrpcListener> {
    const listener = new GrpcListener(options);
    await probe(options.host, options.port);
    listener.#port = await bind(listener.#server, options);
    listener.#sockets = followConnections(listener.#server, SERVER_WINDOW_BYTES);
    return listener;
  }

  private constructor(options: GrpcListenerOptions) {
    this.#options = options;
    this.#routes = new Map(options.routes.map((route) => [route.method.path, route]));
    this.#server = new Server({
      ...serverOptions(options.timings),
      interceptors: [this.#intercept],
    });
    boundSessions(this.#server, {
      windowBytes: SERVER_WINDOW_BYTES,
      headerListBytesMax: HEADER_LIST_BYTES_MAX,
    });
    for (const { method } of options.routes) {
      const type = RPC_TYPES[method.kind];
      this.#server.register(method.path, unused, identity, identity, type);
    }
  }

  get port(): number {
    return this.#port;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  readonly #intercept: ServerInterceptor = (
    method: ServerMethodDefinition<unknown, unknown>,
    call: RawServerCall,
  ) => {
    const route = this.#routes.get(method.path);
    if (route === undefined) return new ServerInterceptingCall(call);
    this.#serve(call, route);
    return new ServerInterceptingCall(call, MUTED);
  };

  #serve(call: RawServerCall, route: RpcRoute): void {
    if (this.#closed !== undefined) {
      call.sendStatus(CLOSING_STATUS);
      return;
    }
    const { logger, buffers } = this.#options;
    const onOver = (): boolean => this.#calls.delete(served);
    const context = { call, path: route.method.path, logger, buffers, onOver };
    const served: ServerStream | ServerUnaryCall =
      route.unary === undefined
        ? new ServerStream(context, route)
        : new ServerUnaryCall(context, route);
    this.#calls.add(served);
    if (!served.start()) this.#calls.delete(served);
  }

  async #close(): Promise<void> {
    // Frees the port at once, and is through when the last call and connection has ended.
    const closed = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    for (const call of this.#calls) if (call instanceof ServerStream) call.shutDown();
    await within(closed, CLOSE_GRACE_MS);
    for (const call of this.#calls) call.shutDown();
    await within(closed, LAST_WORDS_MS);
    // A peer that fell silent never answers the end of its connection.
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Waits for the promise, but not longer than that. */
async function within(promise: Promise<void>, durationMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, durationMs);
  });
  await Promise.race([promise, passed]);
  clearTimeout(timer);
}

function unused(): void {
  // Registered under each route's name, and never called: the interceptor serves the call.
}

/**
 * Asks the operating system whether the port can be had: grpc-js answers that with a text, and
 * prints it.
 */
function probe(host: string, port: number): Promise<void> {
  if (port === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", (error: NodeJS.ErrnoException) => reject(bindError(error, host, port)));
    server.listen({ host, port }, () => server.close(() => resolve()));
  });
}

function bind(server: Server, options: GrpcListenerOptions): Promise<number> {
  const { host, port } = options;
  return new Promise((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure();
    server.bindAsync(addressText(host, port), credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(bindError(error, host, port));
    });
  });
}

function bindError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE" || error.message.includes("EADDRINUSE")) {
    const text = `port ${port} of ${host} is already in use`;
    return new TransportError("address-in-use", text, { cause: error });
  }
  return new Error(`cannot listen on port ${port} of ${host}: ${error.message}`, { cause: error });
}

function addressText(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
