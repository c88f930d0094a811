import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  decodeRequest,
  encodeResponse,
  FrameReader,
  SERVED_APIS,
  ZERO_UUID,
} from "@strandline/kafka-protocol";
import { nullLogger } from "@strandline/platform";
import { formatHostPort, type HostPort, StrandlineNode } from "@strandline/server";
import { afterEach, describe, expect, it } from "vitest";
import { checkCluster } from "./check-cluster.js";

const HOST = "127.0.0.1";
const TIMEOUT_MS = 2_000;
const READY_MS_MAX = 10_000;
const CLUSTER = ZERO_UUID;

interface Told extends HostPort {
  readonly nodeId: number;
}

/** A broker as far as the doctor talks to it. */
interface FakeBroker {
  readonly nodeId: number;
  readonly clusterId?: string;
  /** Who it says there is. */
  readonly tells: () => readonly Told[];
}

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
});

async function listen(server: Server): Promise<HostPort> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  return { host: HOST, port: (server.address() as { port: number }).port };
}

async function freePort(): Promise<number> {
  const { port } = await listen(createServer());
  await new Promise((done) => servers.pop()?.close(done));
  return port;
}

/** Serves ApiVersions, Metadata and the description of its own settings. */
async function start(broker: FakeBroker): Promise<HostPort> {
  const server = createServer((socket) => {
    const frames = new FrameReader({ frameBytesMax: 1_000_000 });
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Uint8Array) => {
      frames.push(chunk);
      for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
        for (const piece of answer(broker, frame)) socket.write(piece);
      }
    });
  });
  return await listen(server);
}

function answer(broker: FakeBroker, frame: Uint8Array): Uint8Array[] {
  const request = decodeRequest(frame);
  const { version, correlationId } = request;
  if (request.name === "ApiVersions") {
    const apiKeys = (["ApiVersions", "Metadata", "DescribeConfigs"] as const).map((name) => ({
      apiKey: SERVED_APIS[name].key,
      minVersion: SERVED_APIS[name].versions.from,
      maxVersion: SERVED_APIS[name].versions.to,
    }));
    return encodeResponse("ApiVersions", version, correlationId, { errorCode: 0, apiKeys });
  }
  if (request.name === "Metadata") {
    return encodeResponse("Metadata", version, correlationId, {
      brokers: broker.tells().map((told) => ({ ...told, rack: null })),
      clusterId: broker.clusterId ?? CLUSTER,
      controllerId: 1,
      topics: [],
    });
  }
  if (request.name !== "DescribeConfigs") throw new Error(`unexpected ${request.name}`);
  const { resourceType, resourceName } = request.body.resources[0] ?? {};
  const isSelf = resourceName === String(broker.nodeId);
  return encodeResponse("DescribeConfigs", version, correlationId, {
    results: [
      {
        errorCode: isSelf ? 0 : 42,
        errorMessage: null,
        resourceType: resourceType ?? 0,
        resourceName: resourceName ?? "",
        configs: [],
      },
    ],
  });
}

async function check(...bootstrap: HostPort[]): Promise<[string, string, string][]> {
  const findings = await checkCluster(bootstrap, TIMEOUT_MS);
  return findings.map(({ status, what, text }) => [status, what, text]);
}

