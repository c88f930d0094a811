/**
 * One pod of the StatefulSet, as a process on this machine: the container's entry with the
 * manifest's own arguments, environment and mounted files, under the pod's name and address.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { STRANDLINE } from "../lab/command.mjs";
import { imageEntry, objectOf } from "./manifests.mjs";
import { portOf } from "./reference-problems.mjs";

const PRELOAD = path.join(path.dirname(fileURLToPath(import.meta.url)), "pod-preload.mjs");

/** What the image puts on its path. */
const COMMANDS = { strandline: STRANDLINE };

/** What Kubernetes gives to a pod's resolv.conf. */
export function searchList(namespace) {
  return [`${namespace}.svc.cluster.local`, "svc.cluster.local", "cluster.local"];
}

export class Pod {
  name;
  /** Undefined while it does not run. */
  address;
  child;
  #manifests;
  #workspace;
  #namespace;
  #hostsFile;
  #set;
  #container;

  constructor({ manifests, workspace, namespace, ordinal, hostsFile }) {
    this.#manifests = manifests;
    this.#workspace = workspace;
    this.#namespace = namespace;
    this.#hostsFile = hostsFile;
    this.#set = objectOf(manifests, "StatefulSet");
    this.#container = this.#set.spec.template.spec.containers[0];
    this.name = `${this.#set.metadata.name}-${ordinal}`;
  }

  get graceMs() {
    return this.#set.spec.template.spec.terminationGracePeriodSeconds * 1_000;
  }

  get isRunning() {
    return this.child?.isAlive === true;
  }

  start(address) {
    this.address = address;
    const mounts = this.#mount();
    const mapped = (text) => mounts.reduce((t, { from, to }) => t.replaceAll(from, to), text);
    const { variables, expand } = this.#environment(address);
    const [command] = this.#container.command ?? imageEntry();
    const args = this.#container.args.map((argument) => mapped(expand(argument)));
    this.child = this.#workspace.spawn(
      process.execPath,
      ["--import", PRELOAD, COMMANDS[command], ...args],
      {
        logFile: this.#workspace.path(`${this.name}.log`),
        env: {
          ...Object.fromEntries(variables.map(([name, value]) => [name, mapped(value)])),
          ...podVariables(this.name, address, this.#namespace, this.#hostsFile),
        },
      },
    );
  }

  /** Status and body of what the manifest's probe asks for; undefined without an answer. */
  async probe(name) {
    const { path: resource, port, scheme } = this.#container[name].httpGet;
    if (scheme !== undefined && scheme !== "HTTP") throw new Error(`${name} is not plain HTTP`);
    const url = `http://${this.address}:${portOf(this.#set.spec.template, port)}${resource}`;
    const timeoutMs = (this.#container[name].timeoutSeconds ?? 1) * 1_000;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
      return { status: response.status, body: await response.text() };
    } catch {
      return undefined;
    }
  }

  async kill() {
    await this.child.kill();
    this.address = undefined;
  }

  /** As a kubelet does: asks, waits for the grace period, kills. Returns how it ended. */
  async stop() {
    const outcome = await this.child.stop(this.graceMs);
    this.address = undefined;
    return outcome;
  }

  /** A directory per mount: config maps are written anew, claims keep what they have. */
  #mount() {
    const { volumes } = this.#set.spec.template.spec;
    const mounts = this.#container.volumeMounts.map(({ name, mountPath }) => {
      const to = this.#workspace.path(`${this.name}-${name}`);
      return { name, from: mountPath, to, configMap: configMapOf(volumes, name) };
    });
    for (const { to, configMap } of mounts) {
      if (configMap !== undefined && existsSync(to)) rmSync(to, { recursive: true });
      mkdirSync(to, { recursive: true, mode: 0o700 });
      if (configMap === undefined) continue;
      const { data } = objectOf(this.#manifests, "ConfigMap", configMap);
      for (const [file, text] of Object.entries(data)) {
        // The paths inside a file are those of the container.
        const here = mounts.reduce((t, mount) => t.replaceAll(mount.from, mount.to), text);
        writeFileSync(path.join(to, file), here);
      }
    }
    return mounts;
  }

  /** By the rules of Kubernetes: a variable may use those above it, arguments may use all. */
  #environment(address) {
    const fields = {
      "metadata.name": this.name,
      "metadata.namespace": this.#namespace,
      "status.podIP": address,
    };
    const known = new Map();
    const expand = (text) =>
      text.replaceAll(/\$(\$|\(([A-Za-z_][A-Za-z0-9_]*)\))/g, (whole, what, name) =>
        what === "$" ? "$" : (known.get(name) ?? whole),
      );
    for (const { name, value, valueFrom } of this.#container.env ?? []) {
      const field = valueFrom?.fieldRef?.fieldPath;
      if (valueFrom !== undefined && fields[field] === undefined) {
        throw new Error(
          `${name} comes from ${JSON.stringify(valueFrom)}, which this does not know`,
        );
      }
      known.set(name, field === undefined ? expand(value) : fields[field]);
    }
    return { variables: [...known], expand };
  }
}

/** What the preload module reads. */
export function podVariables(name, address, namespace, hostsFile) {
  return {
    IN_POD_HOST_NAME: name,
    IN_POD_ADDRESS: address,
    IN_POD_SEARCH: searchList(namespace).join(" "),
    IN_POD_HOSTS: hostsFile,
  };
}

export { PRELOAD };

function configMapOf(volumes, name) {
  return (volumes ?? []).find((volume) => volume.name === name)?.configMap?.name;
}
