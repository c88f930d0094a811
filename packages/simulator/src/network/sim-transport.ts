/** The `Transport` port of one process on the simulated network. */
import type {
  CallOptions,
  Listener,
  RpcMethod,
  RpcReceiver,
  RpcRoute,
  RpcStream,
  Transport,
} from "@strandline/platform";
import type { Incarnation } from "../incarnation.js";
import type { SimRandom } from "../random.js";
import { SimCall } from "./call.js";
import type { Connection } from "./connection.js";
import type { Network } from "./network.js";
import { transportError } from "./wire-error.js";

/** A failed attempt is not repeated before this much time has passed, growing up to the maximum. */
const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 500;

/** The way to one address: a connection or, after a failure, a wait. */
interface Channel {
  connection: Connection | undefined;
  backoffMs: number;
  notBeforeUs: number;
}

const DEAD_STREAM: RpcStream<never> = {
  send: () => true,
  end: () => undefined,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};

export class SimTransport implements Transport {
  readonly #incarnation: Incarnation;
  readonly #network: Network;
  readonly #random: SimRandom;
  readonly #channels = new Map<string, Channel>();
  #isClosed = false;

  constructor(incarnation: Incarnation, network: Network, random: SimRandom) {
    this.#incarnation = incarnation;
    this.#network = network;
    this.#random = random;
  }

  call<Request, Response>(
    address: string,
    method: RpcMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response> {
    const incarnation = this.#incarnation;
    if (!incarnation.isAlive) return new Promise(() => undefined);
    const { timeoutMs, signal } = options;
    if (signal?.aborted === true) return Promise.reject(transportError("aborted", address));
    return new Promise((resolve, reject) => {
      let response: Response | undefined;
      const timeoutUs = Math.max(1, Math.ceil(timeoutMs * 1000));
      const settle = (error: Error | undefined): void => {
        incarnation.scheduler.cancel(deadline);
        signal?.removeEventListener("abort", onAbort);
        if (error !== undefined) reject(error);
        else if (response === undefined) reject(transportError("broken", address));
        else resolve(response);
      };
      const onMessage = (message: Response): void => {
        response = message;
      };
      const deadlineUs = incarnation.scheduler.nowUs + timeoutUs;
      const receiver = { onMessage, onEnd: settle };
      const call = this.#begin(address, method, { receiver, deadlineUs });
      const deadline = incarnation.schedule(timeoutUs, {
        kind: "net-deadline",
        run: () => call?.client.abort(transportError("timeout", address)),
      });
      const onAbort = (): void => call?.client.abort(transportError("aborted", address));
      signal?.addEventListener("abort", onAbort);
      call?.client.send(request);
    });
  }

  open<Request, Response>(
    address: string,
    method: RpcMethod<Request, Response>,
    receiver: RpcReceiver<Response>,
  ): RpcStream<Request> {
    if (!this.#incarnation.isAlive) return DEAD_STREAM;
    return this.#begin(address, method, { receiver, deadlineUs: undefined })?.client ?? DEAD_STREAM;
  }

  listen(_host: string, port: number, routes: readonly RpcRoute[]): Promise<Listener> {
    const effect = (): Listener => this.#network.listen(this.#incarnation, port, routes);
    return this.#incarnation.operate(1, { kind: "net-listen", effect });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    const effect = (): void => {
      for (const channel of this.#channels.values()) {
        channel.connection?.closeBy("client", "aborted");
      }
    };
    return this.#incarnation.operate(1, { kind: "net-close", effect });
  }

  /** Undefined when it is clear already that the call cannot be made: the receiver hears it. */
  #begin<Request, Response>(
    address: string,
    method: RpcMethod<Request, Response>,
    options: {
      readonly receiver: RpcReceiver<Response>;
      readonly deadlineUs: number | undefined;
    },
  ): SimCall | undefined {
    const connection = this.#connectionTo(address);
    if (typeof connection === "string") {
      const run = (): void => options.receiver.onEnd(transportError(connection, address));
      this.#incarnation.schedule(0, { kind: "net-ended", run });
      return undefined;
    }
    const call = new SimCall({
      connection,
      method: method as RpcMethod<unknown, unknown>,
      receiver: options.receiver as RpcReceiver<unknown>,
      deadlineUs: options.deadlineUs,
    });
    connection.add(call);
    return call;
  }

  /** A connection, or why there is none. */
  #connectionTo(address: string): Connection | "unreachable" {
    if (this.#isClosed) return "unreachable";
    const channel = this.#channelTo(address);
    if (channel.connection?.isUsable === true) return channel.connection;
    if (this.#incarnation.scheduler.nowUs < channel.notBeforeUs) return "unreachable";
    const made = this.#network.connect(this.#incarnation, address, (isUp) => {
      if (channel.connection === made) this.#noteState(channel, isUp);
    });
    channel.connection = made;
    return made;
  }

  #channelTo(address: string): Channel {
    let channel = this.#channels.get(address);
    if (channel === undefined) {
      channel = { connection: undefined, backoffMs: BACKOFF_MS_MIN, notBeforeUs: 0 };
      this.#channels.set(address, channel);
    }
    return channel;
  }

  #noteState(channel: Channel, isUp: boolean): void {
    const { connection } = channel;
    if (isUp || connection?.isUp === true) {
      // One that worked and broke is tried again at once.
      channel.backoffMs = BACKOFF_MS_MIN;
      channel.notBeforeUs = 0;
      return;
    }
    const waitMs = this.#random.between(Math.ceil(channel.backoffMs / 2), channel.backoffMs);
    channel.notBeforeUs = this.#incarnation.scheduler.nowUs + waitMs * 1000;
    channel.backoffMs = Math.min(BACKOFF_MS_MAX, channel.backoffMs * 2);
  }
}
