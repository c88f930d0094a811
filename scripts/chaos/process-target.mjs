/** Brokers as processes on this machine, started by this run. */
import { readFileSync } from "node:fs";
import { Cluster } from "../lab/cluster.mjs";
import { Workspace } from "../lab/workspace.mjs";

const LINES_MAX = 20;

export class ProcessTarget {
  name = "processes";
  /** Called with the id of a broker that ended without being asked. */
  onOwnEnd = () => undefined;
  #workspace = new Workspace();
  #cluster;
  #killed = new Set();

  static async open() {
    const target = new ProcessTarget();
    try {
      target.#cluster = await Cluster.start(target.#workspace);
    } catch (error) {
      await target.close({ isKept: false });
      throw error;
    }
    for (const id of target.ids) target.#watch(id);
    return target;
  }

  get ids() {
    return [...this.#cluster.nodes.keys()];
  }

  get bootstrap() {
    return this.#cluster.bootstrap;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(id) {
    this.#killed.add(this.#child(id));
    await this.#cluster.kill(id);
  }

  async pause(id) {
    this.#child(id).signal("SIGSTOP");
  }

  async resume(id) {
    this.#child(id).signal("SIGCONT");
  }

  async start(id) {
    this.#cluster.startNode(id);
    this.#watch(id);
  }

  /** The last lines that a broker wrote. */
  lastLines(id) {
    const { logFile } = this.#cluster.nodes.get(id);
    return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-LINES_MAX);
  }

  /** Ends everything. Returns where logs and data are when they are kept. */
  async close({ isKept }) {
    if (isKept) this.#workspace.keep();
    for (const node of this.#cluster?.nodes.values() ?? []) this.#killed.add(node.child);
    await this.#workspace.close();
    return isKept ? this.#workspace.directory : undefined;
  }

  closeNow() {
    this.#workspace.closeNow();
  }

  #child(id) {
    return this.#cluster.nodes.get(id).child;
  }

  #watch(id) {
    const child = this.#child(id);
    const tell = () => {
      if (!this.#killed.has(child)) this.onOwnEnd(id);
    };
    child.ended.then(tell, tell);
  }
}
