/** Nodes that are not who they say, or not who the cluster knows. */
import { mkdirSync, rmSync } from "node:fs";
import { Cluster } from "../lab/cluster.mjs";
import { mustRun, startCommand } from "../lab/command.mjs";
import { freePorts } from "../lab/ports.mjs";
import { until } from "../lab/waiting.mjs";
import { checkRefusedStart, checkUnharmed, pidsOf } from "./refusal-check.mjs";
import { runUntilServing } from "./refused-resources.mjs";

export async function refusedIdentities(context) {
  await duplicateVoter(context);
  await duplicateBroker(context);
  await otherCluster(context);
}

/** A second process under the id of a node that runs. */
async function duplicateVoter(context) {
  const { cluster, workspace } = context;
  const pids = pidsOf(cluster);
  const port = await freePorts(2);
  await checkRefusedStart(
    context,
    "a second process under a voter's node id",
    cluster.startArguments(2, {
      directory: workspace.newDirectory("second-2"),
      grpcPort: port,
      peerPort: port + 1,
    }),
    { code: 1, words: [/node (id )?2/, /another id|--node-id/] },
  );
  await checkUnharmed(context, "a second node 2", pids);
}

/** The same for a node that is no controller: only its registration can tell. */
async function duplicateBroker(context) {
  const { cluster, workspace, report } = context;
  const pids = pidsOf(cluster);
  const port = await freePorts(4);
  const first = cluster.startArguments(1, {
    id: 4,
    directory: workspace.newDirectory("node-4"),
    grpcPort: port,
    peerPort: port + 1,
  });
  const original = startCommand(workspace, first, { logFile: workspace.path("node-4.log") });
  await until("node 4 serves", async () => {
    const { nodes } = await cluster.describe();
    return nodes.some((node) => node.nodeId === 4 && !node.fenced);
  });
  await checkRefusedStart(
    context,
    "a second process under a plain broker's node id",
    cluster.startArguments(1, {
      id: 4,
      directory: workspace.newDirectory("second-4"),
      grpcPort: port + 2,
      peerPort: port + 3,
    }),
    { code: 1, words: [/node (id )?4/] },
  );
  report.check(
    "the plain broker whose id was taken goes on",
    original.isAlive ? undefined : `it has ended: ${original.stderr.trim()}`,
  );
  await original.stop();
  await checkUnharmed(context, "a second node 4", pids);
}

/** Directories of other clusters: of one with other voters, and of one that looks like this one. */
async function otherCluster(context) {
  const { cluster, workspace } = context;
  const own = (await cluster.describe()).clusterId;
  const other = await Cluster.start(workspace, { name: "other-cluster" });
  const otherId = (await other.describe()).clusterId;
  for (const id of other.nodes.keys()) await other.stop(id);
  const alone = await directoryOfOneNode(context);
  await cluster.stop(3);
  const pids = pidsOf(cluster);
  await checkRefusedStart(
    context,
    "a voter with the directory of another cluster",
    cluster.startArguments(3, { directory: other.nodes.get(3).directory }),
    { code: 1, words: [otherId, own] },
  );
  await checkRefusedStart(
    context,
    "a voter with the directory of a cluster of other voters",
    cluster.startArguments(3, { directory: alone }),
    { code: 1, words: ["--voters", "directory"] },
  );
  await checkRefusedStart(
    context,
    "a node whose --cluster-id is not that of its directory",
    [...cluster.startArguments(3), "--cluster-id", otherId],
    { code: 1, words: [otherId, own, "--cluster-id"] },
  );
  const port = await freePorts(2);
  const directory = workspace.newDirectory("node-5");
  await checkRefusedStart(
    context,
    "a new broker whose --cluster-id is not that of the cluster",
    [
      ...cluster.startArguments(1, { id: 5, directory, grpcPort: port, peerPort: port + 1 }),
      ...["--cluster-id", otherId],
    ],
    { code: 1, words: [own] },
  );
  await checkUnharmed(context, "nodes of another cluster", pids);
  cluster.startNode(3);
  await cluster.untilHealthy();
}

/** The directory of a node 3 that was a cluster by itself. */
async function directoryOfOneNode({ cluster, workspace }) {
  const port = await freePorts(2);
  const directory = workspace.newDirectory("alone");
  const settings = { grpcPort: port, peerPort: port + 1, voters: `3@127.0.0.1:${port + 1}` };
  await runUntilServing(workspace, cluster.startArguments(3, { ...settings, directory }), port);
  return directory;
}

/** A node whose disk was lost: refused as it is, welcome as a replacement. */
export async function lostDirectory(context) {
  const { report, cluster, topic } = context;
  const node = cluster.nodes.get(3);
  const before = await contents(context);
  await cluster.kill(3);
  rmSync(node.directory, { recursive: true });
  mkdirSync(node.directory, { mode: 0o700 });
  const pids = pidsOf(cluster);
  await checkRefusedStart(
    context,
    "a wiped data directory under an old node id",
    cluster.startArguments(3),
    { code: 1, words: ["--replace-directory", /node (id )?3/] },
  );
  await checkUnharmed(context, "the start of a wiped node", pids);
  cluster.startNode(3, ["--replace-directory"]);
  await cluster.untilInSync(topic, 3);
  await cluster.untilHealthy();
  await cluster.makeLeader(topic, 0, 3);
  const after = await contents(context);
  report.check(
    "--replace-directory brings the node back, with everything that the topic holds",
    after.subarray(0, before.length).equals(before) && after.length > before.length
      ? undefined
      : `it gives ${after.length} bytes; before the loss there were ${before.length}`,
  );
  await cluster.stop(3);
  cluster.startNode(3);
  await cluster.untilHealthy();
  report.check(
    "the replaced node starts again without the flag",
    (await contents(context)).equals(after) ? undefined : "the topic has changed",
  );
}

async function contents({ workspace, cluster, topic }) {
  const args = ["topic", "consume", topic, "-e", "-b", cluster.brokers];
  return (await mustRun(workspace, args)).stdout;
}
