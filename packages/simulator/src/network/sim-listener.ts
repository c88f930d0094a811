/** One bound port of a simulated process: what it serves, and how it closes. */
import { assert } from "@strandline/model";
import type { Listener, RpcRoute } from "@strandline/platform";
import type { Incarnation } from "../incarnation.js";
import type { Connection, ConnectionListener } from "./connection.js";

/** The network as a listener needs it. */
export interface ListenerNetwork {
  unlisten(listener: SimListener): void;
  connectionsTo(listener: ConnectionListener): Connection[];
}

/** How long unary calls may go on once the listener closes, and how long last words may take. */
const CLOSE_GRACE_US = 1_000_000;
const LAST_WORDS_US = 50_000;

export class SimListener implements ConnectionListener, Listener {
  readonly incarnation: Incarnation;
  readonly routes: ReadonlyMap<string, RpcRoute>;
  readonly port: number;
  readonly #network: ListenerNetwork;
  #closed: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(
    network: ListenerNetwork,
    options: {
      readonly incarnation: Incarnation;
      readonly port: number;
      readonly routes: readonly RpcRoute[];
    },
  ) {
    this.#network = network;
    this.incarnation = options.incarnation;
    this.port = options.port;
    this.routes = new Map(options.routes.map((route) => [route.method.path, route]));
    assert(this.routes.size === options.routes.length, "each method is served once");
  }

  get address(): string {
    return `${this.incarnation.node}:${this.port}`;
  }

  get isClosing(): boolean {
    return this.#closed !== undefined;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  onServed(): void {
    if (this.#onIdle !== undefined && this.#isIdle()) this.#onIdle();
  }

  async #close(): Promise<void> {
    const { incarnation } = this;
    if (!incarnation.isAlive) return new Promise(() => undefined);
    this.#network.unlisten(this);
    for (const call of this.#calls()) if (!call.isUnaryInService) call.shutDown();
    if (!this.#isIdle()) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        incarnation.schedule(CLOSE_GRACE_US, { kind: "net-close-grace", run: resolve });
      });
      this.#onIdle = undefined;
      for (const call of this.#calls()) call.shutDown();
    }
    const effect = (): void => {
      for (const connection of this.#network.connectionsTo(this)) {
        connection.closeBy("server", "broken");
      }
    };
    await incarnation.operate(LAST_WORDS_US, { kind: "net-unlisten", effect });
  }

  #isIdle(): boolean {
    return !this.#calls().some((call) => call.isUnaryInService);
  }

  #calls() {
    return this.#network.connectionsTo(this).flatMap((connection) => [...connection.calls]);
  }
}
