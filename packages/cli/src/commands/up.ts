/** `strandline up`: a whole cluster on this machine, in one command. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { CommandError, EXIT } from "../exit-codes.js";
import { LocalCluster, type LocalNode } from "../local-cluster.js";
import { OFF } from "../settings/node-settings.js";
import { readSettings, withConfig } from "../settings/read-settings.js";
import type { ResolvedSettings } from "../settings/resolve-settings.js";
import { untilHealthy } from "../until-healthy.js";

interface UpFlags {
  readonly nodes: string;
  readonly dataDir: string;
  readonly ephemeral?: boolean;
  readonly host: string;
  readonly grpcPort: string;
  readonly kafkaPort: string;
  readonly peerPort: string;
  readonly httpPort: string;
  readonly logLevel: string;
  readonly config?: string;
  readonly set: readonly string[];
}

const READY_MS_MAX = 30_000;

export function upCommand(): Command {
  return withConfig(new Command("up"))
    .description("start a cluster of separate processes on this machine")
    .option("-n, --nodes <count>", "nodes to start", "3")
    .option("--data-dir <path>", "where data is kept", ".strandline")
    .option("--ephemeral", "keep data in a temporary directory, and remove it at the end")
    .option("--host <host>", "interface to listen on", "127.0.0.1")
    .option("--grpc-port <port>", "gRPC port of node 1; the others follow", "50051")
    .option("--kafka-port <port>", "Kafka port of node 1; the others follow; off: none", "9092")
    .option("--peer-port <port>", "node-to-node port of node 1; the others follow", "51051")
    .option("--http-port <port>", "HTTP port of node 1; the others follow; off: none", "8080")
    .option("--log-level <level>", "how much the nodes log", "info")
    .action(async (flags: UpFlags) => await up(flags));
}

/** Who tries a group here waits for its first record, and not for members that nobody starts. */
const REBALANCE_DELAY = "group.initial.rebalance.delay.ms";

async function up(flags: UpFlags): Promise<void> {
  const nodes = positive(flags.nodes, "--nodes");
  const { values } = await checkSettings(flags);
  const dataDirectory = flags.ephemeral
    ? mkdtempSync(join(tmpdir(), "strandline-"))
    : flags.dataDir;
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const stop = new Stop();
  const cluster = new LocalCluster(
    {
      nodes,
      dataDirectory,
      host: flags.host,
      grpcPort: positive(flags.grpcPort, "--grpc-port"),
      peerPort: positive(flags.peerPort, "--peer-port"),
      kafkaPort: flags.kafkaPort === OFF ? undefined : positive(flags.kafkaPort, "--kafka-port"),
      httpPort: flags.httpPort === OFF ? undefined : positive(flags.httpPort, "--http-port"),
      logLevel: flags.logLevel,
      settings: [
        ...(flags.config === undefined ? [] : ["--config", flags.config]),
        ...flags.set.flatMap((each) => ["--set", each]),
        ...((await isWritten(values, REBALANCE_DELAY)) ? [] : ["--set", `${REBALANCE_DELAY}=0`]),
      ],
    },
    (id, reason) => {
      say(`node ${id} ended: ${reason}`);
      stop.nodeEnded(nodes);
    },
  );
  try {
    const started = await cluster.start();
    const addresses = started.map((node) => node.grpcAddress);
    const ready = untilHealthy(addresses, READY_MS_MAX);
    const outcome = await Promise.race([ready.done, stop.asked]);
    ready.cancel();
    if (outcome === "healthy") announce(say, started, dataDirectory);
    if (outcome === "timeout") {
      say(
        `not every node is ready after ${READY_MS_MAX / 1000} s; see ${started[0]?.logFile ?? ""}`,
      );
    }
    const reason = await stop.asked;
    say(reason === "signal" ? "stopping (once more to end at once)" : "no node is left");
    await cluster.stop();
    if (reason !== "signal") throw new CommandError(EXIT.failed, "every node has ended");
    say("stopped");
  } finally {
    if (flags.ephemeral) rmSync(dataDirectory, { recursive: true, force: true });
  }
}

/** Once, and here: each node would say the same, in its log. */
async function checkSettings({ config, set, logLevel }: UpFlags): Promise<ResolvedSettings> {
  const node = { nodeId: "1", voters: "1@127.0.0.1:1", dataDir: ".", logLevel };
  const resolved = await readSettings({ ...node, config, set }, {});
  for (const warning of resolved.warnings) process.stderr.write(`warning: ${warning}\n`);
  return resolved;
}

/** By the operator: in the file, by `--set`, or where the nodes find it in their environment. */
async function isWritten(values: ResolvedSettings["values"], key: string): Promise<boolean> {
  const { DEFAULT_SOURCE } = await import("../settings/resolve-settings.js");
  const variable = `KAFKA_${key.toUpperCase().replaceAll(".", "_")}`;
  const source = values.get(key)?.source ?? DEFAULT_SOURCE;
  return process.env[variable] !== undefined || source !== DEFAULT_SOURCE;
}

function announce(say: (line: string) => void, nodes: readonly LocalNode[], data: string): void {
  say("");
  say(`Strandline runs: ${nodes.length} ${nodes.length === 1 ? "node" : "nodes"}, data in ${data}`);
  for (const node of nodes) {
    const kafka = node.kafkaAddress === undefined ? "" : `   Kafka ${node.kafkaAddress}`;
    say(
      `  node ${node.id}   gRPC ${node.grpcAddress}${kafka}   process ${node.pid}   log ${node.logFile}`,
    );
  }
  const isDefault = nodes[0]?.grpcAddress === "127.0.0.1:50051";
  const flag = isDefault ? "" : ` -b ${nodes.map((node) => node.grpcAddress).join(",")}`;
  say("");
  say("Try, in another terminal:");
  say(`  npx strandline topic create hello -p 3${flag}`);
  say(`  echo "hello, strandline" | npx strandline topic produce hello${flag}`);
  say(`  npx strandline topic consume hello -e${flag}`);
  say("");
  say("Ctrl-C stops it.");
}

/** Why to stop: a signal, or that no node is left. */
class Stop {
  readonly asked: Promise<"signal" | "ended">;
  #resolve: (reason: "signal" | "ended") => void = () => undefined;
  #ended = 0;

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    let isAsked = false;
    const onSignal = (): void => {
      if (isAsked) process.exit(EXIT.interrupted);
      isAsked = true;
      this.#resolve("signal");
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  }

  nodeEnded(nodes: number): void {
    this.#ended += 1;
    if (this.#ended === nodes) this.#resolve("ended");
  }
}

function positive(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new CommandError(EXIT.usage, `${flag} must be a positive integer, not "${text}"`);
  }
  return value;
}
