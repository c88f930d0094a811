/** A small world for the tests of the simulator itself: nodes that talk in JSON. */
import type { MessageCodec, RpcMethod, RpcReceiver, RpcRoute } from "@strandline/platform";
import type { NodePorts } from "../node-ports.js";
import { World, type WorldOptions } from "../world.js";

/** Any value that JSON can say. */
export function jsonCodec<Message>(): MessageCodec<Message> {
  return {
    encode: (message) => new TextEncoder().encode(JSON.stringify(message)),
    decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as Message,
  };
}

export function jsonMethod<Request, Response>(
  name: string,
  kind: RpcMethod<Request, Response>["kind"],
): RpcMethod<Request, Response> {
  return {
    path: `/test.Echo/${name}`,
    kind,
    request: jsonCodec<Request>(),
    response: jsonCodec<Response>(),
  };
}

export const PORT = 9000;
export const askMethod = jsonMethod<number, number>("Ask", "unary");
export const talkMethod = jsonMethod<number, number>("Talk", "bidi");

/** Keeps what a stream is told, and when. Virtual milliseconds. */
export class Heard implements RpcReceiver<number> {
  readonly #nowMs: () => number;
  readonly messages: number[] = [];
  readonly times: number[] = [];
  end: { readonly error: Error | undefined; readonly atMs: number } | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  onMessage(message: number): void {
    this.messages.push(message);
    this.times.push(this.#nowMs());
  }

  onEnd(error: Error | undefined): void {
    this.end = { error, atMs: this.#nowMs() };
  }
}

/** Nodes that run nothing but what a test does with their ports. */
export class EchoWorld {
  readonly world: World;
  readonly #ports = new Map<string, NodePorts>();

  constructor(options: WorldOptions) {
    this.world = new World(options);
  }

  /** Starts a node and waits until it serves `routes`. */
  async start(id: string, routes: readonly RpcRoute[] = []): Promise<NodePorts> {
    let isUp = false;
    this.world.startNode(id, async (ports) => {
      if (routes.length > 0) await ports.transport.listen(ports.host, PORT, routes);
      this.#ports.set(id, ports);
      isUp = true;
      return { close: async () => undefined };
    });
    await this.world.runUntil(() => isUp, { withinMs: 1_000 });
    return this.portsOf(id);
  }

  portsOf(id: string): NodePorts {
    const ports = this.#ports.get(id);
    if (ports === undefined) throw new Error(`node ${id} was not started`);
    return ports;
  }

  heard(): Heard {
    return new Heard(() => this.world.nowMs);
  }

  pass(ms: number): Promise<void> {
    return this.world.run({ untilMs: this.world.nowMs + ms });
  }
}
