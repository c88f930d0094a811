/** Asks whoever answers at an address, over gRPC, which cluster and which node it is. */
import { BrokerError } from "@strandline/model";
import { nullLogger } from "@strandline/platform";
import { adminMethods, type DescribeClusterResponse, GrpcTransport } from "@strandline/rpc";
import { formatHostPort, type HostPort } from "@strandline/server";
import type { OtherProtocol } from "./kafka-probe.js";
import { type Unreached, unreached } from "./reach.js";

export interface GrpcAnswer {
  readonly kind: "grpc";
  readonly clusterId: string;
  readonly nodes: DescribeClusterResponse["nodes"];
  /** Undefined: it cannot be told. */
  readonly nodeId: number | undefined;
  /** What is written on it, by Kafka's names. */
  readonly settings: ReadonlyMap<string, string>;
}

/** A node that has a vote and no partitions, or is not ready: it answers, but tells nothing. */
export interface QuietAnswer {
  readonly kind: "quiet";
}

export async function grpcProbe(
  address: HostPort,
  timeoutMs: number,
): Promise<GrpcAnswer | QuietAnswer | OtherProtocol | Unreached> {
  const nowhere = await unreached(address, timeoutMs);
  if (nowhere !== undefined) return nowhere;
  const transport = new GrpcTransport({ logger: nullLogger });
  const target = formatHostPort(address);
  try {
    const cluster = await transport.call(target, adminMethods.describeCluster, {}, { timeoutMs });
    const settings = await ownSettings(transport, target, timeoutMs);
    return {
      kind: "grpc",
      clusterId: cluster.clusterId,
      nodes: cluster.nodes,
      nodeId: settings.has("node.id") ? Number(settings.get("node.id")) : undefined,
      settings,
    };
  } catch (error) {
    // It refused: a node without partitions, or an older one. But it speaks gRPC.
    if (error instanceof BrokerError) return { kind: "quiet" };
    return { kind: "other-protocol", reason: "takes connections, but does not speak gRPC" };
  } finally {
    await transport.close();
  }
}

async function ownSettings(
  transport: GrpcTransport,
  target: string,
  timeoutMs: number,
): Promise<Map<string, string>> {
  const request = { resource: { type: "TYPE_BROKER" as const, name: "self" } };
  const { entries } = await transport.call(target, adminMethods.describeConfigs, request, {
    timeoutMs,
  });
  return new Map(entries.map(({ name, value }) => [name, value]));
}
