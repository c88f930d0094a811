/**
 * One TCP connection between two processes, shared by all calls from one to the other.
 *
 * While the path is cut in either direction, or one end is stopped, the other cannot tell it from a
 * slow one: both wait for a keepalive to fail. A process that dies leaves a system behind which
 * resets its connections, unless the machine went with it.
 */
import { assert } from "@strandline/model";
import type { RpcPeer, RpcRoute, TransportError } from "@strandline/platform";
import type { Incarnation } from "../incarnation.js";
import type { SimRandom } from "../random.js";
import type { Scheduler } from "../scheduler.js";
import type { NetworkSettings, RangeMs } from "./network-settings.js";
import type { Path } from "./pipe.js";

export type Side = "client" | "server";

export interface ConnectionCall {
  /** The path may be open again: what waits goes out, `extraUs` from now at the earliest. */
  flush(extraUs: number): void;
  /** The connection is gone as far as `side` knows. */
  finish(side: Side, reason: TransportError["reason"]): void;
  /** True while the server works on the answer of a unary call. */
  readonly isUnaryInService: boolean;
  /** The server ends the call because it closes. */
  shutDown(): void;
}

/** Who accepts connections at an address. */
export interface ConnectionListener {
  readonly incarnation: Incarnation;
  readonly routes: ReadonlyMap<string, RpcRoute>;
  /** Calls on connections that are still there are refused. */
  readonly isClosing: boolean;
  /** A call has been served. */
  onServed(): void;
}

/** The network as a connection needs it. */
export interface ConnectionNetwork {
  readonly scheduler: Scheduler;
  readonly settings: NetworkSettings;
  readonly random: SimRandom;
  isBlocked(fromNode: string, toNode: string): boolean;
  /** The machine does not even refuse: it is off. */
  isSilent(node: string): boolean;
  listenerAt(address: string): ConnectionListener | undefined;
  drawLatencyUs(route: { from: string; to: string }, sizeBytes: number): number;
  drop(connection: Connection): void;
}

export interface ConnectionOptions {
  readonly client: Incarnation;
  /** "host:port", the host being the name of a node. */
  readonly address: string;
  readonly host: string;
  /** How the attempt went, told to the client: false also when it broke later. */
  readonly onState: (isUp: boolean) => void;
}

/** A connection attempt that got no answer is repeated, as TCP repeats its first packet. */
const RETRY_MS: RangeMs = [200, 1_000];
const RETRANSMIT_MS: RangeMs = [1, 500];
const RESET_MS: RangeMs = [0, 5];

export class Connection {
  readonly client: Incarnation;
  readonly address: string;
  readonly host: string;
  readonly #network: ConnectionNetwork;
  readonly #onState: (isUp: boolean) => void;
  readonly #calls = new Set<ConnectionCall>();
  /** Sides for which it is over. */
  readonly #closed = { client: false, server: false };
  #listener: ConnectionListener | undefined;
  #giveUpUs = 0;
  #isImpaired = false;
  /** Number of the last change between whole and impaired: outdates keepalives. */
  #review = 0;

  constructor(network: ConnectionNetwork, options: ConnectionOptions) {
    this.#network = network;
    this.client = options.client;
    this.address = options.address;
    this.host = options.host;
    this.#onState = options.onState;
  }

  get settings(): NetworkSettings {
    return this.#network.settings;
  }

  get isUp(): boolean {
    return this.#listener !== undefined;
  }

  /** False once the client knows that it is gone. */
  get isUsable(): boolean {
    return !this.#closed.client;
  }

  get calls(): ReadonlySet<ConnectionCall> {
    return this.#calls;
  }

  get listener(): ConnectionListener | undefined {
    return this.#listener;
  }

