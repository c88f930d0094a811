/** What one run works with: its options, clusters that it owns, measured windows, its results. */
import { Cluster } from "../lab/cluster.mjs";
import { sleep } from "../lab/waiting.mjs";
import { Workspace } from "../lab/workspace.mjs";
import { Meter } from "./meter.mjs";

export const REPLICAS = 3;

export class Bench {
  options;
  workspace = new Workspace();
  /** Measured windows: `{ name, fromMs, toMs }`, to find them in the profiles. */
  windows = [];
  #run;
  #results;
  #clusters = [];
  #starts = 0;

  constructor(run, options, results) {
    this.#run = run;
    this.options = options;
    this.#results = results;
  }

  isWanted(...names) {
    return names.some((name) => this.options.only.includes(name));
  }

  figure(name, value, more, isSound) {
    if (!this.isWanted(name)) return;
    // A profiler is work too: its figures are for reading the profiles, not for comparing.
    const profiled = this.options.profiles === undefined ? {} : { profiled: true };
    this.#results.add(name, value, { ...more, ...profiled }, isSound);
  }

  say(line) {
    process.stderr.write(`  ${line}\n`);
  }

  /** Three brokers that are healthy. */
  async startCluster() {
    const cluster = await Cluster.start(this.workspace, {
      name: `cluster-${this.#clusters.length + 1}`,
      execArgv: (id) => this.#profiling(id),
    });
    this.#clusters.push(cluster);
    return cluster;
  }

  meter(cluster) {
    return new Meter(() => cluster.living.map((node) => node.child.pid));
  }

  /** Runs `work` as a window with a name; returns what it cost, and as `result` what it gave. */
  async window(name, cluster, work) {
    const meter = this.meter(cluster);
    const result = await work();
    const window = meter.read();
    this.windows.push({ name, fromMs: window.fromMs, toMs: window.toMs });
    return { ...window, result };
  }

  /**
   * A window of steady load, after the warm-up. `count` returns a total that only grows; the
   * window's `count` is its growth.
   */
  async steady(name, cluster, count) {
    await sleep(this.options.warmUpSeconds * 1_000);
    const before = count();
    const window = await this.window(name, cluster, async () => {
      await sleep(this.options.seconds * 1_000);
      return count() - before;
    });
    return { ...window, count: window.result };
  }

  /** Brokers end by themselves: that is when they write their profiles. */
  async stopClusters() {
    for (const cluster of this.#clusters) {
      await Promise.all(cluster.living.map(async ({ id }) => await cluster.stop(id)));
    }
  }

  #profiling(id) {
    const { profiles } = this.options;
    if (profiles === undefined) return [];
    this.#starts += 1;
    const name = `${this.#run}-node-${id}-${this.#starts}.cpuprofile`;
    return ["--cpu-prof", `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${name}`];
  }
}
