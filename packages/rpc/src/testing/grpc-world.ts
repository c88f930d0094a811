/** The transport suite's world for gRPC: real sockets on the loopback interface, real time. */
import { type Logger, nullLogger, type RpcRoute, type Transport } from "@strandline/platform";
import { GrpcTransport } from "../grpc/grpc-transport.js";
import type { ServedPeer, TransportWorld } from "../transport-suite/world.js";
import { CuttableProxy } from "./cuttable-proxy.js";

const HOST = "127.0.0.1";

export async function openGrpcWorld(): Promise<TransportWorld> {
  return new GrpcWorld(nullLogger);
}

class GrpcWorld implements TransportWorld {
  readonly #logger: Logger;
  readonly #closing: (() => Promise<void> | void)[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  transport(): Transport {
    const transport = new GrpcTransport({ logger: this.#logger });
    this.#closing.push(() => transport.close());
    return transport;
  }

  async serve(routes: readonly RpcRoute[], port = 0): Promise<ServedPeer> {
    const listener = await this.transport().listen(HOST, 0, routes);
    const proxy = await CuttableProxy.open(port, listener.port);
    this.#closing.push(() => proxy.cut());
    this.#closing.push(() => listener.close());
    return {
      address: `${HOST}:${proxy.port}`,
      host: HOST,
      port: proxy.port,
      listener,
      vanish: () => proxy.cut(),
    };
  }

  settle<Value>(promise: Promise<Value>): Promise<Value> {
    return promise;
  }

  async until(condition: () => boolean, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms`);
      await this.pass(2);
    }
  }

  pass(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, durationMs);
    });
  }

  async close(): Promise<void> {
    for (const close of this.#closing) await close();
  }
}
