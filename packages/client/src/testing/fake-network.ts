/**
 * A network of fake processes in memory: messages arrive in order after a latency, through the
 * real codecs, and a test may cut streams, lose what is under way, or let nothing come through.
 */
import {
  type CallOptions,
  type Listener,
  type RpcMethod,
  type RpcReceiver,
  type RpcRoute,
  type RpcStream,
  type Timers,
  type Transport,
  TransportError,
} from "@strandline/platform";

export interface FakeHost {
  routes: readonly RpcRoute[];
  /** False: connections are refused, and those there are break. */
  isUp: boolean;
  /** True: nothing arrives and nothing comes back, but nothing breaks either. */
  isSilent: boolean;
}

/** A stream between a client and a host, for a test to cut. */
export interface FakeLink {
  readonly address: string;
  readonly path: string;
  /** Breaks it; what is under way either way is lost. */
  cut(): void;
}

type AnyRoute = {
  readonly method: RpcMethod<unknown, unknown>;
  readonly unary?: (request: unknown, peer: object, signal: AbortSignal) => Promise<unknown>;
  readonly stream?: (stream: RpcStream<unknown>, peer: object) => RpcReceiver<unknown>;
};

const PEER = { address: "client" };

export class FakeNetwork implements Transport {
  readonly hosts = new Map<string, FakeHost>();
  readonly links = new Set<FakeLink>();
  /** One way. Milliseconds. */
  latencyMs = 0;
  readonly #timers: Timers;
  isClosed = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  async call<Request, Response>(
    address: string,
    method: RpcMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response> {
    const bytes = method.request.encode(request);
    const call = this.#answer(address, method, bytes, options.signal);
    return await new Promise<Response>((resolve, reject) => {
      const end = (error: Error): void => {
        timer.cancel();
        options.signal?.removeEventListener("abort", onAbort);
        reject(error);
      };
      const onAbort = (): void => end(new TransportError("aborted", "aborted"));
      const timer = this.#timers.after(options.timeoutMs, () => {
        end(new TransportError("timeout", `${address} did not answer`));
      });
      if (options.signal?.aborted === true) onAbort();
      options.signal?.addEventListener("abort", onAbort, { once: true });
      call.then(
        (response) => {
          timer.cancel();
          options.signal?.removeEventListener("abort", onAbort);
          resolve(method.response.decode(response));
        },
        (error: unknown) => end(error instanceof Error ? error : new Error(String(error))),
      );
    });
  }

  open<Request, Response>(
    address: string,
    method: RpcMethod<Request, Response>,
    receiver: RpcReceiver<Response>,
  ): RpcStream<Request> {
    const link = new StreamLink(this, this.#timers, {
      address,
      method: method as unknown as RpcMethod<unknown, unknown>,
      receiver: receiver as unknown as RpcReceiver<unknown>,
    });
    this.links.add(link);
    link.start();
    return link.clientSide as RpcStream<Request>;
  }

  listen(): Promise<Listener> {
    throw new Error("not for fakes");
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const link of this.links) link.cut();
  }

  /** Takes a host down: its streams break and no new ones can be made. */
  down(address: string): void {
    const host = this.hosts.get(address);
    if (host !== undefined) host.isUp = false;
    for (const link of this.links) if (link.address === address) link.cut();
  }

  up(address: string): void {
    const host = this.hosts.get(address);
    if (host !== undefined) host.isUp = true;
  }

  async delay(): Promise<void> {
    if (this.latencyMs === 0) return;
    await new Promise<void>((resolve) => {
      this.#timers.after(this.latencyMs, resolve);
    });
  }

  routeOf(address: string, path: string): AnyRoute | undefined {
    const host = this.hosts.get(address);
    if (host === undefined || !host.isUp) return undefined;
    return host.routes.find((route) => route.method.path === path) as unknown as AnyRoute;
  }

  async #answer(
    address: string,
    method: RpcMethod<never, never> | { readonly path: string },
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    await this.delay();
    const route = this.routeOf(address, method.path);
    if (route === undefined) throw new TransportError("unreachable", `${address} is not there`);
    if (this.hosts.get(address)?.isSilent === true) return await new Promise(() => undefined);
    const request = route.method.request.decode(bytes);
    const response = await route.unary?.(request, PEER, signal ?? new AbortController().signal);
    await this.delay();
    if (this.hosts.get(address)?.isUp !== true) throw new TransportError("broken", "broken");
    return route.method.response.encode(response);
  }
}