  get server(): Incarnation {
    assert(this.#listener !== undefined, "a connection has a server once it is up");
    return this.#listener.incarnation;
  }

  /** The client, as the server sees it. */
  get peer(): RpcPeer {
    return { address: `${this.client.node}:${40_000 + this.client.generation}` };
  }

  get random(): SimRandom {
    return this.#network.random;
  }

  /** A call has been served. */
  noteServed(): void {
    this.#listener?.onServed();
  }

  add(call: ConnectionCall): void {
    this.#calls.add(call);
  }

  remove(call: ConnectionCall): void {
    this.#calls.delete(call);
  }

  /** Begins to connect. */
  start(): void {
    const network = this.#network;
    this.#giveUpUs = network.scheduler.nowUs + this.#drawMsAsUs(network.settings.connectMs);
    const route = { from: this.client.node, to: this.host };
    this.#attemptIn(network.drawLatencyUs(route, 0) + network.drawLatencyUs(route, 0));
  }

  pathTo(side: Side): Path {
    const network = this.#network;
    const from = side === "server" ? this.client.node : this.host;
    const to = side === "server" ? this.host : this.client.node;
    const receiver = (): Incarnation => (side === "server" ? this.server : this.client);
    const isOpen = (): boolean => this.isUp && !network.isBlocked(from, to);
    return {
      scheduler: network.scheduler,
      get receiver() {
        return receiver();
      },
      get isOpen() {
        return isOpen();
      },
      drawLatencyUs: (sizeBytes) => network.drawLatencyUs({ from, to }, sizeBytes),
    };
  }

  /** Something changed about the path or about one of the ends. */
  review(): void {
    if (!this.isUp) return;
    const retransmitUs = this.#drawMsAsUs(RETRANSMIT_MS);
    for (const call of this.#calls) call.flush(retransmitUs);
    const isImpaired = this.#isBlockedAnyhow() || this.#isEndStopped();
    if (isImpaired === this.#isImpaired) {
      if (!isImpaired) this.#tellHalfOpen();
      return;
    }
    this.#isImpaired = isImpaired;
    const review = ++this.#review;
    if (!isImpaired) {
      this.#tellHalfOpen();
      return;
    }
    for (const side of ["client", "server"] as const) {
      const run = (): void => {
        if (this.#review === review) this.#learn(side);
      };
      const delayUs = this.#drawMsAsUs(this.settings.keepaliveMs);
      this.#end(side).schedule(delayUs, { kind: "net-keepalive", run });
    }
  }

  /** The process at one end died. `isSilent`: and nobody is left to say so. */
  processEnded(incarnation: Incarnation, isSilent: boolean): void {
    const sides = (["client", "server"] as const).filter((side) => {
      return this.isUp ? this.#end(side) === incarnation : side === "client";
    });
    for (const side of sides) {
      if (this.#closed[side]) continue;
      this.#closed[side] = true;
      this.#tellOther(side, isSilent);
    }
    this.#dropIfOver();
  }

  /** Fault: both ends see the connection break, each at its own moment. */
  reset(): void {
    for (const side of ["client", "server"] as const) this.#breakSoon(side);
  }

  /** One end closes it on purpose. */
  closeBy(side: Side, reason: TransportError["reason"]): void {
    this.#learn(side, reason);
  }

  #attemptIn(delayUs: number): void {
    this.client.schedule(delayUs, { kind: "net-connect", run: () => this.#attempt() });
  }

  #attempt(): void {
    if (this.#closed.client) return;
    const network = this.#network;
    if (!this.#isBlockedAnyhow() && !network.isSilent(this.host)) {
      const listener = network.listenerAt(this.address);
      if (listener === undefined) this.#learn("client", "unreachable");
      else this.#connected(listener);
      return;
    }
    const leftUs = this.#giveUpUs - network.scheduler.nowUs;
    if (leftUs <= 0) this.#learn("client", "unreachable");
    else this.#attemptIn(Math.min(leftUs, this.#drawMsAsUs(RETRY_MS)));
  }

  #connected(listener: ConnectionListener): void {
    this.#listener = listener;
    this.#onState(true);
    for (const call of this.#calls) call.flush(0);
    this.review();
  }

  /** `side` gets to know that the connection is over. */
  #learn(side: Side, reason: TransportError["reason"] = "broken"): void {
    if (this.#closed[side]) return;
    this.#closed[side] = true;
    const incarnation = this.#end(side);
    for (const call of this.#calls) {
      const run = (): void => call.finish(side, reason);
      incarnation.schedule(0, { kind: "net-broken", run });
    }
    if (side === "client") this.#onState(false);
    this.#tellOther(side, false);
    this.#dropIfOver();
  }

  #tellOther(side: Side, isSilent: boolean): void {
    const other = side === "client" ? "server" : "client";
    if (!this.isUp || this.#closed[other]) return;
    const [from, to] = [this.#end(side).node, this.#end(other).node];
    if (!isSilent && !this.#network.isBlocked(from, to)) {
      this.#breakSoon(other);
      return;
    }
    const delayUs = this.#drawMsAsUs(this.settings.keepaliveMs);
    const run = (): void => this.#learn(other);
    this.#end(other).schedule(delayUs, { kind: "net-keepalive", run });
  }

  #breakSoon(side: Side): void {
    if (!this.isUp && side === "server") return;
    const end = this.#end(side);
    const delayUs = this.#drawMsAsUs(RESET_MS);
    end.schedule(delayUs, { kind: "net-reset", run: () => this.#learn(side) });
  }

  /** One end has given up and the other has not heard of it: its next packet is refused. */
  #tellHalfOpen(): void {
    if (this.#closed.client === this.#closed.server) return;
    this.#breakSoon(this.#closed.client ? "server" : "client");
  }

  #isBlockedAnyhow(): boolean {
    const network = this.#network;
    const { client, host } = this;
    return network.isBlocked(client.node, host) || network.isBlocked(host, client.node);
  }

  #isEndStopped(): boolean {
    if (this.#network.isSilent(this.client.node) || this.#network.isSilent(this.host)) return true;
    return this.client.state === "paused" || this.server.state === "paused";
  }

  #end(side: Side): Incarnation {
    return side === "client" ? this.client : this.server;
  }

  #dropIfOver(): void {
    const isServerOver = !this.isUp || this.#closed.server;
    if (this.#closed.client && isServerOver) this.#network.drop(this);
  }

  #drawMsAsUs([minMs, maxMs]: RangeMs): number {
    return this.#network.random.between(minMs * 1000, maxMs * 1000);
  }
}
