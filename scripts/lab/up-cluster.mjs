/** A cluster as `strandline up` starts it: one process here, whose children are the nodes. */
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

  /** Starts it and waits until it says that it runs. `extra` goes to the command. */
  static async start(workspace, extra, ports) {
    const cluster = new UpCluster(workspace, extra, ports ?? (await freePorts(2 * NODES)));
    await cluster.#untilAnnounced(workspace);
    return cluster;
  }

  constructor(workspace, extra, port) {
    this.grpcPort = port;
    this.peerPort = port + NODES;
    this.brokers = Array.from({ length: NODES }, (_, at) => `127.0.0.1:${port + at}`).join(",");
    this.child = startCommand(workspace, [
      ...["up", "--nodes", String(NODES)],
      ...["--grpc-port", String(this.grpcPort), "--peer-port", String(this.peerPort)],
      ...extra,
    ]);
  }

  async #untilAnnounced(workspace) {
    const { child } = this;
    await until("`strandline up` says that it runs", () => {
      if (!child.isAlive) throw new GivenUp(`\`strandline up\` ended: ${child.stderr.trim()}`);
      return child.stderr.includes("Ctrl-C stops it.");
    });
    this.nodes = [...child.stderr.matchAll(/^ {2}node \d+ .*process (\d+)/gm)].map((match) =>
      workspace.adopt(Number(match[1])),
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
}
