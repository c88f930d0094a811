import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nullLogger } from "@strandline/platform";
import { type NodeConfig, StrandlineNode } from "@strandline/server";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BROKER_SETTINGS } from "../settings/kafka-settings.js";
import { nodeConfigOf } from "../settings/node-config-of.js";
import { resolveSettings } from "../settings/resolve-settings.js";
import { checkConfig } from "./check-config.js";

const HOST = "127.0.0.1";
const TIMEOUT_MS = 2_000;
const READY_MS_MAX = 10_000;

let directory = "";
const servers: Server[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "strandline-doctor-"));
});

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
  rmSync(directory, { recursive: true, force: true });
});

async function listen(): Promise<number> {
  const server = createServer((socket) => void socket.destroy());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  return (server.address() as { port: number }).port;
}

async function freePort(): Promise<number> {
  const port = await listen();
  await new Promise((done) => servers.pop()?.close(done));
  return port;
}

/** Node 1 of a cluster of its own, on free ports, and what is set beside that. */
async function config(given: Record<string, string> = {}): Promise<NodeConfig> {
  const peer = await freePort();
  const settings = {
    "node.id": "1",
    voters: `1@${HOST}:${peer}`,
    "data.dir": join(directory, "node-1"),
    "peer.port": String(peer),
    "grpc.port": String(await freePort()),
    "kafka.port": String(await freePort()),
    "http.port": String(await freePort()),
    ...given,
  };
  const resolved = resolveSettings(BROKER_SETTINGS, {
    flags: new Map(Object.entries(settings)),
    sets: [],
    environment: {},
    file: undefined,
  });
  expect(resolved.problems).toEqual([]);
  return nodeConfigOf(resolved);
}

async function failures(config: NodeConfig): Promise<string[]> {
  const findings = await checkConfig(config, TIMEOUT_MS);
  return findings
    .filter(({ status }) => status !== "ok")
    .map(({ status, what, text }) => `${status} ${what}: ${text}`);
}

describe(checkConfig, () => {
  it("finds nothing wrong before the start of a node, nor while it runs", async () => {
    const given = await config();
    expect(await failures(given)).toEqual([]);
    const node = await StrandlineNode.start(given, {
      logger: nullLogger,
      onFatal: (error) => expect.fail(error.message),
    });
    try {
      const deadlineMs = performance.now() + READY_MS_MAX;
      while (!node.isReady && performance.now() < deadlineMs) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const findings = await checkConfig(given, TIMEOUT_MS);
      expect(findings.filter(({ status }) => status !== "ok")).toEqual([]);
      expect(findings.at(-1)?.text).toBe(
        `${given.voters[0]?.address} answers as node 1 of cluster ${node.clusterId}`,
      );
      // Another node that is to have the first one's ports and its place in the list of voters.
      const second = { ...given, nodeId: 2, dataDirectory: join(directory, "node-2") };
      expect(await failures(second)).toEqual(
        expect.arrayContaining([expect.stringMatching(/^fail gRPC: .* is in use$/)]),
      );
      const swapped = { ...given, voters: [{ id: 2, address: given.voters[0]?.address ?? "" }] };
      expect(await failures(swapped)).toEqual([
        `fail voter 2: ${given.voters[0]?.address} answers as node 1`,
      ]);
    } finally {
      await node.close({ handOver: false });
    }
  });

  it("tells of ports in use, names that do not resolve, and voters that are none", async () => {
    const taken = await listen();
    const found = await failures(
      await config({
        "kafka.port": String(taken),
        "advertised.grpc": "no-such-host.invalid:50051",
        voters: `1@no-such-host.invalid:1,2@${HOST}:${taken},3@${HOST}:${await freePort()}`,
      }),
    );
    expect(found).toEqual([
      "fail gRPC, told: no-such-host.invalid:50051 does not resolve to an address",
      `fail Kafka PLAINTEXT: ${HOST}:${taken} is in use`,
      "fail voter 1: no-such-host.invalid:1 does not resolve to an address",
      `fail voter 2: ${HOST}:${taken} takes connections, but does not speak gRPC`,
      expect.stringMatching(/^warn voter 3: .* refuses the connection: nothing listens there$/),
    ]);
  });

  it("tells of advertised addresses that mislead clients elsewhere", async () => {
    const found = await failures(
      await config({
        "kafka.host": "0.0.0.0",
        "advertised.listeners": `PLAINTEXT://localhost:${await freePort()}`,
      }),
    );
    expect(found).toEqual([
      expect.stringMatching(
        /^warn Kafka PLAINTEXT, told: localhost:\d+ leads clients on other machines to themselves$/,
      ),
    ]);
  });
});
