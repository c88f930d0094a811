/**
 * One node of a cluster, put together: data directory, listeners, controller and broker. The only
 * place where the two meet.
 */
import { BROKER_DEFAULTS, Broker } from "@strandline/broker";
import { Controller } from "@strandline/controller";
import type { KafkaListener } from "@strandline/metadata";
import { BrokerError, type ClusterId, nodeId, uuidText } from "@strandline/model";
import {
  BufferPool,
  type ByteListener,
  crc32c,
  type Listener,
  type Logger,
  nodeByteNetwork,
  nodeClock,
  nodeCompressors,
  nodeFileSystem,
  nodeRandom,
  nodeTimers,
  type RpcRoute,
  type Timer,
  TransportError,
} from "@strandline/platform";
import { GrpcTransport, HealthStatus } from "@strandline/rpc";
import { DataDirectory } from "@strandline/storage";
import { CatchingUp } from "./catching-up.js";
import { describedSettings } from "./described-settings.js";
import { type HealthCheck, HealthEndpoint } from "./health-endpoint.js";
import {
  formatHostPort,
  type HostPort,
  type KafkaListenerConfig,
  type NodeConfig,
  nodeConfigProblems,
} from "./node-config.js";

const HEALTH_MS = 100;

/** A start that failed, in words for the operator. */
export class StartError extends Error {
  override readonly name = "StartError";
}

export interface NodeCallbacks {
  readonly logger: Logger;
  /** The node cannot go on; the process should close it and exit with an error. Called once. */
  onFatal(error: Error): void;
}

export class StrandlineNode {
  readonly #config: NodeConfig;
  readonly #callbacks: NodeCallbacks;
  readonly #directory: DataDirectory;
  readonly #peerTransport: GrpcTransport;
  readonly #clientTransport: GrpcTransport;
  readonly #health = new HealthStatus();
  readonly #buffers = new BufferPool();
  readonly #listeners: Listener[] = [];
  readonly #kafkaListeners: { config: KafkaListenerConfig; listener: ByteListener }[] = [];
  readonly #controller: Controller | undefined;
  readonly #broker: Broker | undefined;
  readonly #catchingUp: CatchingUp;
  #endpoint: HealthEndpoint | undefined;
  #addresses = { grpc: "", peer: "" };
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;
  #healthTimer: Timer | undefined;

