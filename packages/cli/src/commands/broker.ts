/** `strandline broker start`: one node of a cluster, in the foreground. */
import type { Logger } from "@strandline/platform";
import type { StrandlineNode as Node } from "@strandline/server";
import { Command, Option } from "commander";
import { CommandError, EXIT } from "../exit-codes.js";
import { tuneGarbageCollection } from "../garbage-collection.js";
import { VERSION } from "../version.js";

/** EX_SOFTWARE of sysexits. */
const EXIT_BUG = 70;

interface BrokerStartFlags {
  readonly nodeId: string;
  readonly voters: string;
  readonly dataDir: string;
  readonly host: string;
  readonly grpcPort: string;
  readonly peerPort: string;
  readonly advertisedGrpc?: string;
  readonly advertisedPeer?: string;
  readonly clusterId?: string;
  readonly rack: string;
  readonly controllerOnly?: boolean;
  readonly replaceDirectory?: boolean;
  readonly logLevel: string;
}

export function brokerCommand(): Command {
  const broker = new Command("broker").description("run one node");
  broker
    .command("start")
    .description("start a node: broker, and controller when its id is among the voters")
    .requiredOption("--node-id <id>", "id of this node, unique in the cluster")
    .requiredOption("--voters <list>", "all controllers: <id>@<host>:<peer port>, comma-separated")
    .requiredOption("--data-dir <path>", "where this node keeps its data")
    .option("--host <host>", "interface to listen on", "127.0.0.1")
    .option("--grpc-port <port>", "port for clients", "50051")
    .option("--peer-port <port>", "port for other nodes", "51051")
    .option("--advertised-grpc <host:port>", "what clients are told, if not what is bound")
    .option("--advertised-peer <host:port>", "what other nodes are told, if not what is bound")
    .option("--cluster-id <id>", "refuse to join any other cluster")
    .option("--rack <name>", "replicas are spread over racks", "")
    .option("--controller-only", "keep no partitions")
    .option("--replace-directory", "this empty directory takes the place of this node's lost one")
    .addOption(
      new Option("--log-level <level>", "how much to log")
        .choices(["debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .action(async (flags: BrokerStartFlags) => await startBroker(flags));
  return broker;
}

async function startBroker(flags: BrokerStartFlags): Promise<void> {
  tuneGarbageCollection();
  const { parseVoters, StartError, StrandlineNode } = await import("@strandline/server");
  const { pinoLogger } = await import("@strandline/platform");
  const nodeId = Number(flags.nodeId);
  const logger = pinoLogger({
    level: flags.logLevel,
    fields: { name: "strandline", nodeId },
    destination: undefined,
  });
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  endOnBugs(logger);
  let node: Node;
  try {
    node = await StrandlineNode.start(
      {
        nodeId,
        voters: parseVoters(flags.voters),
        isBroker: flags.controllerOnly !== true,
        dataDirectory: flags.dataDir,
        grpc: { host: flags.host, port: Number(flags.grpcPort) },
        peer: { host: flags.host, port: Number(flags.peerPort) },
        advertisedGrpc: flags.advertisedGrpc,
        advertisedPeer: flags.advertisedPeer,
        clusterId: flags.clusterId,
        rack: flags.rack,
        version: VERSION,
        replaceDirectory: flags.replaceDirectory === true,
        broker: {},
      },
      { logger, onFatal: (error) => fail(error) },
    );
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new CommandError(EXIT.failed, error.message, { cause: error });
  }
  logger.info({ grpc: node.grpcAddress, peer: node.peerAddress }, "listens");
  const outcome = await Promise.race([failed, signalled()]);
  if (outcome instanceof Error) {
    await node.close({ handOver: false });
    throw new CommandError(EXIT.failed, outcome.message, { cause: outcome });
  }
  logger.info({ signal: outcome }, "stops");
  await node.close({ handOver: true });
  logger.info({}, "stopped");
  // A connection that was being made to a peer that is gone would keep the process alive.
  process.exit(EXIT.ok);
}

/**
 * A promise or a callback that failed unseen leaves the process in a state nobody thought of. It
 * ends at once: its disk has what it acknowledged, and the others take over.
 */
function endOnBugs(logger: Logger): void {
  const end = (error: unknown): void => {
    const stack = error instanceof Error ? error.stack : undefined;
    logger.error({ error: String(error), stack }, "a bug: this process ends");
    process.exit(EXIT_BUG);
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

/** Resolves with the first signal that asks to stop. A second one ends the process at once. */
async function signalled(): Promise<NodeJS.Signals> {
  return await new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (isStopping) process.exit(EXIT.interrupted);
      isStopping = true;
      resolve(signal);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}
