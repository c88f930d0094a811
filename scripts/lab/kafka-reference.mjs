/** A real Apache Kafka with three brokers on loopback, to compare with: behaviour and figures. */
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { KafkaConnection } from "./kafka-connection.mjs";
import { kafkaClassPath, kafkaJava } from "./kafka-jars.mjs";
import { freePorts } from "./ports.mjs";
import { GivenUp, until } from "./waiting.mjs";

const NODES = [1, 2, 3];
/** What Kafka's own start script gives a broker. */
const JVM = [
  ...["-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"],
  ...["-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"],
  "-Djava.awt.headless=true",
];
const START_MS_MAX = 90_000;

export class KafkaReference {
  nodes = new Map();
  #workspace;
  #classPath;
  #extra;
  #clusterId = randomBytes(16).toString("base64url");

  /** Starts three brokers and waits until they serve. Options as those of `prepare`. */
  static async start(workspace, options) {
    const kafka = await KafkaReference.prepare(workspace, options);
    for (const id of kafka.nodes.keys()) kafka.startNode(id);
    await kafka.untilServing();
    return kafka;
  }

  /**
   * Three brokers with formatted directories that were never started. `extra`: further lines of
   * server.properties, as an object.
   */
  static async prepare(workspace, { name = "kafka", extra = {}, say } = {}) {
    const classPath = await kafkaClassPath(workspace, say);
    const ports = await freePorts(2 * NODES.length);
    const kafka = new KafkaReference(workspace, { name, classPath, extra, ports });
    await kafka.#format();
    return kafka;
  }

  constructor(workspace, { name, classPath, extra, ports }) {
    this.#workspace = workspace;
    this.#classPath = classPath;
    this.#extra = extra;
    for (const [at, id] of NODES.entries()) {
      this.nodes.set(id, {
        id,
        port: ports + 2 * at,
        controllerPort: ports + 2 * at + 1,
        directory: workspace.newDirectory(`${name}/node-${id}`),
        logFile: workspace.path(name, `node-${id}.log`),
        child: undefined,
      });
    }
  }

  /** Addresses of the brokers, as \`host:port\`. */
  get bootstrap() {
    return [...this.nodes.values()].map(({ port }) => `127.0.0.1:${port}`);
  }

  get living() {
    return [...this.nodes.values()].filter((node) => node.child?.isAlive === true);
  }

  startNode(id) {
    const node = this.nodes.get(id);
    node.child = this.#java(JVM, "warn", "kafka.Kafka", [this.#properties(node)], {
      logFile: node.logFile,
    });
    return node.child;
  }

  /** Every broker answers, and knows the others. */
  async untilServing() {
    await until(
      "Kafka serves",
      async () => {
        for (const { id, port, child } of this.nodes.values()) {
          if (child?.isAlive !== true) {
            throw new GivenUp(`Kafka's broker ${id} ended: ${child?.stderr.slice(-2_000)}`);
          }
          const connection = await KafkaConnection.open({ host: "127.0.0.1", port });
          const outcome = await connection.ask("Metadata", 1, { topics: [] });
          connection.close();
          if (outcome.body?.brokers.length !== this.nodes.size) return false;
        }
        return true;
      },
      { timeoutMs: START_MS_MAX },
    );
  }

  async kill(id) {
    return await this.nodes.get(id).child.kill();
  }

  async stop() {
    await Promise.all(this.living.map(async ({ child }) => await child.kill()));
    for (const { directory } of this.nodes.values()) {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  /** Starts a class of the distribution as a process: its tools, for instance. */
  run(name, args, options) {
    return this.#java(["-Xmx512M", "-XX:+UseSerialGC"], "error", name, args, options);
  }

  async #format() {
    await Promise.all(
      [...this.nodes.values()].map(async (node) => {
        writeFileSync(this.#properties(node), this.#settings(node));
        // One word: an id may begin with a dash, and would pass for an option.
        const clusterId = `--cluster-id=${this.#clusterId}`;
        const options = ["format", clusterId, "-c", this.#properties(node)];
        const child = this.run("kafka.tools.StorageTool", options, { stdout: "collect" });
        const { code } = await child.ended;
        if (code !== 0) throw new Error(`formatting failed: ${child.stdout}${child.stderr}`);
      }),
    );
  }

  #java(flags, level, name, args, options) {
    const [command, ...first] = kafkaJava(this.#classPath, { flags, level });
    return this.#workspace.spawn(command, [...first, name, ...args], options);
  }

  #properties({ directory }) {
    return path.join(path.dirname(directory), `${path.basename(directory)}.properties`);
  }

  #settings(node) {
    const voters = [...this.nodes.values()].map(
      (each) => `${each.id}@127.0.0.1:${each.controllerPort}`,
    );
    const settings = {
      "process.roles": "broker,controller",
      "node.id": node.id,
      "controller.quorum.voters": voters.join(","),
      listeners: `PLAINTEXT://127.0.0.1:${node.port},CONTROLLER://127.0.0.1:${node.controllerPort}`,
      "advertised.listeners": `PLAINTEXT://127.0.0.1:${node.port}`,
      "inter.broker.listener.name": "PLAINTEXT",
      "controller.listener.names": "CONTROLLER",
      "log.dirs": node.directory,
      "offsets.topic.replication.factor": 3,
      "transaction.state.log.replication.factor": 3,
      "transaction.state.log.min.isr": 2,
      "default.replication.factor": 3,
      "min.insync.replicas": 2,
      "group.initial.rebalance.delay.ms": 0,
      "num.partitions": 4,
      ...this.#extra,
    };
    return Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join("");
  }
}
