/**
 * A cluster of separate processes on this machine: what `strandline up` runs. The processes are
 * children; they stop with this one, however it ends, and an unexpected end of one is reported.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, closeSync, mkdirSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError, EXIT } from "./exit-codes.js";
import { OFF } from "./settings/node-settings.js";

export interface LocalClusterOptions {
  readonly nodes: number;
  readonly dataDirectory: string;
  readonly host: string;
  /** Port of node 1; the others follow. */
  readonly grpcPort: number;
  readonly peerPort: number;
  /** Undefined: no Kafka listeners. */
  readonly kafkaPort: number | undefined;
  /** Undefined: no HTTP listeners. */
  readonly httpPort: number | undefined;
  readonly logLevel: string;
  /** Further arguments of every node. */
  readonly settings: readonly string[];
}

export interface LocalNode {
  readonly id: number;
  readonly grpcAddress: string;
  readonly kafkaAddress: string | undefined;
  readonly logFile: string;
  readonly pid: number;
}

const STOP_MS_MAX = 20_000;

export class LocalCluster {
  readonly #options: LocalClusterOptions;
  readonly #children = new Map<number, ChildProcess>();
  readonly #onExit: (node: number, message: string) => void;
  #isStopping = false;

  /** `onExit` is told of a node that ended without being asked to. */
  constructor(options: LocalClusterOptions, onExit: (node: number, message: string) => void) {
    this.#options = options;
    this.#onExit = onExit;
  }

  /** Starts all nodes. Throws when a port is in use: nothing is started then. */
  async start(): Promise<LocalNode[]> {
    const { nodes, host, grpcPort, peerPort, kafkaPort, httpPort } = this.#options;
    for (let node = 0; node < nodes; node += 1) {
      await requireFree(host, grpcPort + node, `the gRPC port of node ${node + 1}`, "--grpc-port");
      await requireFree(host, peerPort + node, `the peer port of node ${node + 1}`, "--peer-port");
      for (const [port, what, flag] of [
        [kafkaPort, "Kafka", "--kafka-port"],
        [httpPort, "HTTP", "--http-port"],
      ] as const) {
        if (port === undefined) continue;
        await requireFree(host, port + node, `the ${what} port of node ${node + 1}`, flag);
      }
    }
    return Array.from({ length: nodes }, (_, index) => this.#spawn(index + 1));
  }

  /** Asks every node to stop, waits, and ends those that do not. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(
      [...this.#children.values()].map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
        child.kill("SIGTERM");
        const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
        await ended;
        clearTimeout(timer);
      }),
    );
  }

  #spawn(id: number): LocalNode {
    const { dataDirectory, host, grpcPort, kafkaPort } = this.#options;
    const directory = join(dataDirectory, `node-${id}`);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const logFile = join(dataDirectory, `node-${id}.log`);
    // The file itself, so that a node that outlives this process for a moment still logs its end.
    const log = openSync(logFile, "a", 0o600);
    const child = spawn(
      process.execPath,
      [
        fileURLToPath(new URL("../bin/strandline.js", import.meta.url)),
        ...["broker", "start", ...this.#arguments(id, directory)],
      ],
      {
        // A group of its own: Ctrl-C at the terminal reaches this process alone, which stops the
        // rest. Nothing is ever written to its input: that it ends says that this process has.
        detached: true,
        stdio: ["pipe", log, "pipe"],
        env: withoutSettings(process.env),
      },
    );
    closeSync(log);
    // Of a node that has died.
    child.stdin?.on("error", () => undefined);
    let complaint = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2_000);
      appendFileSync(logFile, chunk);
    });
    child.once("exit", (code, signal) => {
      if (this.#isStopping) return;
      const reason = complaint.trim() || (signal === null ? `exit code ${code}` : signal);
      this.#onExit(id, reason);
    });
    this.#children.set(id, child);
    const addressOf = (first: number): string => `${host}:${first + id - 1}`;
    return {
      id,
      grpcAddress: addressOf(grpcPort),
      kafkaAddress: kafkaPort === undefined ? undefined : addressOf(kafkaPort),
      logFile,
      pid: child.pid ?? -1,
    };
  }

  #arguments(id: number, directory: string): string[] {
    const { nodes, host, grpcPort, peerPort, kafkaPort, httpPort, logLevel, settings } =
      this.#options;
    const portOf = (first: number | undefined): string =>
      first === undefined ? OFF : String(first + id - 1);
    const voters = Array.from({ length: nodes }, (_, at) => `${at + 1}@${host}:${peerPort + at}`);
    return [
      ...["--node-id", String(id)],
      ...["--voters", voters.join(",")],
      ...["--data-dir", directory],
      ...["--host", host],
      ...["--grpc-port", String(grpcPort + id - 1)],
      ...["--peer-port", String(peerPort + id - 1)],
      ...["--kafka-port", portOf(kafkaPort)],
      ...["--http-port", portOf(httpPort)],
      ...["--log-level", logLevel],
      ...settings,
      "--stop-with-input",
    ];
  }
}

/** Settings of one node in the environment are not meant for each of several. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(STRANDLINE_|KAFKA_|CLUSTER_ID$)/.test(name)),
  );
}

async function requireFree(host: string, port: number, what: string, flag: string): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    const isUsed = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new CommandError(
      EXIT.failed,
      `${what}, ${host}:${port}, ${isUsed ? "is in use" : `cannot be used: ${(error as Error).message}`}`,
      { hint: `stop what uses it, or move the ports with ${flag} <first port>` },
    );
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
