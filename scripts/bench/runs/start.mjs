/** From the start of `strandline up` to the first acknowledged write, with empty directories. */
import { connect } from "@strandline/client";
import { percentile } from "../../lab/percentile.mjs";
import { UpCluster } from "../../lab/up-cluster.mjs";
import { until } from "../../lab/waiting.mjs";
import { REPLICAS } from "../bench.mjs";
import { Meter } from "../meter.mjs";

export async function start(bench) {
  const starts = [];
  for (let at = 0; at < bench.options.starts; at += 1) {
    starts.push(await firstAck(bench, `start-${at}`));
    bench.say(`start ${at + 1}: ${starts.at(-1).seconds.toFixed(2)} s`);
  }
  const seconds = starts.map((each) => each.seconds);
  bench.figure("start_to_first_ack_s", percentile(seconds, 0.5), {
    of: "median",
    all: seconds,
    other_cpus: starts.map((each) => each.window.otherCpus),
    nodes_cpu_s: starts.map((each) => each.window.brokerCpuSeconds),
  });
}

async function firstAck({ workspace }, name) {
  let pids = [];
  const meter = new Meter(() => pids);
  const startedAtMs = performance.now();
  const up = await UpCluster.launch(workspace, ["--data-dir", workspace.path(name)]);
  pids = [up.child.pid, ...up.nodes.map(({ pid }) => pid)];
  const client = connect({ bootstrap: up.brokers.split(","), requestTimeoutMs: 10_000 });
  workspace.onClose(async () => await client.close());
  await until(
    "a topic with three replicas can be made",
    async () =>
      await client.admin.createTopic({
        name: "first",
        partitions: 1,
        replicationFactor: REPLICAS,
      }),
    { pollMs: 10 },
  );
  const producer = client.producer({ lingerMs: 0 });
  await producer.send({ topic: "first", value: "first" });
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const window = meter.read();
  await producer.close();
  await client.close();
  await up.untilAnnounced();
  await up.interrupt();
  return { seconds, window };
}
