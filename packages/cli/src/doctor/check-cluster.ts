/**
 * The doctor's look at a running cluster: what its listeners tell clients, and whether that leads to
 * the broker that is meant. Everything is dialled from this machine, as a client here would do it.
 */
import { formatHostPort, type HostPort, parseHostPort, parseListeners } from "@strandline/server";
import { type Finding, fail, ok, warn } from "./finding.js";
import { type GrpcAnswer, grpcProbe } from "./grpc-probe.js";
import { type KafkaAnswer, kafkaProbe } from "./kafka-probe.js";
import { dialable } from "./reach.js";

/** Says what a broker is told to advertise, where the address it gives now is wrong. */
const ADVERTISE =
  "set advertised.listeners on that broker to an address that clients can reach from here";

/** Of several listeners, some are for clients in another network. */
const ELSEWHERE = "clients elsewhere may be meant: run the doctor where they are";

type KafkaProbe = Awaited<ReturnType<typeof kafkaProbe>>;

export async function checkCluster(
  bootstrap: readonly HostPort[],
  timeoutMs: number,
): Promise<Finding[]> {
  const check = new ClusterCheck(timeoutMs);
  for (const address of bootstrap) await check.enterBy(address);
  return [...check.findings];
}

class ClusterCheck {
  readonly findings: Finding[] = [];
  readonly #timeoutMs: number;
  /** That of the first address that answered. */
  #clusterId: string | undefined;
  /** Looked at already: several entries tell of the same brokers. */
  readonly #seen = new Set<string>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** An address of a Kafka listener, or of gRPC. */
  async enterBy(address: HostPort): Promise<void> {
    const what = `bootstrap ${formatHostPort(address)}`;
    const kafka = await kafkaProbe(address, this.#timeoutMs);
    if (kafka.kind === "kafka") {
      this.#add(ok(what, `answers as a broker of cluster ${kafka.clusterId}, over Kafka`));
      if (this.#isThisCluster(what, kafka.clusterId)) await this.#checkTold(what, kafka);
      return;
    }
    if (kafka.kind !== "other-protocol") {
      const remedy = "is the cluster running? give an address that some broker listens at";
      this.#add(fail(what, kafka.reason, remedy));
      return;
    }
    const grpc = await grpcProbe(address, this.#timeoutMs);
    if (grpc.kind === "grpc") {
      this.#add(ok(what, `answers as a broker of cluster ${grpc.clusterId}, over gRPC`));
      if (this.#isThisCluster(what, grpc.clusterId)) await this.#checkNodes(grpc);
      return;
    }
    const remedy = "give a Kafka or gRPC address of a broker; something else has this port";
    this.#add(fail(what, "answers, but neither over Kafka nor as a gRPC broker", remedy));
  }

  /** The brokers that a client is told of which came in by `entry`. */
  async #checkTold(entry: string, answer: KafkaAnswer): Promise<void> {
    if (answer.brokers.length === 0) {
      this.#add(
        fail(
          entry,
          "tells clients of no broker",
          "every broker is fenced, or none has a listener of this name: see `strandline cluster info`",
        ),
      );
    }
    for (const broker of answer.brokers) await this.#checkKafka(broker, broker.nodeId);
  }

  async #checkKafka(address: HostPort, nodeId: number): Promise<void> {
    if (!this.#isNew(`${nodeId} ${formatHostPort(address)}`)) return;
    const answer = await kafkaProbe(address, this.#timeoutMs, nodeId);
    this.#judgeKafka({ ...address, nodeId }, answer, false);
  }

  /** The answer, when it is that of the broker that is meant. */
  #judgeKafka(
    broker: HostPort & { readonly nodeId: number; readonly listener?: string },
    answer: KafkaProbe,
    isReachedOtherwise: boolean,
  ): KafkaAnswer | undefined {
    const listener = broker.listener === undefined ? "" : ` ${broker.listener}`;
    const what = `Kafka${listener}, broker ${broker.nodeId}`;
    const told = `clients are told ${formatHostPort(broker)}, which`;
    if (answer.kind !== "kafka") {
      const text = `${told} ${answer.reason}`;
      if (isReachedOtherwise) this.#add(warn(what, `${text}, from here`, ELSEWHERE));
      else this.#add(fail(what, text, ADVERTISE));
      return undefined;
    }
    if (answer.clusterId !== this.#clusterId) {
      const text = `${told} answers as another cluster, ${answer.clusterId}`;
      this.#add(fail(what, text, ADVERTISE));
      return undefined;
    }
    if (answer.isExpected === false) {
      this.#add(fail(what, `${told} answers as another broker of this cluster`, ADVERTISE));
      return undefined;
    }
    const whose = answer.isExpected === undefined ? "a broker of this cluster" : "that broker";
    this.#add(ok(what, `${told} answers as ${whose}`));
    return answer;
  }

  async #checkNodes(cluster: GrpcAnswer): Promise<void> {
    for (const node of cluster.nodes) {
      if (node.fenced) {
        const remedy = "is its process running? see its log, and `strandline cluster health`";
        this.#add(warn(`node ${node.nodeId}`, "is registered, but not serving", remedy));
        continue;
      }
      const settings = await this.#checkGrpc(node.nodeId, node.address);
      await this.#checkPeer(node.nodeId, node.peerAddress);
      if (settings !== undefined) await this.#checkListeners(node, settings);
    }
  }

  /** Settings of the broker, when it answers as itself. */
  async #checkGrpc(
    nodeId: number,
    address: string,
  ): Promise<ReadonlyMap<string, string> | undefined> {
    const what = `gRPC, broker ${nodeId}`;
    const told = `clients are told ${address}, which`;
    const answer = await this.#grpc(address);
    if (answer.kind !== "grpc") {
      const reason = answer.kind === "quiet" ? "is no broker" : answer.reason;
      const remedy = "set advertised.grpc on that broker to an address that clients can reach";
      this.#add(fail(what, `${told} ${reason}`, remedy));
      return undefined;
    }
    const other = this.#otherOf(answer, nodeId);
    if (other !== undefined) {
      const remedy = "set advertised.grpc on that broker to an address of its own";
      this.#add(fail(what, `${told} answers as ${other}`, remedy));
      return undefined;
    }
    this.#add(ok(what, `${told} answers as that broker`));
    return answer.settings;
  }

