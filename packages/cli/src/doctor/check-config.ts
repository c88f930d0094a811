/**
 * The doctor's look at a node's configuration, before it starts or while it runs: can it listen
 * where it should, does what it will tell lead back to it, and do the voters' names lead to nodes of
 * one cluster.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isLoopback, isWildcard } from "@strandline/metadata";
import {
  formatHostPort,
  type HostPort,
  type KafkaListenerConfig,
  type NodeConfig,
  parseHostPort,
} from "@strandline/server";
import { type Finding, fail, ok, warn } from "./finding.js";
import { type GrpcAnswer, grpcProbe } from "./grpc-probe.js";
import { kafkaProbe } from "./kafka-probe.js";
import { bindProblem, dialable, IN_USE, unreached } from "./reach.js";
import { toldBy } from "./told.js";

export async function checkConfig(config: NodeConfig, timeoutMs: number): Promise<Finding[]> {
  return await new ConfigCheck(config, timeoutMs).run();
}

class ConfigCheck {
  readonly #config: NodeConfig;
  readonly #timeoutMs: number;
  readonly #findings: Finding[] = [];
  /** This node itself, if its process runs already. */
  #running: GrpcAnswer | undefined;
  /** That of this node if it is known, else of the first voter that answers. */
  #clusterId: string | undefined;

  constructor(config: NodeConfig, timeoutMs: number) {
    this.#config = config;
    this.#timeoutMs = timeoutMs;
  }

  async run(): Promise<Finding[]> {
    const config = this.#config;
    this.#running = await this.#findItself();
    this.#clusterId = this.#running?.clusterId ?? config.clusterId;
    this.#checkDirectory(config.dataDirectory);
    if (config.isBroker) {
      await this.#checkGrpc(config.grpc, config.advertisedGrpc);
      for (const listener of config.kafka) await this.#checkKafka(listener);
    }
    await this.#checkBinding("peer", config.peer, "peer.port");
    if (config.http !== undefined) await this.#checkHealth(config.http);
    for (const voter of config.voters) await this.#checkVoter(voter.id, voter.address);
    return this.#findings;
  }

  async #findItself(): Promise<GrpcAnswer | undefined> {
    const answer = await grpcProbe(dialable(this.#config.grpc), this.#timeoutMs);
    return answer.kind === "grpc" && answer.nodeId === this.#config.nodeId ? answer : undefined;
  }

  #checkDirectory(path: string): void {
    let existing = resolve(path);
    while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
    try {
      accessSync(existing, constants.R_OK | constants.W_OK | constants.X_OK);
      this.#add(ok("data.dir", existing === resolve(path) ? path : `${path}, which will be made`));
    } catch {
      const remedy = "give this user the right to write there, or choose another with --data-dir";
      this.#add(fail("data.dir", `${existing} cannot be written to`, remedy));
    }
  }

  async #checkGrpc(bound: HostPort, advertised: string | undefined): Promise<void> {
    const isOurs = await this.#checkBinding("gRPC", bound, "grpc.port");
    const told = advertised ?? formatHostPort(bound);
    const address = parseHostPort(told);
    const what = "gRPC, told";
    if (address === undefined) {
      this.#add(fail(what, `"${told}" is no host:port`, "mend advertised.grpc"));
      return;
    }
    if (isWildcard(address.host)) {
      const remedy = "set advertised.grpc to the host and port that clients reach this node by";
      this.#add(fail(what, `clients are told ${told}, which is no host to connect to`, remedy));
      return;
    }
    if (advertised === undefined || !isOurs) return;
    await this.#checkAdvertised(what, address, "advertised.grpc", async () => {
      const answer = await grpcProbe(address, this.#timeoutMs);
      if (answer.kind !== "grpc") return "does not answer as a broker over gRPC";
      return answer.nodeId === this.#config.nodeId
        ? undefined
        : `answers as broker ${answer.nodeId}`;
    });
  }

  async #checkKafka(listener: KafkaListenerConfig): Promise<void> {
    const what = `Kafka ${listener.name}`;
    const isOurs = await this.#checkBinding(what, listener, "kafka.port or listeners");
    this.#add(ok(`${what}, told`, `clients are told ${toldBy(listener)}`));
    if (listener.advertised === undefined || !isOurs) return;
    const { advertised } = listener;
    if (isLoopback(advertised.host) && !isLoopback(listener.host)) {
      const remedy = "advertise a host that other machines know, or bind to 127.0.0.1 only";
      const text = `${formatHostPort(advertised)} leads clients on other machines to themselves`;
      this.#add(warn(`${what}, told`, text, remedy));
    }
    await this.#checkAdvertised(`${what}, told`, advertised, "advertised.listeners", async () => {
      const answer = await kafkaProbe(advertised, this.#timeoutMs, this.#config.nodeId);
      if (answer.kind !== "kafka") return answer.reason;
      if (this.#running !== undefined && answer.clusterId !== this.#running.clusterId) {
        return `answers as another cluster, ${answer.clusterId}`;
      }
      return answer.isExpected === false ? "answers as another broker" : undefined;
    });
  }

  /** Is what clients will be told this node, or can it be, once it runs? */
  async #checkAdvertised(
    what: string,
    address: HostPort,
    key: string,
    problemOf: () => Promise<string | undefined>,
  ): Promise<void> {
    const at = formatHostPort(address);
    const nowhere = await unreached(address, this.#timeoutMs);
    const remedy = `mend ${key}, or what should forward ${at} to this node`;
    if (nowhere?.kind === "unresolved") {
      this.#add(fail(what, `${at} ${nowhere.reason}`, remedy));
    } else if (nowhere !== undefined && this.#running === undefined) {
      this.#add(ok(what, `${at} resolves; it is dialled when the node runs`));
    } else {
      const problem = nowhere?.reason ?? (await problemOf());
      if (problem === undefined) this.#add(ok(what, `${at} answers as this node`));
      else this.#add(fail(what, `${at} ${problem}`, remedy));
    }
  }

  /** False when it cannot listen there. */
  async #checkBinding(what: string, address: HostPort, key: string): Promise<boolean> {
    const at = formatHostPort(address);
    const problem = await bindProblem(address);
    if (problem === undefined) {
      this.#add(ok(what, `${at} is free`));
      return true;
    }
    if (problem === IN_USE && this.#running !== undefined) {
      this.#add(ok(what, `${at} is in use while this node runs`));
      return true;
    }
    const remedy = `stop what uses it, or choose another with ${key}`;
    this.#add(fail(what, `${at} ${problem}`, problem === IN_USE ? remedy : `mend host, or ${key}`));
    return false;
  }

  async #checkHealth(address: HostPort): Promise<void> {
    const isOurs = await this.#checkBinding("health", address, "http.port");
    if (!isOurs || this.#running === undefined) return;
    const url = `http://${formatHostPort(dialable(address))}/readyz`;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(this.#timeoutMs) });
      const text = `${url} answers ${response.status}`;
      if (response.ok) this.#add(ok("health", text));
      else this.#add(warn("health", text, `what is missing: curl "${url}?verbose"`));
    } catch {
      this.#add(fail("health", `${url} does not answer`, "does something else use the port?"));
    }
  }

  async #checkVoter(id: number, address: string): Promise<void> {
    const what = `voter ${id}`;
    const parsed = parseHostPort(address);
    if (parsed === undefined) {
      this.#add(fail(what, `"${address}" is no host:port`, "mend voters"));
      return;
    }
    const isSelf = id === this.#config.nodeId;
    const answer = await grpcProbe(parsed, this.#timeoutMs);
    switch (answer.kind) {
      case "unresolved":
        this.#add(fail(what, `${address} ${answer.reason}`, "mend voters, or the name's entry"));
        return;
      case "refused":
      case "silent":
        if (isSelf && this.#running === undefined) this.#add(ok(what, `${address} is this node`));
        else this.#add(warn(what, `${address} ${answer.reason}`, "is that node started?"));
        return;
      case "other-protocol": {
        const remedy = "a voter's address is the peer port of that node";
        this.#add(fail(what, `${address} ${answer.reason}`, remedy));
        return;
      }
      case "quiet":
        this.#add(ok(what, `${address} answers`));
        return;
      case "grpc":
        this.#judgeVoter(what, { id, address }, answer);
    }
  }

  #judgeVoter(
    what: string,
    voter: { readonly id: number; readonly address: string },
    answer: GrpcAnswer,
  ): void {
    const { id, address } = voter;
    this.#clusterId ??= answer.clusterId;
    const clusterId = this.#clusterId;
    if (answer.nodeId !== undefined && answer.nodeId !== id) {
      const text = `${address} answers as node ${answer.nodeId}`;
      this.#add(fail(what, text, "mend voters: each id with the address of its own node"));
    } else if (answer.clusterId !== clusterId) {
      const text = `${address} answers as another cluster, ${answer.clusterId}, not ${clusterId}`;
      this.#add(fail(what, text, "mend voters or cluster.id"));
    } else if (id === this.#config.nodeId && this.#running === undefined) {
      const text = `${address} answers as node ${id}: it runs already, elsewhere`;
      this.#add(fail(what, text, "give this node another id, or stop the other one"));
    } else {
      this.#add(ok(what, `${address} answers as node ${id} of cluster ${answer.clusterId}`));
    }
  }

  #add(finding: Finding): void {
    this.#findings.push(finding);
  }
}
