/**
 * The network of a world: who listens where, which connections there are, and in which directions
 * messages vanish.
 */
import { type RpcRoute, TransportError } from "@strandline/platform";
import type { Incarnation } from "../incarnation.js";
import type { SimRandom } from "../random.js";
import type { Scheduler } from "../scheduler.js";
import { Connection, type ConnectionListener, type ConnectionNetwork } from "./connection.js";
import type { NetworkSettings } from "./network-settings.js";
import { SimListener } from "./sim-listener.js";

/** First port handed out when a listener does not mind which. */
const PORT_FIRST = 50_000;

/** Two processes of one machine. Microseconds, one way. */
const LOOPBACK_US: readonly [number, number] = [5, 50];

export class Network implements ConnectionNetwork {
  readonly scheduler: Scheduler;
  /** May be changed while the world runs. */
  readonly settings: NetworkSettings;
  readonly random: SimRandom;
  readonly #listeners = new Map<string, SimListener>();
  readonly #connections = new Set<Connection>();
  /** Directions in which messages vanish: "from>to". */
  readonly #blocked = new Set<string>();
  readonly #silent = new Set<string>();
  #nextPort = PORT_FIRST;

  constructor(scheduler: Scheduler, settings: NetworkSettings, random: SimRandom) {
    this.scheduler = scheduler;
    this.settings = settings;
    this.random = random;
  }

  /** Connections that at least one end takes for alive. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  isBlocked(fromNode: string, toNode: string): boolean {
    if (this.#blocked.size === 0 || fromNode === toNode) return false;
    return this.#blocked.has(`${fromNode}>${toNode}`);
  }

  isSilent(node: string): boolean {
    return this.#silent.has(node);
  }

  /** Messages from one node to the other vanish; the other way they pass. */
  block(fromNode: string, toNode: string): void {
    this.#blocked.add(`${fromNode}>${toNode}`);
    this.reviewAll();
  }

  unblockAll(): void {
    this.#blocked.clear();
    this.reviewAll();
  }

  /** Looks at every connection anew, after something about paths or processes changed. */
  reviewAll(): void {
    for (const connection of this.#connections) connection.review();
  }

  /** Throws a TransportError when the port is taken. */
  listen(incarnation: Incarnation, port: number, routes: readonly RpcRoute[]): SimListener {
    const bound = port === 0 ? this.#nextPort++ : port;
    const address = `${incarnation.node}:${bound}`;
    if (this.#listeners.has(address)) {
      const text = `port ${bound} of ${incarnation.node} is already in use`;
      throw new TransportError("address-in-use", text);
    }
    const listener = new SimListener(this, { incarnation, port: bound, routes });
    this.#listeners.set(address, listener);
    return listener;
  }

  /** Nobody listens there any more. Running calls are the caller's business. */
  unlisten(listener: SimListener): void {
    if (this.#listeners.get(listener.address) === listener) {
      this.#listeners.delete(listener.address);
    }
  }

  connectionsTo(listener: ConnectionListener): Connection[] {
    return [...this.#connections].filter((connection) => connection.listener === listener);
  }

  listenerAt(address: string): ConnectionListener | undefined {
    return this.#listeners.get(address);
  }

  connect(client: Incarnation, address: string, onState: (isUp: boolean) => void): Connection {
    const named = address.slice(0, address.lastIndexOf(":"));
    const port = address.slice(named.length);
    const host = named === "localhost" || named === "127.0.0.1" ? client.node : named;
    const target = { client, host, address: host + port, onState };
    const connection = new Connection(this, target);
    this.#connections.add(connection);
    connection.start();
    return connection;
  }

  drop(connection: Connection): void {
    this.#connections.delete(connection);
  }

  drawLatencyUs({ from, to }: { from: string; to: string }, sizeBytes: number): number {
    const { settings, random } = this;
    if (from === to) return random.between(...LOOPBACK_US);
    const baseUs = random.between(...settings.latencyUs);
    const isDelayed = random.chance(settings.delayChance);
    const delayUs = isDelayed ? random.between(...settings.delayUs) : 0;
    return baseUs + delayUs + Math.ceil(sizeBytes / settings.bytesPerUs);
  }

  /** A process died. `isSilent`: its machine went with it and refuses nothing. */
  processEnded(incarnation: Incarnation, isSilent: boolean): void {
    if (isSilent) this.#silent.add(incarnation.node);
    for (const [address, listener] of this.#listeners) {
      if (listener.incarnation === incarnation) this.#listeners.delete(address);
    }
    for (const connection of this.#connections) {
      if (connection.client === incarnation || connection.listener?.incarnation === incarnation) {
        connection.processEnded(incarnation, isSilent);
      }
    }
  }

  /** The machine is on again. */
  machineStarted(node: string): void {
    if (this.#silent.delete(node)) this.reviewAll();
  }

  /** Fault: a listener is gone, as when its process died, and all connections to it break. */
  vanish(address: string): void {
    const listener = this.#listeners.get(address);
    if (listener === undefined) return;
    this.unlisten(listener);
    for (const connection of this.connectionsTo(listener)) connection.reset();
  }

  /** Fault: one connection that is up breaks. Returns whether there was one. */
  resetOne(random: SimRandom): boolean {
    const up = [...this.#connections].filter((connection) => connection.isUp);
    if (up.length === 0) return false;
    random.pick(up).reset();
    return true;
  }
}