  /** Other nodes need it, clients do not: from here it may be out of reach, and all be well. */
  async #checkPeer(nodeId: number, address: string): Promise<void> {
    const what = `peer, node ${nodeId}`;
    const told = `nodes are told ${address}, which`;
    const answer = await this.#grpc(address);
    if (answer.kind === "grpc") {
      const other = this.#otherOf(answer, nodeId);
      const remedy = "set advertised.peer on that node to an address of its own";
      if (other !== undefined) this.#add(fail(what, `${told} answers as ${other}`, remedy));
      else this.#add(ok(what, `${told} answers as that node`));
      return;
    }
    const reason = answer.kind === "quiet" ? "is no broker" : answer.reason;
    this.#add(
      warn(what, `${told} ${reason} from here`, "only nodes need it; run this where they are"),
    );
  }

  /** Its Kafka listeners, as it is told of them, and what each of them tells a client here. */
  async #checkListeners(
    node: { readonly nodeId: number; readonly address: string },
    settings: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { nodeId } = node;
    const advertised = parseListeners(settings.get("advertised.listeners") ?? "");
    const probes = await Promise.all(
      parseListeners(settings.get("listeners") ?? "").map(async (bound) => {
        const { host, port } =
          advertised.find(({ name }) => name === bound.name) ?? here(bound, node.address);
        const answer = await kafkaProbe({ host, port }, this.#timeoutMs, nodeId);
        return { broker: { nodeId, host, port, listener: bound.name }, answer };
      }),
    );
    const isReached = probes.some(({ answer }) => answer.kind === "kafka");
    for (const { broker, answer } of probes) {
      if (!this.#isNew(`${nodeId} ${formatHostPort(broker)}`)) continue;
      const itself = this.#judgeKafka(broker, answer, isReached);
      if (itself !== undefined) await this.#checkTold(`listener ${broker.listener}`, itself);
    }
  }

  async #grpc(address: string) {
    const parsed = parseHostPort(address);
    if (parsed === undefined) {
      return { kind: "unresolved" as const, reason: "is no address: host:port" };
    }
    return await grpcProbe(parsed, this.#timeoutMs);
  }

  /** Who answers in place of the node that is meant; undefined when it does itself. */
  #otherOf(answer: GrpcAnswer, nodeId: number): string | undefined {
    if (answer.clusterId !== this.#clusterId) return `another cluster, ${answer.clusterId}`;
    if (answer.nodeId === undefined || answer.nodeId === nodeId) return undefined;
    return `broker ${answer.nodeId}`;
  }

  #isThisCluster(what: string, clusterId: string): boolean {
    this.#clusterId ??= clusterId;
    if (this.#clusterId === clusterId) return true;
    const text = `is of another cluster than the address before, ${this.#clusterId}`;
    this.#add(fail(what, text, "give addresses of one cluster"));
    return false;
  }

  #isNew(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  #add(finding: Finding): void {
    this.findings.push(finding);
  }
}

/** Where a listener that advertises nothing is found from here: at the host its gRPC is found at. */
function here(bound: HostPort, grpcAddress: string): HostPort {
  const isEverywhere = dialable(bound) !== bound;
  const host = parseHostPort(grpcAddress)?.host;
  return isEverywhere && host !== undefined ? { host, port: bound.port } : bound;
}
