/**
 * A real Apache Kafka with three brokers on loopback, to compare with: behaviour and figures. Needs
 * `java` (17 or newer) and `mvn` on the path; the jars come from Maven's own registry, once, into a
 * cache directory. Nothing of it becomes a part of this project.
 */

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cacheDirectory } from "./cache-directory.mjs";
import { KafkaConnection } from "./kafka-connection.mjs";
import { freePorts } from "./ports.mjs";
import { GivenUp, until } from "./waiting.mjs";

export const KAFKA_VERSION = "4.3.1";
const NODES = [1, 2, 3];
/** What Kafka's own start script gives a broker. */
const JVM = [
  ...["-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"],
  ...["-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"],
  "-Djava.awt.headless=true",
];
const START_MS_MAX = 90_000;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>reference</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka-tools</artifactId>
      <version>${KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;

/** The directory of the jars; fetches them when they are not there yet. */
export function kafkaJars(say = () => undefined) {
  const directory = path.join(cacheDirectory(), `kafka-${KAFKA_VERSION}`);
  if (existsSync(path.join(directory, "libs"))) return path.join(directory, "libs");
  for (const [command, flag] of [
    ["java", "-version"],
    ["mvn", "--version"],
  ]) {
    if (spawnSync(command, [flag]).status === 0) continue;
    throw new Error(`the reference needs \`${command}\` on the path; or name one by its address`);
  }
  say(`fetching Kafka ${KAFKA_VERSION} into ${directory}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, "pom.xml"), POM);
  const partial = path.join(directory, "libs.partial");
  rmSync(partial, { recursive: true, force: true });
  const copy = ["-q", "-B", "dependency:copy-dependencies", `-DoutputDirectory=${partial}`];
  const { status, stdout, stderr } = spawnSync("mvn", copy, { cwd: directory, encoding: "utf8" });
  if (status !== 0) throw new Error(`mvn could not fetch Kafka: ${stdout}${stderr}`);
  if (readdirSync(partial).length === 0) throw new Error("mvn fetched no jars");
  // Whole or not at all: what was interrupted is fetched again.
  renameSync(partial, path.join(directory, "libs"));
  return path.join(directory, "libs");
}

export class KafkaReference {
  nodes = new Map();
  #workspace;
  #jars;
  #extra;
  #clusterId = randomBytes(16).toString("base64url");

  /**
   * Starts three brokers and waits until they serve. `extra`: further lines of server.properties, as
   * an object.
   */
  static async start(workspace, { name = "kafka", extra = {}, say } = {}) {
    const jars = kafkaJars(say);
    const ports = await freePorts(2 * NODES.length);
    const kafka = new KafkaReference(workspace, { name, jars, extra, ports });
    await kafka.startAll();
    return kafka;
  }

  constructor(workspace, { name = "kafka", jars, extra = {}, ports }) {
    this.#workspace = workspace;
    this.#jars = jars;
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

  /** Formats, starts and waits. */
  async startAll() {
    await this.format();
    for (const id of this.nodes.keys()) this.startNode(id);
    await this.untilServing();
  }

  async format() {
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

  #java(flags, level, name, args, options) {
    const log = `-Dorg.slf4j.simpleLogger.defaultLogLevel=${level}`;
    const classes = ["-cp", path.join(this.#jars, "*"), name];
    return this.#workspace.spawn("java", [...flags, log, ...classes, ...args], options);
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
