/** A cluster as `strandline up` starts it: one process here, whose children are the nodes. */
import { readFileSync } from "node:fs";
import { startCommand } from "./command.mjs";
import { freePorts } from "./ports.mjs";
import { GivenUp, until } from "./waiting.mjs";

const NODES = 3;

export class UpCluster {
  child;
  /** What `--brokers` takes. */
  brokers;
  /** The nodes' processes. */
  nodes = [];
  /** Where it says that data is. */
  directory;
  grpcPort;
  peerPort;
  kafkaPort;
  #workspace;

  /** Starts it and waits until it says that it runs. `extra` goes to the command. */
  static async start(workspace, extra, ports) {
    const cluster = new UpCluster(workspace, extra, ports ?? (await freePorts(3 * NODES)));
    await cluster.untilAnnounced();
    return cluster;
  }

  /** Starts it and waits only until its nodes are processes; they are taken care of from then on. */
  static async launch(workspace, extra) {
    const cluster = new UpCluster(workspace, extra, await freePorts(3 * NODES));
    await until("`strandline up` has started its nodes", () => cluster.#adopt(), { pollMs: 5 });
    return cluster;
  }

  constructor(workspace, extra, port) {
    this.#workspace = workspace;
    this.grpcPort = port;
    this.peerPort = port + NODES;
    this.kafkaPort = port + 2 * NODES;
    this.brokers = Array.from({ length: NODES }, (_, at) => `127.0.0.1:${port + at}`).join(",");
    this.child = startCommand(workspace, [
      ...["up", "--nodes", String(NODES)],
      ...["--grpc-port", String(this.grpcPort), "--peer-port", String(this.peerPort)],
      ...["--kafka-port", String(this.kafkaPort), "--http-port", "off"],
      ...extra,
    ]);
  }

  async untilAnnounced() {
    const { child } = this;
    await until("`strandline up` says that it runs", () => {
      this.#requireLiving();
      return child.stderr.includes("Ctrl-C stops it.");
    });
    this.nodes = [...child.stderr.matchAll(/^ {2}node \d+ .*process (\d+)/gm)].map((match) =>
      this.#workspace.adopt(Number(match[1])),
    );
    this.directory = /data in (.+)$/m.exec(child.stderr)?.[1];
    if (this.nodes.length !== NODES) {
      throw new Error(`\`strandline up\` names ${this.nodes.length} processes instead of ${NODES}`);
    }
  }

  /** As Ctrl-C at a terminal: the nodes are in groups of their own, so only `up` hears it. */
  async interrupt(timeoutMs = 30_000) {
    this.child.signal("SIGINT");
    return await this.child.endedWithin(timeoutMs);
  }

  /** Before it has said anything, the system knows its children: Linux only. */
  #adopt() {
    this.#requireLiving();
    const { pid } = this.child;
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    if (pids.length !== NODES) return false;
    this.nodes = pids.map((each) => this.#workspace.adopt(Number(each)));
    return true;
  }

  #requireLiving() {
    if (this.child.isAlive) return;
    throw new GivenUp(`\`strandline up\` ended: ${this.child.stderr.trim()}`);
  }
}
