/** From the start of `strandline up` to the first acknowledged write, with empty directories. */
import { connect } from "@strandline/client";
import { percentile } from "../../lab/percentile.mjs";
import { UpCluster } from "../../lab/up-cluster.mjs";
import { until } from "../../lab/waiting.mjs";
import { REPLICAS } from "../bench.mjs";
import { machineCpuSeconds } from "../process-usage.mjs";

export async function start(bench) {
  const seconds = [];
  const machineCpu = [];
  for (let at = 0; at < bench.options.starts; at += 1) {
    const cpuBefore = machineCpuSeconds();
    seconds.push(await firstAckSeconds(bench, `start-${at}`));
    machineCpu.push(machineCpuSeconds() - cpuBefore);
    bench.say(`start ${at + 1}: ${seconds.at(-1).toFixed(2)} s`);
  }
  bench.figure("start_to_first_ack_s", percentile(seconds, 0.5), {
    of: "median",
    all: seconds,
    // Of everything on the machine: what is far above the smallest is others' work.
    machine_cpu_s: machineCpu,
  });
}

async function firstAckSeconds({ workspace }, name) {
  const startedAtMs = performance.now();
  const up = await UpCluster.launch(workspace, ["--data-dir", workspace.path(name)]);
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
  await producer.close();
  await client.close();
  await up.untilAnnounced();
  await up.interrupt();
  return seconds;
}
