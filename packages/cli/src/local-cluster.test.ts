import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LocalCluster } from "./local-cluster.js";

const STRANDLINE = fileURLToPath(new URL("../bin/strandline.js", import.meta.url));
const NODES = 2;

describe(LocalCluster, () => {
  let directory: string;
  let up: ChildProcess | undefined;
  let nodes: number[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "strandline-up-"));
  });

  afterEach(async () => {
    up?.kill("SIGKILL");
    for (const pid of nodes) if (isAlive(pid)) process.kill(pid, "SIGKILL");
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  it("leaves no node behind when its process is killed", async () => {
    const port = await freePorts(3 * NODES);
    const args = ["up", "-n", String(NODES), "--data-dir", directory, "--http-port", "off"];
    const ports = ["--grpc-port", String(port), "--peer-port", String(port + NODES)];
    const kafka = ["--kafka-port", String(port + 2 * NODES)];
    const child = spawn(process.execPath, [STRANDLINE, ...args, ...ports, ...kafka], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    up = child;
    let said = "";
    for await (const chunk of child.stderr) {
      said += String(chunk);
      if (said.includes("Ctrl-C stops it.")) break;
    }
    nodes = [...said.matchAll(/process (\d+)/g)].map((match) => Number(match[1]));
    expect(nodes).toHaveLength(NODES);
    expect(nodes.every(isAlive)).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    while (nodes.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Where nobody collects orphans, one that has ended keeps its process id.
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !readFileSync(stat, "utf8").includes(") Z ");
}

/** First of `count` ports in a row that nobody listens on. */
async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; ; attempt += 1) {
    const first = 20_000 + ((process.pid * 16 + attempt * count) % 11_000);
    const servers = Array.from({ length: count }, () => createServer());
    try {
      for (const [at, server] of servers.entries()) {
        server.listen(first + at, "127.0.0.1");
        await once(server, "listening");
      }
      return first;
    } catch (error) {
      if (attempt === 100) throw error;
    } finally {
      for (const server of servers) if (server.listening) server.close();
    }
  }
}