/** Both ends of one stream. */
class StreamLink implements FakeLink {
  readonly address: string;
  readonly path: string;
  readonly clientSide: RpcStream<unknown>;
  readonly #network: FakeNetwork;
  readonly #timers: Timers;
  readonly #method: RpcMethod<unknown, unknown>;
  readonly #receiver: RpcReceiver<unknown>;
  #handler: RpcReceiver<unknown> | undefined;
  #isOver = false;
  #isDeaf = false;
  #isPaused = false;
  /** Answers that wait while the client has paused. */
  #waiting: Uint8Array[] = [];
  #isEnding: { readonly error: Error | undefined } | undefined;

  constructor(
    network: FakeNetwork,
    timers: Timers,
    options: {
      readonly address: string;
      readonly method: RpcMethod<unknown, unknown>;
      readonly receiver: RpcReceiver<unknown>;
    },
  ) {
    this.#network = network;
    this.#timers = timers;
    this.address = options.address;
    this.#method = options.method;
    this.path = this.#method.path;
    this.#receiver = options.receiver;
    this.clientSide = {
      send: (message) => {
        const bytes = this.#method.request.encode(message);
        this.#travel(() => this.#handler?.onMessage(this.#method.request.decode(bytes)));
        return true;
      },
      end: () => this.#travel(() => this.#handler?.onEnd(undefined)),
      abort: () => this.#over(undefined, true),
      pause: () => {
        this.#isPaused = true;
      },
      resume: () => {
        this.#isPaused = false;
        this.#deliver();
        this.#handler?.onDrain?.();
      },
    };
  }

  start(): void {
    this.#travel(() => {
      const route = this.#network.routeOf(this.address, this.path);
      if (route?.stream === undefined) {
        this.#over(new TransportError("unreachable", `${this.address} is not there`), false);
        return;
      }
      this.#handler = route.stream(this.#serverSide(), PEER);
    });
  }

  cut(): void {
    this.#over(new TransportError("broken", `the stream to ${this.address} broke`), false);
  }

  #serverSide(): RpcStream<unknown> {
    return {
      send: (message) => {
        const bytes = this.#method.response.encode(message);
        this.#travel(() => {
          this.#waiting.push(bytes);
          this.#deliver();
        });
        return !this.#isPaused;
      },
      end: () => {
        this.#travel(() => {
          this.#isEnding = { error: undefined };
          this.#deliver();
        });
      },
      abort: (error) => {
        this.#travel(() => {
          this.#isEnding = { error: error ?? new TransportError("broken", "aborted") };
          this.#deliver();
        });
      },
      pause: () => undefined,
      resume: () => undefined,
    };
  }

  /** Runs `arrival` at the other end, later, in order, unless the link is gone by then. */
  #travel(arrival: () => void): void {
    const arrive = (): void => {
      // A stream that lost one message gets no other through: there is no gap in a stream.
      if (this.#network.hosts.get(this.address)?.isSilent === true) this.#isDeaf = true;
      if (!this.#isOver && !this.#isDeaf) arrival();
    };
    if (this.#network.latencyMs > 0) {
      this.#timers.after(this.#network.latencyMs, arrive);
      return;
    }
    Promise.resolve()
      .then(arrive)
      .catch((error: unknown) => {
        throw error;
      });
  }

  #deliver(): void {
    while (!this.#isPaused && !this.#isOver) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) break;
      this.#receiver.onMessage(this.#method.response.decode(bytes));
    }
    if (this.#isEnding !== undefined && this.#waiting.length === 0) {
      this.#over(this.#isEnding.error, false);
    }
  }

  #over(error: Error | undefined, byClient: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#network.links.delete(this);
    this.#handler?.onEnd(new TransportError("broken", "the client has gone"));
    this.#waiting = [];
    if (byClient) return;
    // Never from within a call of the client: a failure arrives after `open` or `send` returned.
    Promise.resolve()
      .then(() => this.#receiver.onEnd(error))
      .catch((failure: unknown) => {
        throw failure;
      });
  }
}
