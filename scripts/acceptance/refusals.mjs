/**
 * What must be refused, with the words and the exit code that an operator or a script needs; and
 * that the cluster does not suffer from the attempt.
 */
import { Cluster } from "./cluster.mjs";
import { mustRun } from "./command.mjs";
import { corruptBatches } from "./corrupt-batches.mjs";
import { refusedCommands } from "./refused-commands.mjs";
import { lostDirectory, refusedIdentities } from "./refused-identities.mjs";
import { refusedResources } from "./refused-resources.mjs";

export const TOPIC = "refusals";

export async function refusals({ report, workspace }) {
  const cluster = await Cluster.start(workspace);
  const { brokers } = cluster;
  await mustRun(workspace, ["topic", "create", TOPIC, "-b", brokers]);
  const context = { report, workspace, cluster, topic: TOPIC };
  for (const part of [
    refusedCommands,
    corruptBatches,
    refusedResources,
    refusedIdentities,
    lostDirectory,
  ]) {
    try {
      await part(context);
    } catch (error) {
      report.check(`${part.name} runs to its end`, error.message);
      await restore(cluster);
    }
  }
}

/** After a part that broke off: every node runs again. */
async function restore(cluster) {
  for (const node of cluster.nodes.values()) {
    if (node.child.isAlive) continue;
    cluster.startNode(node.id);
  }
  await cluster.untilHealthy();
}
