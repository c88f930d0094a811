/**
 * A real cluster inside the process, for tests: brokers, controllers, disks and gRPC, on ports of
 * the loopback interface that the system chooses.
 *
 *     await using cluster = await startCluster();
 *     const client = cluster.connect();
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type StrandlineClient } from "@strandline/client";
import { type Logger, nullLogger } from "@strandline/platform";
import { BrokerSettings, type NodeConfig, StartError, StrandlineNode } from "@strandline/server";

export interface ClusterOptions {
  /** Nodes, each controller and broker. 3 by default. */
  readonly brokers?: number;
  /** Where data is kept; a directory that `close` removes when left out. */
  readonly dataDirectory?: string;
  /** Broker settings that differ from their defaults. */
  readonly broker?: NodeConfig["broker"];
  readonly logger?: Logger;
  /** How long the cluster may take until every broker is ready. */
  readonly startTimeoutMs?: number;
}

export interface TestCluster extends AsyncDisposable {
  readonly nodes: readonly StrandlineNode[];
  /** gRPC addresses, "host:port" each. */
  readonly bootstrap: readonly string[];
  /** Addresses for clients of the Kafka protocol, "host:port" each. */
  readonly kafkaBootstrap: readonly string[];
  /** A client of this cluster; closed with it. */
  connect(): StrandlineClient;
  /** Stops one node: cleanly, or as a killed process would. */
  stop(index: number, options?: { readonly handOver?: boolean }): Promise<void>;
  /** Starts a stopped node again on its own data and ports. */
  restart(index: number): Promise<void>;
  /** Resolves when every running node is ready. */
  untilReady(): Promise<void>;
  close(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const PORT_ATTEMPTS = 5;
/** gRPC, peers, Kafka. */
const PORTS_PER_BROKER = 3;
const HOST = "127.0.0.1";
/** A test need not wait for members that nobody starts. */
const TEST_SETTINGS = new BrokerSettings(new Map([["group.initial.rebalance.delay.ms", "0"]]));

/** Starts brokers on ephemeral ports. Throws when they are not ready in time. */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const directory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), "strandline-")));
  for (let attempt = 1; ; attempt += 1) {
    const cluster = new InProcessCluster(options, directory, await freePorts(options));
    try {
      await cluster.start();
      return cluster;
    } catch (error) {
      await cluster.close();
      // Someone took a port between our finding and our binding it.
      const isPort = error instanceof StartError && error.message.includes("is in use");
      if (!isPort || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

class InProcessCluster implements TestCluster {
  readonly #options: ClusterOptions;
  readonly #directory: string;
  readonly #configs: readonly NodeConfig[];
  readonly #nodes: (StrandlineNode | undefined)[];
  readonly #clients = new Set<StrandlineClient>();
  #failure: Error | undefined;

  constructor(options: ClusterOptions, directory: string, ports: readonly number[]) {
    this.#options = options;
    this.#directory = directory;
    const count = ports.length / PORTS_PER_BROKER;
    const voters = Array.from({ length: count }, (_, index) => ({
      id: index + 1,
      address: `127.0.0.1:${ports[index * PORTS_PER_BROKER + 1]}`,
    }));
    this.#configs = voters.map(
      (voter, index): NodeConfig => ({
        nodeId: voter.id,
        voters,
        isBroker: true,
        dataDirectory: join(directory, `node-${voter.id}`),
        grpc: { host: HOST, port: ports[index * PORTS_PER_BROKER] as number },
        peer: { host: HOST, port: ports[index * PORTS_PER_BROKER + 1] as number },
        kafka: [
          {
            name: "PLAINTEXT",
            host: HOST,
            port: ports[index * PORTS_PER_BROKER + 2] as number,
            advertised: undefined,
          },
        ],
        http: undefined,
        advertisedGrpc: undefined,
        advertisedPeer: undefined,
        clusterId: undefined,
        rack: "",
        version: "test",
        replaceDirectory: false,
        broker: { settings: TEST_SETTINGS, ...options.broker },
      }),
    );
    this.#nodes = this.#configs.map(() => undefined);
  }

  get nodes(): readonly StrandlineNode[] {
    return this.#nodes.filter((node) => node !== undefined);
  }

  get bootstrap(): readonly string[] {
    return this.#configs.map((config) => `127.0.0.1:${config.grpc.port}`);
  }

  get kafkaBootstrap(): readonly string[] {
    return this.#configs.map(({ kafka }) => `${HOST}:${kafka[0]?.port}`);
  }

  async start(): Promise<void> {
    const starts = await Promise.allSettled(
      this.#configs.map(async (_, index) => await this.#startNode(index)),
    );
    for (const start of starts) if (start.status === "rejected") throw start.reason;
    await this.untilReady();
  }

  connect(): StrandlineClient {
    const client = connect({ bootstrap: [...this.bootstrap] });
    this.#clients.add(client);
    return client;
  }

  async stop(index: number, options: { readonly handOver?: boolean } = {}): Promise<void> {
    const node = this.#nodes[index];
    this.#nodes[index] = undefined;
    await node?.close({ handOver: options.handOver ?? true });
  }

  async restart(index: number): Promise<void> {
    await this.stop(index);
    await this.#startNode(index);
    await this.untilReady();
  }

  async untilReady(): Promise<void> {
    const deadlineMs = performance.now() + (this.#options.startTimeoutMs ?? START_TIMEOUT_MS);
    while (!this.nodes.every((node) => node.isReady)) {
      if (this.#failure !== undefined) throw this.#failure;
      if (performance.now() > deadlineMs) throw new Error("the cluster was not ready in time");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients].map(async (client) => await client.close()));
    this.#clients.clear();
    await Promise.all(this.#nodes.map(async (node) => await node?.close({ handOver: false })));
    this.#nodes.fill(undefined);
    if (this.#options.dataDirectory === undefined) {
      await rm(this.#directory, { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #startNode(index: number): Promise<void> {
    this.#nodes[index] = await StrandlineNode.start(this.#configs[index] as NodeConfig, {
      logger: this.#options.logger ?? nullLogger,
      onFatal: (error) => {
        this.#failure = error;
      },
    });
  }
}

/** Free ports for every broker. They may be taken again before they are bound: the caller retries. */
async function freePorts(options: ClusterOptions): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: (options.brokers ?? 3) * PORTS_PER_BROKER }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(0, "127.0.0.1", resolve);
      });
      return server;
    }),
  );
  return await Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      await new Promise((resolve) => server.close(resolve));
      if (address === null || typeof address === "string") throw new Error("no port was bound");
      return address.port;
    }),
  );
}
