/** Three nodes as processes of their own, each with ports and a directory that it keeps. */
import { connect } from "@strandline/client";
import { nullLogger } from "@strandline/platform";
import { adminMethods, GrpcTransport } from "@strandline/rpc";
import { startCommand } from "./command.mjs";
import { freePorts } from "./ports.mjs";
import { GivenUp, until } from "./waiting.mjs";

const CALL_MS = 10_000;

export class Cluster {
  nodes = new Map();
  #workspace;
  #execArgv;
  /** Further arguments of every node. */
  #extra;
  #voters;
  #client;
  #transport;

  /** Starts three nodes and waits until all serve; with `isAwaited: false` only starts them. */
  static async start(workspace, options = {}) {
    const cluster = new Cluster(workspace, { ...options, port: await freePorts(9) });
    for (const id of cluster.nodes.keys()) cluster.startNode(id);
    if (options.isAwaited !== false) await cluster.untilHealthy();
    return cluster;
  }

  /** `extra`: further arguments of every node; `settings`: what `--set` takes. At each start. */
  constructor(workspace, options) {
    const { name = "cluster", ids = [1, 2, 3], port, execArgv = () => [] } = options;
    const { extra = [], settings = [] } = options;
    this.#workspace = workspace;
    this.#execArgv = execArgv;
    this.#extra = [...extra, ...settings.flatMap((setting) => ["--set", setting])];
    for (const [at, id] of ids.entries()) {
      this.nodes.set(id, {
        id,
        grpcPort: port + 3 * at,
        peerPort: port + 3 * at + 1,
        kafkaPort: port + 3 * at + 2,
        directory: workspace.newDirectory(`${name}/node-${id}`),
        logFile: workspace.path(name, `node-${id}.log`),
        child: undefined,
      });
    }
    this.#voters = [...this.nodes.values()]
      .map((node) => `${node.id}@127.0.0.1:${node.peerPort}`)
      .join(",");
    workspace.onClose(async () => await this.#client?.close());
    workspace.onClose(async () => await this.#transport?.close());
  }

  /** What `--brokers` takes. */
  get brokers() {
    return this.bootstrap.join(",");
  }

  get bootstrap() {
    return [...this.nodes.values()].map((node) => `127.0.0.1:${node.grpcPort}`);
  }

  /** Where clients of the Kafka protocol find the brokers. */
  get kafkaBootstrap() {
    return [...this.nodes.values()].map((node) => `127.0.0.1:${node.kafkaPort}`);
  }

  get voters() {
    return this.#voters;
  }

  /** For questions about the cluster; scenarios write with clients of their own. */
  get client() {
    this.#client ??= this.connect({ requestTimeoutMs: CALL_MS });
    return this.#client;
  }

  connect(options = {}) {
    const client = connect({ bootstrap: this.bootstrap, clientId: "lab", ...options });
    this.#workspace.onClose(async () => await client.close());
    return client;
  }

  /** For calls that the client has no words for. */
  get transport() {
    this.#transport ??= new GrpcTransport({ logger: nullLogger });
    return this.#transport;
  }

  async call(id, method, request) {
    const address = `127.0.0.1:${this.nodes.get(id).grpcPort}`;
    return await this.transport.call(address, method, request, { timeoutMs: CALL_MS });
  }

  /**
   * Arguments of `strandline` that start a node; `other` replaces single settings. With ports of its
   * own it has no Kafka listener, unless that port is given too.
   */
  startArguments(id, other = {}) {
    const isMoved = other.grpcPort !== undefined;
    const node = { ...this.nodes.get(id), ...(isMoved ? { kafkaPort: "off" } : {}), ...other };
    return [
      ...["broker", "start", "--node-id", String(node.id), "--voters", node.voters ?? this.#voters],
      ...["--data-dir", node.directory],
      ...["--grpc-port", String(node.grpcPort), "--peer-port", String(node.peerPort)],
      ...["--kafka-port", String(node.kafkaPort)],
      ...["--http-port", node.httpPort === undefined ? "off" : String(node.httpPort)],
      ...this.#extra,
    ];
  }

  startNode(id, extra = []) {
    const node = this.nodes.get(id);
    const args = [...this.startArguments(id), ...extra];
    node.child = startCommand(this.#workspace, args, {
      logFile: node.logFile,
      execArgv: this.#execArgv(id),
    });
    return node.child;
  }

  /** Ends a node as a crash does. Resolves when the process is gone. */
  async kill(id) {
    return await this.nodes.get(id).child.kill();
  }

  async stop(id) {
    return await this.nodes.get(id).child.stop();
  }

  get living() {
    return [...this.nodes.values()].filter((node) => node.child?.isAlive === true);
  }

  async describe() {
    return await this.client.admin.describeCluster();
  }

  async partition(topic, partition) {
    const described = await this.client.admin.describeTopic(topic);
    return described.partitions.find((each) => each.partition === partition);
  }

  async leaderOf(topic, partition) {
    return await until(
      `${topic}/${partition} has a leader`,
      async () => {
        const { leaderId } = await this.partition(topic, partition);
        return this.nodes.get(leaderId)?.child.isAlive === true ? leaderId : undefined;
      },
      { timeoutMs: 30_000 },
    );
  }

  async controller() {
    return await until(
      "a living controller is active",
      async () => {
        const { controllerId } = await this.describe();
        return this.nodes.get(controllerId)?.child.isAlive === true ? controllerId : undefined;
      },
      { timeoutMs: 30_000 },
    );
  }

  /** Every node serves, every partition is led and fully replicated. */
  async untilHealthy(timeoutMs = 60_000) {
    await until(
      "the cluster is healthy",
      async () => {
        this.#requireLiving();
        const cluster = await this.describe();
        return (
          cluster.controllerId >= 0 &&
          cluster.nodes.filter((node) => !node.fenced).length >= this.nodes.size &&
          cluster.partitionsWithoutLeader === 0 &&
          cluster.partitionsUnderReplicated === 0
        );
      },
      { timeoutMs },
    );
  }

  /** Node `id` is in sync for every partition of the topic that it keeps. */
  async untilInSync(topic, id, timeoutMs = 60_000) {
    await until(
      `node ${id} is in sync for ${topic}`,
      async () => {
        this.#requireLiving([id]);
        const { partitions } = await this.client.admin.describeTopic(topic);
        const kept = partitions.filter((each) => each.replicas.includes(id));
        return kept.every((each) => each.isr.includes(id));
      },
      { timeoutMs },
    );
  }

  /** Moves leadership by the means there are: the preferred election, or a kill of who leads. */
  async makeLeader(topic, partition, id) {
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const leader = await this.leaderOf(topic, partition);
      if (leader === id) return;
      const { replicas } = await this.partition(topic, partition);
      if (replicas[0] === id) {
        await this.electPreferred(topic, [partition]);
      } else {
        await this.kill(leader);
        await this.leaderOf(topic, partition);
        this.startNode(leader);
        await this.untilInSync(topic, leader);
      }
    }
    throw new Error(`node ${id} did not become the leader of ${topic}/${partition}`);
  }

  /** Asks for the preferred leaders. A partition that has its own already is no error. */
  async electPreferred(topic, partitions) {
    const { id } = this.living[0];
    const answer = await this.call(id, adminMethods.electLeaders, {
      topic,
      partitions,
      unclean: false,
    });
    for (const { partition, error } of answer.results) {
      if (error === undefined || error.code === "ELECTION_NOT_NEEDED") continue;
      throw new Error(`election for ${topic}/${partition}: ${error.message} (${error.code})`);
    }
  }

  #requireLiving(ids = [...this.nodes.keys()]) {
    for (const id of ids) {
      const { child } = this.nodes.get(id);
      if (child.isAlive) continue;
      throw new GivenUp(`node ${id} has ended by itself, saying: ${child.stderr.trim()}`);
    }
  }
}
