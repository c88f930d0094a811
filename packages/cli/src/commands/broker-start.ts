/** `strandline broker start`: one node of a cluster, in the foreground. */
import type { Logger } from "@strandline/platform";
import type { StrandlineNode as Node } from "@strandline/server";
import { Command, Option } from "commander";
import { CommandError, EXIT } from "../exit-codes.js";
import { tuneGarbageCollection } from "../garbage-collection.js";
import { readSettings, withSettings } from "../settings/read-settings.js";

/** EX_SOFTWARE of sysexits. */
const EXIT_BUG = 70;

export function brokerStartCommand(): Command {
  const start = new Command("start")
    .description("start a node: broker, and controller when its id is among the voters")
    .addOption(
      new Option("--stop-with-input", "stop when standard input ends, as with SIGTERM").hideHelp(),
    )
    .addHelpText(
      "after",
      "\nEach setting can also be given in the environment (--node-id is STRANDLINE_NODE_ID) or in the" +
        "\nfile (node.id=…). A flag wins over the environment, the environment over the file. Kafka's" +
        "\nsettings of a broker have no flags: --set log.retention.ms=86400000, KAFKA_LOG_RETENTION_MS." +
        "\n`strandline broker config` shows every setting there is, and its value here.",
    );
  return withSettings(start).action(startBroker);
}

async function startBroker(flags: Record<string, unknown>): Promise<void> {
  tuneGarbageCollection();
  const settings = await readSettings(flags);
  const { nodeConfigOf } = await import("../settings/node-config-of.js");
  const config = nodeConfigOf(settings);
  const { StartError, StrandlineNode } = await import("@strandline/server");
  const { pinoLogger } = await import("@strandline/platform");
  const logger = pinoLogger({
    level: settings.values.get("log.level")?.value ?? "info",
    fields: { name: "strandline", nodeId: config.nodeId },
    destination: undefined,
  });
  for (const warning of settings.warnings) logger.warn({}, warning);
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  endOnBugs(logger);
  let node: Node;
  try {
    node = await StrandlineNode.start(config, { logger, onFatal: (error) => fail(error) });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new CommandError(EXIT.failed, error.message, { cause: error });
  }
  const listens = {
    grpc: node.grpcAddress,
    kafka: Object.fromEntries(node.kafkaAddresses),
    peer: node.peerAddress,
    http: node.httpAddress,
  };
  logger.info(listens, "listens");
  const { toldBy } = await import("../doctor/told.js");
  for (const listener of config.kafka) {
    logger.info({ listener: listener.name, told: toldBy(listener) }, "Kafka clients are told");
  }
  const outcome = await Promise.race([failed, askedToStop(flags["stopWithInput"] === true)]);
  if (outcome instanceof Error) {
    await node.close({ handOver: false });
    throw new CommandError(EXIT.failed, outcome.message, { cause: outcome });
  }
  logger.info({ reason: outcome }, "stops");
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

/**
 * Resolves with the first signal that asks to stop. A second one ends the process at once. With
 * `withInput`, the end of standard input is such a signal too: a parent that is killed says no more.
 */
async function askedToStop(withInput: boolean): Promise<string> {
  return await new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (isStopping) process.exit(EXIT.interrupted);
      isStopping = true;
      resolve(signal);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
    if (!withInput) return;
    const onEnd = (): void => {
      if (isStopping) return;
      isStopping = true;
      resolve("the parent process ended");
    };
    process.stdin.once("end", onEnd).once("close", onEnd).once("error", onEnd).resume();
  });
}