describe(checkCluster, () => {
  it("finds that every address leads to the broker that it is told for", async () => {
    const told: Told[] = [];
    for (const nodeId of [1, 2]) {
      told.push({ nodeId, ...(await start({ nodeId, tells: () => told })) });
    }
    const [one, two] = told as [Told, Told];
    expect(await check(one, two)).toEqual([
      [
        "ok",
        `bootstrap ${formatHostPort(one)}`,
        `answers as a broker of cluster ${CLUSTER}, over Kafka`,
      ],
      [
        "ok",
        "Kafka, broker 1",
        `clients are told ${formatHostPort(one)}, which answers as that broker`,
      ],
      [
        "ok",
        "Kafka, broker 2",
        `clients are told ${formatHostPort(two)}, which answers as that broker`,
      ],
      [
        "ok",
        `bootstrap ${formatHostPort(two)}`,
        `answers as a broker of cluster ${CLUSTER}, over Kafka`,
      ],
    ]);
  });

  it("says what is wrong with each address that leads elsewhere", async () => {
    const foreign = await start({ nodeId: 9, clusterId: "another", tells: () => [] });
    const silent = await listen(createServer((socket) => void socket.destroy()));
    const closed = { host: HOST, port: await freePort() };
    const told: Told[] = [
      { nodeId: 2, host: "no-such-host.invalid", port: 1 },
      { nodeId: 3, ...closed },
      { nodeId: 4, ...foreign },
      { nodeId: 5, ...silent },
    ];
    const entry = await start({ nodeId: 1, tells: () => told });
    told.push({ nodeId: 6, ...entry });
    const findings = await checkCluster([entry], TIMEOUT_MS);
    expect(findings.map(({ status, text }) => [status, text.replace(/.*, which /, "")])).toEqual([
      ["ok", `answers as a broker of cluster ${CLUSTER}, over Kafka`],
      ["fail", "does not resolve to an address"],
      ["fail", "refuses the connection: nothing listens there"],
      ["fail", "answers as another cluster, another"],
      ["fail", "does not speak the Kafka protocol: it closed the connection"],
      ["fail", "answers as another broker of this cluster"],
    ]);
    for (const finding of findings.slice(1))
      expect(finding.remedy).toContain("advertised.listeners");
  });

  it("fails where nobody answers, or somebody else", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined).resume();
      socket.end("HTTP/1.1 400\r\n\r\n");
    });
    const other = await listen(server);
    const [wrong, missing] = await check(other, { host: "no-such-host.invalid", port: 9_092 });
    expect(wrong).toEqual([
      "fail",
      `bootstrap ${formatHostPort(other)}`,
      "answers, but neither over Kafka nor as a gRPC broker",
    ]);
    expect(missing?.[2]).toContain("does not resolve");
  });

  it("looks at every listener of a cluster that it enters over gRPC", async () => {
    const directory = mkdtempSync(join(tmpdir(), "strandline-doctor-"));
    const [peer, grpc, inside, outside] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const node = await StrandlineNode.start(
      {
        nodeId: 1,
        voters: [{ id: 1, address: `${HOST}:${peer}` }],
        isBroker: true,
        dataDirectory: directory,
        grpc: { host: HOST, port: grpc },
        peer: { host: HOST, port: peer },
        kafka: [
          { name: "IN", host: HOST, port: inside, advertised: undefined },
          {
            name: "OUT",
            host: HOST,
            port: outside,
            advertised: { host: "no-such-host.invalid", port: 9_092 },
          },
        ],
        http: undefined,
        advertisedGrpc: undefined,
        advertisedPeer: undefined,
        clusterId: undefined,
        rack: "",
        version: "test",
        replaceDirectory: false,
        broker: {},
      },
      { logger: nullLogger, onFatal: (error) => expect.fail(error.message) },
    );
    try {
      const deadlineMs = performance.now() + READY_MS_MAX;
      while (!node.isReady && performance.now() < deadlineMs) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const over = (port: number) => check({ host: HOST, port });
      expect((await over(grpc)).map(([status, what]) => [status, what])).toEqual([
        ["ok", `bootstrap ${HOST}:${grpc}`],
        ["ok", "gRPC, broker 1"],
        ["ok", "peer, node 1"],
        ["ok", "Kafka IN, broker 1"],
        // It may be meant for others: clients here have the first one.
        ["warn", "Kafka OUT, broker 1"],
      ]);
      expect((await over(outside)).map(([status]) => status)).toEqual(["ok", "fail"]);
    } finally {
      await node.close({ handOver: false });
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it("does not take two clusters for one", async () => {
    const one = await start({ nodeId: 1, tells: () => [] });
    const two = await start({ nodeId: 1, clusterId: "another", tells: () => [] });
    const findings = await check(one, two);
    expect(findings.map(([status]) => status)).toEqual(["ok", "fail", "ok", "fail"]);
    expect(findings[1]?.[2]).toBe("tells clients of no broker");
    expect(findings[3]?.[2]).toBe(`is of another cluster than the address before, ${CLUSTER}`);
  });
});
