/**
 * The leader is killed while a file streams in. The file must come back whole: from the survivors,
 * with the killed broker back, and from the killed broker itself once it leads again.
 */
import { Cluster } from "../lab/cluster.mjs";
import { failureOf, mustRun, startCommand } from "../lab/command.mjs";
import { sleep } from "../lab/waiting.mjs";
import { byteDifference, expectedOutput } from "./line-comparison.mjs";

const PIECES = 40;
const PIECE_MS = 50;

export async function leaderKill({ report, workspace, files }) {
  const cluster = await Cluster.start(workspace);
  for (const file of files) await killDuring({ report, workspace, cluster }, file);
}

async function killDuring({ report, workspace, cluster }, file) {
  const topic = `kill-${file.topicPart}`;
  const { brokers } = cluster;
  const same = async (when) => {
    const consumed = await mustRun(workspace, ["topic", "consume", topic, "-e", "-b", brokers]);
    const difference = byteDifference(expectedOutput(file.bytes), consumed.stdout);
    report.check(`${file.name}: the same bytes ${when}`, difference);
  };
  await mustRun(workspace, ["topic", "create", topic, "-p", "1", "-b", brokers]);
  const produce = startCommand(workspace, ["topic", "produce", topic, "-b", brokers]);
  const killed = await feed({ cluster, produce, topic }, file.bytes);
  const startedAtMs = performance.now();
  const outcome = await produce.endedWithin(60_000);
  const result = { command: `strandline topic produce ${topic}`, stderr: produce.stderr };
  report.check(
    `${file.name}: produce ends well although the leader was killed`,
    outcome.code === 0
      ? undefined
      : failureOf({ ...result, ...outcome, tookMs: performance.now() - startedAtMs }),
    { killed_node: killed.id, stored_before: killed.storedBefore },
  );
  report.check(
    `${file.name}: the kill came in the middle`,
    killed.storedBefore > 0 ? undefined : "nothing was stored before the kill",
  );
  await same("from the survivors");
  cluster.startNode(killed.id);
  await cluster.untilInSync(topic, killed.id);
  await same("after the killed broker came back");
  await cluster.makeLeader(topic, 0, killed.id);
  await same("from the killed broker as leader");
  const { leaderId } = await cluster.partition(topic, 0);
  report.check(
    `${file.name}: the killed broker leads again`,
    leaderId === killed.id ? undefined : `node ${leaderId} leads, not ${killed.id}`,
  );
  await cluster.untilHealthy();
}

/** Writes the bytes in pieces, cut anywhere, and kills the leader half way. */
async function feed({ cluster, produce, topic }, bytes) {
  let killed;
  for (let piece = 0; piece < PIECES; piece += 1) {
    if (piece === PIECES / 2) {
      const { leaderId, highWatermark } = await cluster.partition(topic, 0);
      killed = { id: leaderId, storedBefore: highWatermark ?? 0 };
      await cluster.kill(leaderId);
    }
    const from = Math.floor((bytes.length * piece) / PIECES);
    const to = Math.floor((bytes.length * (piece + 1)) / PIECES);
    produce.stdin.write(bytes.subarray(from, to));
    await sleep(PIECE_MS);
  }
  produce.stdin.end();
  return killed;
}
