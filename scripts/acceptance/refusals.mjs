/**
 * What must be refused, with the words and the exit code that an operator or a script needs; and
 * that the cluster does not suffer from the attempt.
 */
import { Cluster } from "../lab/cluster.mjs";
import { corruptBatches } from "./corrupt-batches.mjs";
import { refusedCommands } from "./refused-commands.mjs";
import { lostDirectory, refusedIdentities } from "./refused-identities.mjs";
import { refusedResources } from "./refused-resources.mjs";

const TOPIC = "refusals";

export async function refusals({ report, workspace }) {
  const cluster = await Cluster.start(workspace);
  // Node 3 comes first among the replicas: the one whose disk is lost later has led, and can again.
  await cluster.client.admin.createTopic({ name: TOPIC, assignments: [[3, 1, 2]] });
  const context = { report, workspace, cluster, topic: TOPIC };
  // The last leaves the cluster changed: a failure of it must not spoil what others would show.
  for (const part of [
    refusedCommands,
    corruptBatches,
    refusedResources,
    refusedIdentities,
    lostDirectory,
  ]) {
    try {
      await restore(cluster);
      await part(context);
    } catch (error) {
      report.check(`${part.name} runs to its end`, error.message);
    }
  }
}

/** Every node runs, also when the part before broke off. */
async function restore(cluster) {
  for (const node of cluster.nodes.values()) {
    if (node.child.isAlive) continue;
    cluster.startNode(node.id);
  }
  await cluster.untilHealthy();
}
