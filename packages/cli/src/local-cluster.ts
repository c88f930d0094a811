/**
 * A cluster of separate processes on this machine: what `strandline up` runs. The processes are
 * children; they stop with this one, and an unexpected end of one is reported.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError, EXIT } from "./exit-codes.js";

export interface LocalClusterOptions {
  readonly nodes: number;
  readonly dataDirectory: string;
  readonly host: string;
  /** Port of node 1; the others follow. */
  readonly grpcPort: number;
  readonly peerPort: number;
  readonly logLevel: string;
}

export interface LocalNode {
  readonly id: number;
  readonly grpcAddress: string;
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
    const { nodes, host, grpcPort, peerPort } = this.#options;
    for (let node = 0; node < nodes; node += 1) {
      await requireFree(host, grpcPort + node, `the gRPC port of node ${node + 1}`, "--grpc-port");
      await requireFree(host, peerPort + node, `the peer port of node ${node + 1}`, "--peer-port");
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
    const { nodes, dataDirectory, host, grpcPort, peerPort, logLevel } = this.#options;
    const directory = join(dataDirectory, `node-${id}`);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const voters = Array.from({ length: nodes }, (_, at) => `${at + 1}@${host}:${peerPort + at}`);
    const logFile = join(dataDirectory, `node-${id}.log`);
    const child = spawn(
      process.execPath,
      [
        fileURLToPath(new URL("../bin/strandline.js", import.meta.url)),
        ...["broker", "start"],
        ...["--node-id", String(id)],
        ...["--voters", voters.join(",")],
        ...["--data-dir", directory],
        ...["--host", host],
        ...["--grpc-port", String(grpcPort + id - 1)],
        ...["--peer-port", String(peerPort + id - 1)],
        ...["--log-level", logLevel],
      ],
      // A group of its own: Ctrl-C at the terminal reaches this process alone, which stops the rest.
      { stdio: ["ignore", "pipe", "pipe"], detached: true },
    );
    const log = createWriteStream(logFile, { flags: "a", mode: 0o600 });
    child.stdout.pipe(log, { end: false });
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2_000);
      log.write(chunk);
    });
    child.once("exit", (code, signal) => {
      log.end();
      if (this.#isStopping) return;
      const reason = complaint.trim() || (signal === null ? `exit code ${code}` : signal);
      this.#onExit(id, reason);
    });
    this.#children.set(id, child);
    return { id, grpcAddress: `${host}:${grpcPort + id - 1}`, logFile, pid: child.pid ?? -1 };
  }
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
