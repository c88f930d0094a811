/** How long a writer waits when the leader of its partition is killed. */
import { LeaderKills } from "../../lab/leader-kills.mjs";
import { percentile } from "../../lab/percentile.mjs";
import { Writer } from "../../lab/writer.mjs";
import { costOf } from "../meter.mjs";
import { createTopic } from "./produce.mjs";

const TOPIC = "failover";
const PARTITIONS = [0, 1, 2];

export async function failover(bench) {
  const cluster = await bench.startCluster();
  await createTopic(cluster, TOPIC, { partitions: PARTITIONS.length });
  const writer = new Writer(cluster.connect(), { topic: TOPIC });
  writer.start();
  const leaders = new LeaderKills(cluster, TOPIC, writer);
  const kills = [];
  const window = await bench.window("failovers", cluster, async () => {
    while (kills.length < bench.options.kills) {
      const kill = await leaders.next();
      kills.push(kill);
      const role = kill.isController ? "leader and controller" : "leader";
      bench.say(`kill ${kills.length}: node ${kill.node}, ${role}: ${kill.waitedMs.toFixed(0)} ms`);
    }
  });
  await writer.stop();
  if (writer.failed.length > 0) throw new Error(`a send failed: ${writer.failed[0].message}`);
  const seconds = (share, of = kills) =>
    percentile(
      of.map((kill) => kill.waitedMs / 1_000),
      share,
    );
  bench.figure("failover_p50_s", seconds(0.5), {
    ...costOf(window),
    kills: kills.length,
    p50_controller_s: seconds(
      0.5,
      kills.filter((kill) => kill.isController),
    ),
    p50_other_s: seconds(
      0.5,
      kills.filter((kill) => !kill.isController),
    ),
  });
  bench.figure("failover_p99_s", seconds(0.99), {
    other_cpus: window.otherCpus,
    kills: kills.length,
    max_s: seconds(1),
  });
}
