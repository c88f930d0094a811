/**
 * The Node adapter of the Transport port: gRPC. Routes of one transport share its options, so a
 * process that serves clients and peers on two ports makes two transports.
 */
import {
  BufferPool,
  type CallOptions,
  type Listener,
  type Logger,
  type RpcMethod,
  type RpcReceiver,
  type RpcRoute,
  type RpcStream,
  type Transport,
} from "@strandline/platform";
import { type ConnectionTimings, DEFAULT_TIMINGS } from "./channel-options.js";
import { Channels } from "./channels.js";
import { callUnary } from "./client-call.js";
import { ClientStream } from "./client-stream.js";
import { GrpcListener } from "./grpc-listener.js";
import { healthRoutes } from "./health-service.js";
import type { HealthStatus } from "./health-status.js";
import { Http2Sessions } from "./http2-sessions.js";
import { reflectionRoutes } from "./reflection-routes.js";

export interface GrpcTransportOptions {
  readonly logger: Logger;
  /** Serves grpc.health.v1 on every listener of this transport, with this status. */
  readonly health?: HealthStatus | undefined;
  /** Serves gRPC reflection, over the public .proto files only. */
  readonly reflection?: boolean | undefined;
  /**
   * Calls and streams go only to whom a name leads now: a connection is dropped once its address is
   * none of the name's. For peers, which are one process each; not for names that many addresses take turns
   * to answer to.
   */
  readonly followsNames?: boolean | undefined;
  readonly timings?: Partial<ConnectionTimings> | undefined;
  /** Memory for messages that a receiver borrows; by default some of its own. */
  readonly buffers?: BufferPool | undefined;
}

export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #timings: ConnectionTimings;
  readonly #buffers: BufferPool;
  /** Of unary calls. */
  readonly #channels: Channels;
  /** Of streams. */
  readonly #sessions: Http2Sessions;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
    this.#timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.#buffers = options.buffers ?? new BufferPool();
    const followsNames = options.followsNames === true;
    this.#channels = new Channels(this.#timings, followsNames);
    this.#sessions = new Http2Sessions(this.#timings, followsNames);
  }

  call<Request, Response>(
    address: string,
    method: RpcMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response> {
    return callUnary({ channels: this.#channels, address }, method, request, options);
  }

  open<Request, Response>(
    address: string,
    method: RpcMethod<Request, Response>,
    receiver: RpcReceiver<Response>,
  ): RpcStream<Request> {
    const stream = new ClientStream<Request, Response>({
      target: { sessions: this.#sessions, address },
      method,
      receiver,
      openTimeoutMs: this.#timings.openTimeoutMs,
      logger: this.#options.logger,
      buffers: this.#buffers,
    });
    stream.start();
    return stream;
  }

  listen(host: string, port: number, routes: readonly RpcRoute[]): Promise<Listener> {
    return GrpcListener.open({
      host,
      port,
      routes: [...routes, ...this.#ownRoutes()],
      timings: this.#timings,
      logger: this.#options.logger,
      buffers: this.#buffers,
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#channels.close(), this.#sessions.close()]);
  }

  /** The services that every server has, whatever it is for. */
  #ownRoutes(): readonly RpcRoute[] {
    const { health, reflection } = this.#options;
    return [
      ...(health === undefined ? [] : healthRoutes(health)),
      ...(reflection === true ? reflectionRoutes() : []),
    ];
  }
}
