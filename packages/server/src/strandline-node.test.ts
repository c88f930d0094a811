import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nullLogger } from "@strandline/platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NodeConfig } from "./node-config.js";
import { StartError, StrandlineNode } from "./strandline-node.js";

const HOST = "127.0.0.1";

describe(StrandlineNode, () => {
  let directory: string;
  let node: StrandlineNode | undefined;
  const taken: Server[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "strandline-node-"));
  });

  afterEach(async () => {
    await node?.close({ handOver: false });
    node = undefined;
    for (const server of taken.splice(0)) await closed(server);
    await rm(directory, { recursive: true, force: true });
  });

  /** A node of id 0. Its voters decide whether it can ever be ready. */
  async function config(voters: "alone" | "with others"): Promise<NodeConfig> {
    const peerPort = await freePort();
    // Nobody listens on port 1.
    const others = [1, 2].map((id) => ({ id, address: `${HOST}:1` }));
    return {
      nodeId: 0,
      voters: [{ id: 0, address: `${HOST}:${peerPort}` }, ...(voters === "alone" ? [] : others)],
      isBroker: true,
      dataDirectory: directory,
      grpc: { host: HOST, port: await freePort() },
      kafka: [],
      peer: { host: HOST, port: peerPort },
      http: { host: HOST, port: 0 },
      advertisedGrpc: undefined,
      advertisedPeer: undefined,
      clusterId: undefined,
      rack: "",
      version: "test",
      replaceDirectory: false,
      broker: {},
    };
  }

  async function start(settings: NodeConfig): Promise<StrandlineNode> {
    node = await StrandlineNode.start(settings, { logger: nullLogger, onFatal: () => undefined });
    return node;
  }

  async function statusOf(path: string): Promise<number> {
    return (await fetch(`http://${node?.httpAddress}${path}`)).status;
  }

  it("is ready once it serves, also as node 0", async () => {
    await start(await config("alone"));
    while ((await statusOf("/readyz")) !== 200) await soon();
    expect(node?.isReady).toBe(true);
    expect(await statusOf("/livez")).toBe(200);
  });

  it("is alive and not ready without a majority", async () => {
    await start(await config("with others"));
    const response = await fetch(`http://${node?.httpAddress}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      status: "unavailable",
      checks: { process: "ok", registered: expect.stringContaining("no controller") },
    });
    expect(await statusOf("/livez")).toBe(200);
  });

  it("is not ready from the moment it is asked to stop, and alive until it has", async () => {
    const running = await start(await config("alone"));
    while ((await statusOf("/readyz")) !== 200) await soon();
    const closing = running.close({ handOver: true });
    expect(running.readyChecks[0]).toEqual({ name: "process", problem: "is stopping" });
    expect(running.liveChecks).toEqual([{ name: "process", problem: undefined }]);
    await closing;
    await expect(statusOf("/livez")).rejects.toThrow();
  });

  it.each([
    ["grpc", "gRPC", "--grpc-port"],
    ["peer", "node-to-node", "--peer-port"],
    ["http", "HTTP", "--http-port"],
  ] as const)("names the flag that moves a taken %s port", async (which, what, flag) => {
    const settings = await config("alone");
    const port = await takenPort();
    const attempt = start({ ...settings, [which]: { host: HOST, port } });
    await expect(attempt).rejects.toThrow(StartError);
    await expect(attempt).rejects.toThrow(
      `the ${what} port of node 0, ${HOST}:${port}, is in use; stop what uses it, or choose another with ${flag}`,
    );
  });

  it("answers no HTTP when that is off", async () => {
    const settings = await config("alone");
    expect((await start({ ...settings, http: undefined })).httpAddress).toBeUndefined();
  });

  async function takenPort(): Promise<number> {
    const server = createServer();
    taken.push(server);
    return await listening(server);
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await closed(server);
  return port;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, HOST, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was bound");
  return address.port;
}

async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

async function soon(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 10));
}
