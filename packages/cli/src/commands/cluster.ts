/** `strandline cluster`: what the cluster is, and whether it is well. */
import type { ClusterDescription, QuorumDescription } from "@strandline/client";
import { Command } from "commander";
import { CommandError, EXIT } from "../exit-codes.js";
import {
  type ClusterFlags,
  type FormatFlags,
  withClient,
  withCluster,
  withFormat,
} from "../global-options.js";
import { say, writeData } from "../output.js";
import { table } from "../table.js";

const POLL_MS = 200;

interface HealthFlags extends ClusterFlags, FormatFlags {
  readonly exitWhenHealthy?: boolean;
  readonly watch?: boolean;
}

export function clusterCommand(): Command {
  const cluster = new Command("cluster").description("the state of the cluster");
  withFormat(withCluster(cluster.command("info")))
    .description("nodes, controller, counts")
    .action(async (flags: ClusterFlags & FormatFlags) => {
      await withClient(flags, async (client) => {
        await printInfo(await client.admin.describeCluster(), flags.format);
      });
    });
  withFormat(withCluster(cluster.command("health")))
    .description("whether every broker serves and every partition is safe; exit code 6 if not")
    .option("--exit-when-healthy", "wait until it is healthy, at most --timeout seconds")
    .option("--watch", "report again whenever it changes")
    .action(async (flags: HealthFlags) => await health(flags));
  withFormat(withCluster(cluster.command("quorum")))
    .description("the controllers' log: who votes, and how far everyone is")
    .action(async (flags: ClusterFlags & FormatFlags) => {
      await withClient(flags, async (client) => {
        await printQuorum(await client.admin.describeQuorum(), flags.format);
      });
    });
  return cluster;
}

async function printQuorum(quorum: QuorumDescription, format: string): Promise<void> {
  if (format === "json") {
    await writeData(`${JSON.stringify(quorum, undefined, 2)}\n`);
    return;
  }
  const ago = (ms: number): string => (ms < 0 ? "never" : `${Math.max(0, Date.now() - ms)} ms ago`);
  const roleOf = (nodeId: number): string => (nodeId === quorum.leaderId ? "leader" : "follower");
  const rows = [
    ...quorum.voters.map((voter) => ({ ...voter, role: roleOf(voter.nodeId) })),
    ...quorum.observers.map((observer) => ({ ...observer, role: "observer" })),
  ];
  const lines = [
    `leader          ${quorum.leaderId}`,
    `epoch           ${quorum.leaderEpoch}`,
    `high watermark  ${quorum.highWatermark}`,
    "",
    ...table(
      ["node", "directory", "log end", "heard", "caught up", "role"],
      rows.map((row) => [
        row.nodeId,
        row.directoryId,
        row.logEndOffset,
        ago(row.lastFetchMs),
        ago(row.lastCaughtUpMs),
        row.role,
      ]),
    ),
  ];
  await writeData(`${lines.join("\n")}\n`);
}

interface Health {
  readonly isHealthy: boolean;
  readonly problems: readonly string[];
}

function judge(cluster: ClusterDescription): Health {
  const problems: string[] = [];
  if (cluster.controllerId < 0) problems.push("no controller is active");
  const fenced = cluster.nodes.filter((node) => node.fenced).map((node) => node.nodeId);
  if (fenced.length > 0) problems.push(`brokers not serving: ${fenced.join(", ")}`);
  if (cluster.nodes.length === 0) problems.push("no broker has registered");
  for (const [count, what] of [
    [cluster.partitionsWithoutLeader, "without a leader"],
    [cluster.partitionsUnderMinIsr, "below min.insync.replicas"],
    [cluster.partitionsUnderReplicated, "under-replicated"],
  ] as const) {
    if (count > 0) problems.push(`partitions ${what}: ${count}`);
  }
  return { isHealthy: problems.length === 0, problems };
}

async function health(flags: HealthFlags): Promise<void> {
  await withClient(flags, async (client) => {
    const deadlineMs = performance.now() + Number(flags.timeout) * 1_000;
    let printed = "";
    for (;;) {
      let current: Health;
      try {
        current = judge(await client.admin.describeCluster());
      } catch (error) {
        if (flags.exitWhenHealthy !== true && flags.watch !== true) throw error;
        current = { isHealthy: false, problems: ["no broker answers"] };
      }
      const text = JSON.stringify(current);
      if (text !== printed) await printHealth(current, flags.format);
      printed = text;
      if (flags.exitWhenHealthy === true ? current.isHealthy : flags.watch !== true) {
        if (current.isHealthy) return;
        throw new CommandError(EXIT.unhealthy, "the cluster is not healthy");
      }
      if (flags.exitWhenHealthy === true && performance.now() > deadlineMs) {
        throw new CommandError(EXIT.unhealthy, `not healthy after ${flags.timeout} s`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  });
}

async function printHealth(current: Health, format: string): Promise<void> {
  if (format === "json") {
    await writeData(`${JSON.stringify(current)}\n`);
    return;
  }
  await writeData(`${current.isHealthy ? "healthy" : "not healthy"}\n`);
  for (const problem of current.problems) say(`  ${problem}`);
}

async function printInfo(cluster: ClusterDescription, format: string): Promise<void> {
  if (format === "json") {
    await writeData(`${JSON.stringify(cluster, undefined, 2)}\n`);
    return;
  }
  const lines = [
    `cluster      ${cluster.clusterId}`,
    `topics       ${cluster.topics}`,
    `partitions   ${cluster.partitions}`,
    "",
    ...table(
      ["node", "grpc", "peer", "roles", "state", "epoch", "rack"],
      cluster.nodes.map((node) => [
        `${node.nodeId}${node.nodeId === cluster.controllerId ? "*" : ""}`,
        node.address,
        node.peerAddress,
        node.isVoter ? "broker,controller" : "broker",
        node.fenced ? "fenced" : "serving",
        node.brokerEpoch,
        node.rack,
      ]),
    ),
    "",
    "* active controller",
  ];
  await writeData(`${lines.join("\n")}\n`);
}