  private constructor(config: NodeConfig, callbacks: NodeCallbacks, directory: DataDirectory) {
    this.#config = config;
    this.#callbacks = callbacks;
    this.#directory = directory;
    const { logger } = callbacks;
    const buffers = this.#buffers;
    const health = this.#health;
    this.#peerTransport = new GrpcTransport({ logger, followsNames: true, buffers });
    this.#clientTransport = new GrpcTransport({ logger, health, reflection: true, buffers });
    this.#addresses = {
      grpc: config.advertisedGrpc ?? formatHostPort(config.grpc),
      peer: config.advertisedPeer ?? formatHostPort(config.peer),
    };
    this.#catchingUp = new CatchingUp(nodeId(config.nodeId));
    this.#controller = this.#openController();
    this.#broker = config.isBroker ? this.#openBroker() : undefined;
  }

  /**
   * Opens the data directory, listens, and joins the cluster in the background: `isReady` tells
   * when. Throws StartError when the settings, the directory or a port do not allow a start.
   */
  static async start(config: NodeConfig, callbacks: NodeCallbacks): Promise<StrandlineNode> {
    const problems = nodeConfigProblems(config);
    if (problems.length > 0) throw new StartError(problems.join("\n"));
    const directory = await DataDirectory.open(
      { fileSystem: nodeFileSystem, random: nodeRandom, logger: callbacks.logger },
      { path: config.dataDirectory, nodeId: nodeId(config.nodeId) },
    ).catch((error: unknown) => {
      throw new StartError(error instanceof Error ? error.message : String(error), {
        cause: error,
      });
    });
    const node = new StrandlineNode(config, callbacks, directory);
    try {
      await node.#listen();
    } catch (error) {
      await node.close({ handOver: false });
      throw error;
    }
    node.#join();
    return node;
  }

  get nodeId(): number {
    return this.#config.nodeId;
  }

  /** Where clients reach it: "host:port". */
  get grpcAddress(): string {
    return this.#addresses.grpc;
  }

  /** Where nodes reach it: "host:port". */
  get peerAddress(): string {
    return this.#addresses.peer;
  }

  /** Where clients of the Kafka protocol reach it, by listener: what is bound, "host:port". */
  get kafkaAddresses(): ReadonlyMap<string, string> {
    return new Map(
      this.#kafkaListeners.map(({ config, listener }) => [
        config.name,
        formatHostPort({ host: config.host, port: listener.port }),
      ]),
    );
  }

  /** Where `/livez` and `/readyz` are answered: "host:port"; undefined when that is off. */
  get httpAddress(): string | undefined {
    const { http } = this.#config;
    if (http === undefined || this.#endpoint === undefined) return undefined;
    return formatHostPort({ host: http.host, port: this.#endpoint.port });
  }

  get clusterId(): string | undefined {
    return this.#directory.clusterId;
  }

  /** True while clients are served: admitted by the cluster, logs recovered. */
  get isReady(): boolean {
    if (this.#failure !== undefined) return false;
    return this.#broker?.isReady ?? this.#controller?.status.leader !== -1;
  }

  /** What `/livez` answers. A missing peer or quorum is no reason to restart this process. */
  get liveChecks(): HealthCheck[] {
    return [{ name: "process", problem: this.#failure?.message }];
  }

  /** What `/readyz` answers. */
  get readyChecks(): HealthCheck[] {
    const isStopping = this.#closing !== undefined;
    const checks: HealthCheck[] = [
      { name: "process", problem: isStopping ? "is stopping" : this.#failure?.message },
    ];
    if (this.#broker === undefined) {
      const isLed = this.#controller?.status.leader !== -1;
      return [...checks, { name: "quorum", problem: isLed ? undefined : "has no leader" }];
    }
    const isRegistered = this.#broker.brokerEpoch !== undefined;
    const isAdmitted = this.#broker.isReady;
    const missing = isAdmitted
      ? this.#catchingUp.problem(this.#broker.image, nodeClock.monotonicMs())
      : "starts once it is admitted";
    return [
      ...checks,
      { name: "registered", problem: isRegistered ? undefined : "no controller has answered yet" },
      { name: "admitted", problem: isAdmitted ? undefined : "is fenced, or the controller silent" },
      { name: "in-sync", problem: missing },
    ];
  }

  /** True while this node is the active controller. */
  get isActiveController(): boolean {
    return this.#controller?.status.isActive ?? false;
  }

  /** For tests and displays. */
  get broker(): Broker | undefined {
    return this.#broker;
  }

  /**
   * Stops cleanly. With `handOver`, leaderships move to other brokers first. Idempotent.
   */
  async close(options: { readonly handOver: boolean }): Promise<void> {
    this.#closing ??= this.#close(options);
    await this.#closing;
  }

  async #close(options: { readonly handOver: boolean }): Promise<void> {
    this.#healthTimer?.cancel();
    this.#health.set("NOT_SERVING");
    await this.#broker?.close(options);
    const brokerEpoch = this.#broker?.brokerEpoch;
    await this.#controller?.close();
    await Promise.all(this.#listeners.map(async (listener) => await listener.close()));
    await Promise.all([this.#clientTransport.close(), this.#peerTransport.close()]);
    // Only a broker whose logs are all synced and closed may say so.
    const isClean = this.#failure === undefined && brokerEpoch !== undefined;
    await this.#directory.close(isClean ? { cleanShutdownEpoch: brokerEpoch } : {});
    // Last: a process that takes its time to stop is alive, and must not be killed for silence.
    await this.#endpoint?.close();
  }

  #openController(): Controller | undefined {
    const { voters } = this.#config;
    if (!voters.some((voter) => voter.id === this.#config.nodeId)) return undefined;
    const { logger } = this.#callbacks;
    return Controller.open(
      {
        clock: nodeClock,
        timers: nodeTimers,
        random: nodeRandom,
        transport: this.#peerTransport,
        store: this.#directory.raftStore,
        logger: logger.child({ component: "controller" }),
      },
      {
        nodeId: nodeId(this.#config.nodeId),
        directoryId: this.#directory.directoryId,
        clusterId: this.#expectedCluster(),
        voters: voters.map((voter) => ({ id: nodeId(voter.id), address: voter.address })),
        replaceDirectory: this.#config.replaceDirectory,
        onFatal: (error) => this.#fatal(error),
      },
    );
  }

  #openBroker(): Broker {
    const { logger } = this.#callbacks;
    return new Broker(
      {
        clock: nodeClock,
        timers: nodeTimers,
        random: nodeRandom,
        fileSystem: nodeFileSystem,
        checkpoints: this.#directory.checkpoints,
        transport: this.#peerTransport,
        crc32c,
        compressors: nodeCompressors,
        logger: logger.child({ component: "broker" }),
        buffers: this.#buffers,
      },
      {
        ...BROKER_DEFAULTS,
        ...this.#config.broker,
        settings: describedSettings(this.#config),
        nodeId: nodeId(this.#config.nodeId),
        clusterId: this.#expectedCluster(),
        directoryId: this.#directory.directoryId,
        topicsDirectory: this.#directory.topicsPath,
        address: this.#addresses.grpc,
        peerAddress: this.#addresses.peer,
        controllerAddresses: this.#controllersByDistance(),
        rack: this.#config.rack,
        version: this.#config.version,
        incarnationId: uuidText(nodeRandom.bytes(16)),
        cleanShutdownEpoch: this.#directory.cleanShutdownEpoch,
        replaceDirectory: this.#config.replaceDirectory,
      },
      {
        onFatal: (error) => this.#fatal(error),
        onRegistered: () => undefined,
        onCluster: (clusterId) => {
          this.#directory.rememberCluster(clusterId as ClusterId).catch((error: unknown) => {
            this.#fatal(error instanceof Error ? error : new Error(String(error)));
          });
        },
      },
    );
  }

  /** This node's own controller first: metadata then crosses no network. */
  #controllersByDistance(): string[] {
    const own = this.#config.voters.filter((voter) => voter.id === this.#config.nodeId);
    const others = this.#config.voters.filter((voter) => voter.id !== this.#config.nodeId);
    return [...own, ...others].map((voter) => voter.address);
  }

  #expectedCluster(): ClusterId | undefined {
    const configured = this.#config.clusterId as ClusterId | undefined;
    const stored = this.#directory.clusterId;
    if (configured !== undefined && stored !== undefined && configured !== stored) {
      throw new StartError(
        `the data directory belongs to cluster ${stored}, --cluster-id says ${configured}; ` +
          "use the directory of that cluster, or leave the flag out",
      );
    }
    return stored ?? configured;
  }

  async #listen(): Promise<void> {
    const { grpc, peer } = this.#config;
    await this.#openEndpoint();
    const peerRoutes = [...(this.#controller?.routes ?? []), ...(this.#broker?.peerRoutes ?? [])];
    await this.#bind(this.#peerTransport, peer, peerRoutes, "node-to-node", "--peer-port");
    if (this.#broker === undefined) return;
    await this.#bind(this.#clientTransport, grpc, this.#broker.clientRoutes, "gRPC", "--grpc-port");
    for (const listener of this.#config.kafka) await this.#bindKafka(this.#broker, listener);
  }

  async #bindKafka(broker: Broker, config: KafkaListenerConfig): Promise<void> {
    try {
      const listener = await nodeByteNetwork.listen(config.host, config.port, (connection) =>
        broker.kafka.accept(config.name, connection),
      );
      this.#listeners.push(listener);
      this.#kafkaListeners.push({ config, listener });
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      const isInUse = error.reason === "address-in-use";
      throw this.#portRefusal("Kafka", config, isInUse, "--kafka-port", error);
    }
  }

  async #bind(
    transport: GrpcTransport,
    address: HostPort,
    routes: readonly RpcRoute[],
    what: string,
    flag: string,
  ): Promise<void> {
    try {
      this.#listeners.push(await transport.listen(address.host, address.port, routes));
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      throw this.#portRefusal(what, address, error.reason === "address-in-use", flag, error);
    }
  }

  async #openEndpoint(): Promise<void> {
    const { http } = this.#config;
    if (http === undefined) return;
    try {
      this.#endpoint = await HealthEndpoint.open(http.host, http.port, {
        live: () => this.liveChecks,
        ready: () => this.readyChecks,
      });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const isInUse = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      throw this.#portRefusal("HTTP", http, isInUse, "--http-port", error);
    }
  }

  #portRefusal(
    what: string,
    address: HostPort,
    isInUse: boolean,
    flag: string,
    cause: Error,
  ): StartError {
    const reason = isInUse ? "is in use" : `cannot be used: ${cause.message}`;
    return new StartError(
      `the ${what} port of node ${this.#config.nodeId}, ${formatHostPort(address)}, ${reason}; ` +
        `stop what uses it, or choose another with ${flag}`,
      { cause },
    );
  }

  #join(): void {
    this.#controller?.start().catch((error: unknown) => {
      this.#fatal(error instanceof Error ? error : new Error(String(error)));
    });
    this.#broker?.start(
      this.#kafkaListeners.map(({ config, listener }): KafkaListener => {
        const { name, advertised } = config;
        return {
          name,
          ...(advertised ?? boundTo(listener)),
          isAdvertised: advertised !== undefined,
        };
      }),
    );
    this.#followHealth();
  }

  /** The health service says what `isReady` says. */
  #followHealth(): void {
    if (this.#closing !== undefined || this.#failure !== undefined) return;
    this.#health.set(this.isReady ? "SERVING" : "NOT_SERVING");
    this.#healthTimer = nodeTimers.after(HEALTH_MS, () => this.#followHealth());
  }

  #fatal(error: Error): void {
    if (this.#failure !== undefined || this.#closing !== undefined) return;
    this.#failure = error;
    this.#health.set("NOT_SERVING");
    const isRefusal = error instanceof BrokerError;
    this.#callbacks.logger.error(
      { error: error.message, ...(isRefusal ? { code: error.code } : { stack: error.stack }) },
      "this node cannot go on",
    );
    this.#callbacks.onFatal(error);
  }
}

function boundTo({ host, port }: ByteListener): HostPort {
  return { host, port };
}
