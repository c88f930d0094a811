/**
 * How long a client waits when the leader of its partition is killed. Single records with acks=all
 * in a loop; time from the kill to the next acknowledgement. Half of the killed brokers are the
 * active controller too: then the cluster has to elect twice.
 */
import { Cluster } from "../lab/cluster.mjs";
import { mustRun } from "../lab/command.mjs";
import { LeaderKills } from "../lab/leader-kills.mjs";
import { percentile } from "../lab/percentile.mjs";
import { Writer } from "../lab/writer.mjs";
import { checkPromises } from "./kept-promises.mjs";

const KILLS = 10;
const MEDIAN_MS_MAX = 1_000;
const TOPIC = "failover";
const PARTITIONS = [0, 1, 2];

export async function failover({ report, workspace }) {
  const cluster = await Cluster.start(workspace);
  await mustRun(workspace, [
    ...["topic", "create", TOPIC, "-p", String(PARTITIONS.length), "-b", cluster.brokers],
  ]);
  const writer = new Writer(cluster.connect(), { topic: TOPIC });
  writer.start();
  const leaders = new LeaderKills(cluster, TOPIC, writer);
  const kills = [];
  for (let at = 0; at < KILLS; at += 1) {
    const kill = await leaders.next();
    kills.push(kill);
    const role = kill.isController ? "leader and controller" : "leader";
    report.say(`kill ${at + 1}: node ${kill.node}, ${role}: ${kill.waitedMs.toFixed(0)} ms`);
  }
  await writer.stop();
  checkTimes(report, kills);
  await checkPromises(report, cluster, {
    writer,
    topic: TOPIC,
    partitions: PARTITIONS,
    fault: "while leaders are killed",
  });
}

function checkTimes(report, kills) {
  const ms = (share, of = kills) =>
    Math.round(
      percentile(
        of.map((kill) => kill.waitedMs),
        share,
      ),
    );
  const controllers = kills.filter((kill) => kill.isController);
  const others = kills.filter((kill) => !kill.isController);
  const p50 = ms(0.5);
  report.check(
    `half of the failovers take less than ${MEDIAN_MS_MAX} ms`,
    p50 < MEDIAN_MS_MAX ? undefined : `the median is ${p50} ms`,
    {
      kills: kills.length,
      p50_ms: p50,
      p99_ms: ms(0.99),
      max_ms: ms(1),
      p50_controller_ms: ms(0.5, controllers),
      p50_other_ms: ms(0.5, others),
      all_ms: kills.map((kill) => Math.round(kill.waitedMs)),
    },
  );
}
