import type { Listener, RpcRoute, Transport } from "@strandline/platform";
import {
  type ServedPeer,
  type TransportWorld,
  transportSuite,
} from "@strandline/rpc/transport-suite";
import type { NodePorts } from "../node-ports.js";
import { World } from "../world.js";

const CLIENTS = 8;
const HOST = "server";

/** Longest that a promise of the suite is waited for. Virtual milliseconds. */
const SETTLE_MS = 120_000;

/** The suite's world on the simulated network: one machine that serves, and several that call. */
class SimTransportWorld implements TransportWorld {
  readonly #world: World;
  readonly #ports = new Map<string, NodePorts>();
  #transportCount = 0;
  #isRunning = false;

  constructor(seed: number) {
    // The suite makes handlers fail on purpose, which is a finding anywhere else.
    this.#world = new World({ seed, stopsAtFinding: false });
  }

  async start(): Promise<void> {
    const nodes = [HOST, ...Array.from({ length: CLIENTS }, (_, at) => `client-${at}`)];
    for (const id of nodes) {
      this.#world.startNode(id, async (ports) => {
        this.#ports.set(id, ports);
        return { close: async () => undefined };
      });
    }
    await this.until(() => this.#ports.size === nodes.length, 1_000);
  }

  transport(): Transport {
    const client = this.#portsOf(`client-${this.#transportCount++}`).newTransport();
    const server = this.#portsOf(HOST).newTransport();
    return {
      call: (...args) => client.call(...args),
      open: (...args) => client.open(...args),
      listen: (...args) => server.listen(...args),
      close: () => client.close(),
    };
  }

  async serve(routes: readonly RpcRoute[], port = 0): Promise<ServedPeer> {
    const listener: Listener = await this.#portsOf(HOST).transport.listen(HOST, port, routes);
    const address = `${HOST}:${listener.port}`;
    const vanish = (): void => this.#world.network.vanish(address);
    return { address, host: HOST, port: listener.port, listener, vanish };
  }

  async settle<Value>(promise: Promise<Value>): Promise<Value> {
    if (this.#isRunning) return promise;
    let isSettled = false;
    const noteSettled = (): void => {
      isSettled = true;
    };
    promise.then(noteSettled, noteSettled);
    await this.until(() => isSettled, SETTLE_MS);
    return promise;
  }

  async until(condition: () => boolean, withinMs: number): Promise<void> {
    this.#isRunning = true;
    const isDone = await this.#world.runUntil(condition, { withinMs });
    this.#isRunning = false;
    if (!isDone) throw new Error(`not within ${withinMs} ms`);
  }

  pass(durationMs: number): Promise<void> {
    return this.settle(new Promise((resolve) => this.#world.after(durationMs, resolve)));
  }

  async close(): Promise<void> {
    for (const id of this.#world.nodeIds) this.#world.crash(id);
  }

  #portsOf(id: string): NodePorts {
    const ports = this.#ports.get(id);
    if (ports === undefined) throw new Error(`no node ${id}`);
    return ports;
  }
}

for (const seed of [1, 2, 3]) {
  transportSuite(`the simulated transport, seed ${seed}`, async () => {
    const world = new SimTransportWorld(seed);
    await world.start();
    return world;
  });
}
