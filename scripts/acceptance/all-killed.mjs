/**
 * All three brokers are killed at once in the middle of writes, and started again; in the last round
 * one of them stays away at first, for two are enough. Kills leave the page cache standing, so this
 * shows recovery, not the syncs; those are the simulator's to test.
 */
import { Cluster } from "../lab/cluster.mjs";
import { mustRun } from "../lab/command.mjs";
import { readTopic } from "../lab/log-contents.mjs";
import { sleep } from "../lab/waiting.mjs";
import { Writer } from "../lab/writer.mjs";
import { checkPromises } from "./kept-promises.mjs";

const ROUNDS = 3;
const TOPIC = "all-killed";
const PARTITIONS = [0, 1, 2];

export async function allKilled({ report, workspace }) {
  const cluster = await Cluster.start(workspace);
  await mustRun(workspace, [
    ...["topic", "create", TOPIC, "-p", String(PARTITIONS.length), "-b", cluster.brokers],
  ]);
  const writer = new Writer(cluster.connect(), {
    topic: TOPIC,
    partitions: PARTITIONS,
    window: 40,
  });
  writer.start();
  const backMs = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await sleep(2_000);
    await writer.untilAcknowledgedSince(performance.now());
    const controller = await cluster.controller();
    await Promise.all([...cluster.nodes.keys()].map(async (id) => await cluster.kill(id)));
    const goneAtMs = performance.now();
    const late = round === ROUNDS - 1 ? [controller] : [];
    for (const id of cluster.nodes.keys()) if (!late.includes(id)) cluster.startNode(id);
    const next = await writer.untilAcknowledgedSince(goneAtMs);
    backMs.push(Math.round(next.acknowledgedAtMs - goneAtMs));
    for (const id of late) cluster.startNode(id);
    await cluster.untilHealthy();
    const records = await readTopic(cluster.connect(), TOPIC, PARTITIONS);
    const without = late.length === 0 ? "" : ` without node ${late[0]}`;
    report.say(
      `round ${round + 1}: writes again${without} after ${backMs.at(-1)} ms, ${records.length} read`,
    );
  }
  await writer.stop();
  await checkPromises(report, cluster, {
    writer,
    topic: TOPIC,
    partitions: PARTITIONS,
    fault: "although all brokers were killed",
    figures: { rounds: ROUNDS, until_writes_ms: backMs },
  });
}
