/** The pods of the StatefulSet, and the names that the cluster's DNS would have for them. */
import { renameSync, writeFileSync } from "node:fs";
import { mustRun } from "../lab/command.mjs";
import { GivenUp, until } from "../lab/waiting.mjs";
import { objectOf, readManifests } from "./manifests.mjs";
import { Pod, PRELOAD, podVariables } from "./pod.mjs";

const NAMESPACE = "events";
/** Clients of another namespace need longer names. */
const CLIENT_NAMESPACE = "shop";
const READY_MS_MAX = 60_000;

export class PodCluster {
  pods;
  #workspace;
  #services;
  #hostsFile;
  #ready = new Set();

  constructor(workspace) {
    const manifests = readManifests();
    this.#workspace = workspace;
    this.#hostsFile = workspace.path("hosts.json");
    this.#services = ["strandline-headless", "strandline"].map((name) =>
      objectOf(manifests, "Service", name),
    );
    const { replicas } = objectOf(manifests, "StatefulSet").spec;
    this.pods = Array.from(
      { length: replicas },
      (_, ordinal) =>
        new Pod({
          manifests,
          workspace,
          namespace: NAMESPACE,
          ordinal,
          hostsFile: this.#hostsFile,
        }),
    );
  }

  /** Starts a pod at an address of its own, and tells the DNS. */
  start(ordinal, address) {
    this.#ready.delete(ordinal);
    this.pods[ordinal].start(address);
    this.#publish();
  }

  async kill(ordinal) {
    await this.pods[ordinal].kill();
    this.#ready.delete(ordinal);
    this.#publish();
  }

  async stop(ordinal) {
    const outcome = await this.pods[ordinal].stop();
    this.#ready.delete(ordinal);
    this.#publish();
    return outcome;
  }

  /** Waits as a kubelet does: for the startup probe, then for the readiness probe. */
  async untilReady(ordinals = this.pods.keys()) {
    for (const ordinal of ordinals) {
      const pod = this.pods[ordinal];
      for (const name of ["startupProbe", "readinessProbe"]) {
        let last;
        await until(
          `the ${name} of ${pod.name} succeeds`,
          async () => {
            if (!pod.isRunning) throw new GivenUp(`${pod.name} ended: ${pod.child.stderr.trim()}`);
            last = await pod.probe(name);
            if (last?.status === 200) return true;
            throw new Error(
              last === undefined ? "no answer" : `${last.status} ${last.body.trim()}`,
            );
          },
          { timeoutMs: READY_MS_MAX },
        );
      }
      this.#ready.add(ordinal);
      this.#publish();
    }
  }

  /** Runs `strandline` as a pod of another namespace would. */
  async run(args, options = {}) {
    return await mustRun(this.#workspace, args, {
      ...options,
      execArgv: ["--import", PRELOAD],
      env: {
        STRANDLINE_BROKERS: `strandline.${NAMESPACE}:50051`,
        ...podVariables("client-7d4b9", "", CLIENT_NAMESPACE, this.#hostsFile),
      },
    });
  }

  /** Every partition of the topic has all its replicas in sync. */
  async untilInSync(topic) {
    await until(
      `every replica of ${topic} is in sync`,
      async () => {
        const { stdout } = await this.run(["topic", "describe", topic, "--format", "json"]);
        const { partitions } = JSON.parse(stdout.toString());
        return partitions.every(({ replicas, isr }) => isr.length === replicas.length);
      },
      { pollMs: 200 },
    );
  }

  /** A pod that is not ready is found only through Services that want that. */
  #publish() {
    const hosts = {};
    const zone = `${NAMESPACE}.svc.cluster.local`;
    for (const { metadata, spec } of this.#services) {
      const found = [...this.pods.entries()].filter(
        ([ordinal, pod]) =>
          pod.isRunning && (spec.publishNotReadyAddresses === true || this.#ready.has(ordinal)),
      );
      hosts[`${metadata.name}.${zone}`] = found.map(([, pod]) => pod.address);
      if (spec.clusterIP !== "None") continue;
      for (const [, pod] of found) hosts[`${pod.name}.${metadata.name}.${zone}`] = [pod.address];
    }
    // In one step: every process reads it at any time.
    writeFileSync(`${this.#hostsFile}.new`, JSON.stringify(hosts));
    renameSync(`${this.#hostsFile}.new`, this.#hostsFile);
  }
}
